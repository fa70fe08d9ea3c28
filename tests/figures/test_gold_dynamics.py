"""The flagship of gold: what its rows and plots say."""

import dataclasses

import made_sites
import numpy as np
import pages
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from atomsight.figures import gold_dynamics, occurrence_events
from atomsight.figures.parts import rasters, series_tables, site_maps


def row(name="vacuum", with_truth=True, **options):
    series, truth = made_sites.make_series(name=name, **options)
    truth = truth[~truth["masked"]].reset_index(drop=True)
    recording = made_sites.recording(series.positions)
    return gold_dynamics.GoldRow(series, recording, truth if with_truth else None)


@pytest.fixture(scope="module")
def rows():
    return [row("vacuum", speed=0.6), row("gas", seed=1, notes="Simulated: gold in gas")]


@pytest.mark.parametrize("with_truth", [True, False])
@pytest.mark.parametrize("frames", [1, 40, 600])
def test_nothing_is_cut_off_and_every_image_has_a_scale_bar(with_truth, frames):
    many = frames > 1
    made = [row(name, with_truth, frames=frames, rates=many) for name in ("vacuum", "gas")]
    figure = gold_dynamics.draw(made, made_sites.comparison())
    pages.assert_shows(figure)
    assert len(pages.maps(figure)) == 2 * (5 if many else 4)


def test_three_series_fit_and_one_of_which_no_site_has_a_truth(rows):
    three = [row(name, seed=seed) for seed, name in enumerate(("one", "two", "three"))]
    unmatched = dataclasses.replace(rows[0], truth=rows[0].truth[:0])
    for made in (three, [unmatched]):
        pages.assert_shows(gold_dynamics.draw(made))


def test_faint_sites_are_grey_and_have_no_rate(rows):
    made = [row(faint_sites=5), rows[1]]
    series, figure = made[0].series, gold_dynamics.draw(made)
    said = ("faint: no rate", "hopping · 5 faint", "raw events of 5 faint sites: no rate")
    pages.assert_shows(figure, *said)
    *_, grey, _ = figure.axes[4].collections
    assert_allclose(grey.get_offsets(), series.positions[series.faint])
    truth = panel(figure, "true hops per frame")
    events = series.sites.loc[series.faint, "event_rate"]
    assert any(np.array_equal(line.get_ydata(), events) for line in truth.lines)
    assert not series.faint[rasters.sample_of_hopping(series, 1000)].any()
    assert "faint" not in pages.words(gold_dynamics.draw(rows))
    pages.assert_shows(occurrence_events.draw([series]), "faint: no rate")


def test_a_row_with_truth_says_that_it_is_simulated_once(rows):
    assert "simulated · frame 0 shown" in gold_dynamics.facts(rows[0])
    assert "simulated" not in gold_dynamics.facts(rows[1])  # Its notes say so.
    assert "simulated" not in gold_dynamics.facts(row(with_truth=False))


def panel(figure, label):
    """The panel of which an axis has such a label."""
    (found,) = (axes for axes in figure.axes if label in axes.get_xlabel() + axes.get_ylabel())
    return found


def test_all_maps_of_rates_share_one_scale(rows):
    figure = gold_dynamics.draw(rows)
    assert pages.words(figure).count("hops (p < 0.05, Holm)") == 1
    bars = [axes for axes in figure.axes if axes.get_xlabel() == "hops per frame"]
    (bar,) = (axes for axes in bars if not axes.get_ylabel())
    limit = site_maps.rate_limit(*(one.series for one in rows))
    assert_allclose(bar.get_xlim(), (0, limit))
    for one, panel in zip(rows, (figure.axes[4], figure.axes[9]), strict=True):
        rates = one.series.sites.loc[one.series.analysed, "hop_rate"].to_numpy()
        colours = panel.collections[-2].get_facecolors()
        assert_allclose(colours, site_maps.RATE(rates / limit))


def test_rates_stand_over_their_truth_and_static_sites_left_of_zero(rows):
    axes = panel(gold_dynamics.draw(rows), "true hops per frame")
    truth = rows[0].truth
    raw, estimate = axes.lines[1:3]
    dynamic = truth["dynamic"].to_numpy()
    for line, name in ((raw, "event_rate"), (estimate, "hop_rate")):
        assert_allclose(line.get_ydata(), truth[name])
        assert_allclose(line.get_xdata()[dynamic], truth.loc[dynamic, "true_hop_rate"])
        assert (line.get_xdata()[~dynamic] < 0).all()
    assert axes.get_xticklabels()[0].get_text() == "static"


def test_the_legend_names_the_confidence_of_the_intervals(rows):
    pages.assert_shows(gold_dynamics.draw(rows), "hop rate, 95 % interval")
    wider = [
        dataclasses.replace(one, series=dataclasses.replace(one.series, confidence=confidence))
        for one, confidence in zip(rows, (0.8, 0.995), strict=True)
    ]
    words = pages.assert_shows(gold_dynamics.draw(wider), "hop rate, 80 or 99.5 % interval")
    assert "95 %" not in words
    pages.assert_shows(gold_dynamics.draw(wider[:1]), "hop rate, 80 % interval")


def test_the_coverage_counts_sites_that_change():
    names = ["dynamic", "true_hop_rate", "hop_rate", "hop_rate_low", "hop_rate_high"]
    held, missed = (True, 0.1, 0.1, 0.05, 0.2), (True, 0.2, 0.1, 0.05, 0.15)
    unknown, static = (True, 0.3, np.nan, np.nan, np.nan), (False, 0, 0, 0, 0.1)
    table = pd.DataFrame([held, missed, unknown, static], columns=names)
    assert gold_dynamics.coverage(table) == "intervals hold the truth: 1 of 2"
    assert gold_dynamics.coverage(table[3:]) == ""


def test_the_curve_of_rates_counts_sites(rows):
    axes = panel(gold_dynamics.draw(rows), "as fast or")
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
    said = ("raw events, second / first: 1.22", "no hop rates\nestimated")
    words = pages.assert_shows(gold_dynamics.draw(made, raw), *said)
    assert "hop rates, second / first" not in words


def test_a_comparison_without_rows_says_nothing(rows, tmp_path):
    path = tmp_path / "comparison.csv"
    made_sites.comparison()[:0].to_csv(path, index=False)
    nothing = series_tables.read_comparison(path)
    figure = gold_dynamics.draw([rows[0], row("gas", frames=1, rates=False)], nothing)
    assert "second / first" not in pages.assert_shows(figure)
    assert panel(figure, "as fast or").get_ylim()[1] < 150  # No room is left for it.


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
    assert len(pages.maps(figure)) == 6
    labels = ("share of frames", "changes per frame as observed", "hops per frame")
    pages.assert_shows(figure, *labels, "Simulated: gold in gas")


def test_occurrence_of_one_frame_says_what_it_cannot_tell():
    series, _ = made_sites.make_series(1, rates=False)
    said = ("no changes can be seen", "no hop rates estimated")
    pages.assert_shows(occurrence_events.draw([series]), *said)


def test_the_frame_asked_for_is_read(tmp_path):
    written, truth = made_sites.make_series()
    files = made_sites.write(written, tmp_path)
    truth.to_csv(tmp_path / "truth.csv")
    series = series_tables.read_series("vacuum", "notes", files["sites"], files["substrate"])
    recorded = [files[kind] for kind in ("frames", "maps", "atoms")]
    made = gold_dynamics.read_row(series, recorded, 2, tmp_path / "truth.csv")
    assert made.recording.frame == 2
    assert len(made.recording.columns) == (series.occupied[:, 2] == 1).sum()
    assert_allclose(made.recording.drift_A, series.drift.loc[2, ["x_A", "y_A"]].to_numpy(float))
    assert len(made.truth) == series.analysed.sum()
