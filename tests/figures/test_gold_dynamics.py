"""The flagship of gold: what its rows and plots say, and what its script refuses."""

import dataclasses

import made_sites
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import plot_gold_dynamics
import plot_occurrence_events
from atomsight.figures import gold_dynamics, occurrence_events, rasters, series_tables, site_maps
from atomsight.files import sealed

NAMES = ("vacuum", "gas")


def recording(series):
    rng = np.random.default_rng(0)
    image = rng.poisson(6 * made_sites.image_of(series.positions)).astype(float)
    return series_tables.Recording(
        0, image, image / image.max(), made_sites.PIXEL_A, series.positions
    )


def row(name="vacuum", with_truth=True, **options):
    series, truth = made_sites.make_series(name=name, **options)
    truth = truth[~truth["masked"]].reset_index(drop=True)
    return gold_dynamics.GoldRow(series, recording(series), truth if with_truth else None)


@pytest.fixture(scope="module")
def rows():
    return [row("vacuum", speed=0.6), row("gas", seed=1, notes="Simulated: gold in gas")]


@pytest.mark.parametrize("with_truth", [True, False])
@pytest.mark.parametrize("frames", [1, 40, 600])
def test_nothing_is_cut_off_and_every_image_has_a_scale_bar(with_truth, frames):
    many = frames > 1
    made = [row(name, with_truth, frames=frames, rates=many) for name in NAMES]
    figure = gold_dynamics.draw(made, made_sites.comparison())
    assert made_sites.overhang(figure) < 0.005
    maps = [axes for axes in figure.axes if made_sites.scale_bars(axes)]
    assert len(maps) == 2 * (5 if many else 4)
    assert all(made_sites.scale_bars(axes) == 1 for axes in maps)


def test_three_series_fit_too():
    made = [row(name, seed=seed) for seed, name in enumerate(("one", "two", "three"))]
    assert made_sites.overhang(gold_dynamics.draw(made)) < 0.005


def test_without_matched_sites_the_truth_is_an_empty_plot(rows):
    unmatched = dataclasses.replace(rows[0], truth=rows[0].truth[:0])
    assert made_sites.overhang(gold_dynamics.draw([unmatched])) < 0.005


def test_a_row_with_truth_says_that_it_is_simulated_once(rows):
    assert "simulated · frame 0 shown" in gold_dynamics.facts(rows[0])
    assert "simulated" not in gold_dynamics.facts(rows[1])  # Its notes say so.
    assert "simulated" not in gold_dynamics.facts(row(with_truth=False))


def test_all_maps_of_rates_share_one_scale(rows):
    figure = gold_dynamics.draw(rows)
    assert made_sites.words(figure).count("hops (p < 0.05, Holm)") == 1
    bars = [axes for axes in figure.axes if axes.get_xlabel() == "hops per frame"]
    (bar,) = (axes for axes in bars if not axes.get_ylabel())
    limit = site_maps.rate_limit(*(one.series for one in rows))
    assert_allclose(bar.get_xlim(), (0, limit))
    for one, panel in zip(rows, (figure.axes[4], figure.axes[9]), strict=True):
        rates = one.series.sites.loc[one.series.analysed, "hop_rate"].to_numpy()
        colours = panel.collections[-2].get_facecolors()
        assert_allclose(colours, site_maps.RATE(rates / limit))


def test_rates_stand_over_their_truth_and_static_sites_left_of_zero(rows):
    figure = gold_dynamics.draw(rows)
    (axes,) = (axes for axes in figure.axes if axes.get_xlabel() == "true hops per frame")
    truth = rows[0].truth
    raw, estimate = axes.lines[1:3]
    dynamic = truth["dynamic"].to_numpy()
    for line, name in ((raw, "event_rate"), (estimate, "hop_rate")):
        assert_allclose(line.get_ydata(), truth[name])
        assert_allclose(line.get_xdata()[dynamic], truth.loc[dynamic, "true_hop_rate"])
        assert (line.get_xdata()[~dynamic] < 0).all()
    assert axes.get_xticklabels()[0].get_text() == "static"


def test_the_legend_names_the_confidence_of_the_intervals(rows):
    assert "hop rate, 95 % interval" in made_sites.words(gold_dynamics.draw(rows))
    wider = [
        dataclasses.replace(one, series=dataclasses.replace(one.series, confidence=confidence))
        for one, confidence in zip(rows, (0.8, 0.995), strict=True)
    ]
    words = made_sites.words(gold_dynamics.draw(wider))
    assert "hop rate, 80 or 99.5 % interval" in words
    assert "95 %" not in words
    assert "hop rate, 80 % interval" in made_sites.words(gold_dynamics.draw(wider[:1]))


def test_the_coverage_counts_sites_that_change():
    table = pd.DataFrame(
        {
            "dynamic": [True, True, True, False],
            "true_hop_rate": [0.1, 0.2, 0.3, 0.0],
            "hop_rate": [0.1, 0.1, np.nan, 0.0],
            "hop_rate_low": [0.05, 0.05, np.nan, 0.0],
            "hop_rate_high": [0.2, 0.15, np.nan, 0.1],
        }
    )
    assert gold_dynamics.coverage(table) == "intervals hold the truth: 1 of 2"
    assert gold_dynamics.coverage(table[3:]) == ""


def test_the_curve_of_rates_counts_sites(rows):
    figure = gold_dynamics.draw(rows)
    (axes,) = (axes for axes in figure.axes if "as fast or" in axes.get_ylabel())
    for line, one in zip(axes.lines, rows, strict=False):
        rates = one.series.sites.loc[one.series.analysed, "hop_rate"].to_numpy()
        x, y = line.get_data()
        assert_allclose(y, [100 * np.mean(rates >= rate) for rate in x])


def test_the_comparison_is_written_with_its_interval_and_p_value():
    first, second = gold_dynamics.main_tests(made_sites.comparison()).to_dict("records")
    said = "hop rates, second / first: 2.05 (1.40 to 2.90)\npermutation test: p = 0.0004"
    assert gold_dynamics.compared(first) == said
    assert "raw events" in gold_dynamics.compared(second)
    assert gold_dynamics.p_text(1e-9) == "p < 0.0001"
    assert gold_dynamics.p_text(np.nan) == "p unknown"


def test_without_pairs_the_test_of_all_sites_is_written():
    unpaired = made_sites.comparison().query("test == 'mann_whitney'")
    chosen = gold_dynamics.main_tests(unpaired)
    assert list(chosen["rate"]) == ["hmm", "raw_events"]
    assert "Mann–Whitney test: p = 0.06" in gold_dynamics.compared(chosen.iloc[1])


def test_a_comparison_of_raw_events_only_is_drawn_beside_a_series_without_hop_rates(rows):
    made = [rows[0], row("gas", with_truth=False, rates=False)]
    raw = made_sites.comparison().query("rate == 'raw_events'")
    figure = gold_dynamics.draw(made, raw)
    assert made_sites.overhang(figure) < 0.005
    words = made_sites.words(figure)
    assert "raw events, second / first: 1.22" in words
    assert "hop rates, second / first" not in words
    assert "no hop rates\nestimated" in words


def test_a_comparison_without_rows_says_nothing(rows, tmp_path):
    path = tmp_path / "comparison.csv"
    made_sites.comparison()[:0].to_csv(path, index=False)
    nothing = series_tables.read_comparison(path)
    figure = gold_dynamics.draw([rows[0], row("gas", frames=1, rates=False)], nothing)
    assert made_sites.overhang(figure) < 0.005
    assert "second / first" not in made_sites.words(figure)
    # Nor is room left for it.
    (axes,) = (axes for axes in figure.axes if "as fast or" in axes.get_ylabel())
    assert axes.get_ylim()[1] < 150


def test_the_sample_of_hopping_sites_runs_from_fast_to_slow(rows):
    series = rows[1].series
    chosen = rasters.sample_of_hopping(series, 5)
    rates = series.sites["hop_rate"].to_numpy()[chosen]
    hopping = series.sites.loc[series.hopping, "hop_rate"]
    assert series.hopping[chosen].all()
    assert (np.diff(rates) < 0).all()
    assert rates[0] == hopping.max()
    assert rates[-1] == hopping.min()


def test_the_frame_is_shown_where_the_drift_took_it(rows):
    moved = dataclasses.replace(rows[0].recording, drift_A=(2.0, -1.0))
    still = gold_dynamics.draw([rows[0]])
    shifted = gold_dynamics.draw([dataclasses.replace(rows[0], recording=moved)])
    for axis, shift in (("x", 2.0), ("y", -1.0)):
        before, after = (getattr(f.axes[0], f"get_{axis}lim")() for f in (still, shifted))
        assert_allclose(np.subtract(after, before), shift)


def test_occurrence_events_and_hop_rates_stand_side_by_side(rows):
    figure = occurrence_events.draw([one.series for one in rows])
    assert made_sites.overhang(figure) < 0.005
    assert sum(made_sites.scale_bars(axes) for axes in figure.axes) == 6
    words = made_sites.words(figure)
    for label in ("share of frames", "changes per frame as observed", "hops per frame"):
        assert label in words
    assert "Simulated: gold in gas" in words


def test_occurrence_of_one_frame_says_what_it_cannot_tell():
    series, _ = made_sites.make_series(1, rates=False)
    words = made_sites.words(occurrence_events.draw([series]))
    assert "no changes can be seen" in words
    assert "no hop rates estimated" in words


@pytest.fixture
def files(tmp_path):
    """Paths of frames, maps, atoms, sites and substrate of a series, of its truth and a test."""
    series, truth = made_sites.make_series(name="vacuum")
    paths = made_sites.write_recording(series, tmp_path)
    paths += [str(tmp_path / "sites.h5"), str(tmp_path / "substrate.h5")]
    made_sites.write_sites(series, paths[3])
    made_sites.write_substrate(series, paths[4])
    tables = {"truth": truth, "comparison": made_sites.comparison()}
    for name, table in tables.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    return paths, *(str(tmp_path / f"{name}.csv") for name in tables)


def test_the_script_draws_the_same_bytes_again(files, tmp_path):
    paths, truth, comparison = files
    series = ["--series", "vacuum", *paths, "--series", "gas", *paths]
    more = ["--table", f"vacuum={truth}", "--comparison", comparison, "--title", "gas=10 $"]
    drawn = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in drawn:
        assert plot_gold_dynamics.main([str(path), *series, *more]) == 0
    assert drawn[0].read_bytes() == drawn[1].read_bytes()


def test_the_script_reads_the_frame_asked_for(files):
    paths, truth, _ = files
    made = plot_gold_dynamics.read_row("vacuum", paths, 2, "notes", truth)
    series = made.series
    assert made.recording.frame == 2
    assert len(made.recording.columns) == (series.occupied[:, 2] == 1).sum()
    assert_allclose(made.recording.drift_A, series.drift.loc[2, ["x_A", "y_A"]].to_numpy(float))
    assert len(made.truth) == series.analysed.sum()


def test_the_script_of_occurrence_draws(files, tmp_path):
    paths, _, _ = files
    out = tmp_path / "events.png"
    series = ["--series", "vacuum", *paths[3:], "--title", "vacuum=Simulated: gold"]
    assert plot_occurrence_events.main([str(out), *series]) == 0
    assert out.read_bytes()[:4] == b"\x89PNG"


def other_frames(paths):
    with sealed.change(paths[2]) as file:
        file.attrs["frame_shape"] = (3, 10, 10)


@pytest.mark.parametrize(
    ("more", "spoil", "message"),
    [
        ([], lambda paths: paths.__setitem__(0, "absent.h5"), "absent.h5: the file does not exist"),
        ([], lambda paths: paths.__setitem__(3, paths[0]), "not the kind of file"),
        ([], other_frames, "not the columns of"),
        (["--frame", "3"], None, "there is no frame 3; they run to 2"),
        (["--title", "gas=x"], None, "there is no series 'gas'"),
        (["--table", "vacuum"], None, "not of the form NAME=VALUE"),
        (["--table", "vacuum=absent.csv"], None, "absent.csv: the file does not exist"),
        (["--comparison", "absent.csv"], None, "absent.csv: the file does not exist"),
    ],
)
def test_the_script_says_in_one_sentence_what_is_wrong(
    files, tmp_path, capsys, more, spoil, message
):
    paths, *_ = files
    if spoil:
        spoil(paths)
    out = tmp_path / "out" / "dynamics.png"
    assert plot_gold_dynamics.main([str(out), "--series", "vacuum", *paths, *more]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not out.exists()


def test_a_comparison_without_its_words_is_refused(files, tmp_path, capsys):
    paths, _, comparison = files
    made_sites.comparison().drop(columns="rate").to_csv(comparison, index=False)
    out = str(tmp_path / "dynamics.png")
    given = [out, "--series", "vacuum", *paths, "--comparison", comparison]
    assert plot_gold_dynamics.main(given) == 1
    assert "the column 'rate' is missing" in capsys.readouterr().err
