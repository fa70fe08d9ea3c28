"""Counted columns of one particle, and the picture of all that counting can."""

import dataclasses

import made_columns
import made_files
import numpy as np
import pages
import pandas as pd
import pytest
from matplotlib.figure import Figure

import score
from atomsight.errors import InputError
from atomsight.figures import column_heights, gold_heights
from atomsight.figures.parts import column_tables, counted_panels, counting_scores, height_panels
from atomsight.figures.parts.counting_scores import Scores


def particle(**changes):
    parts = (made_columns.images(), made_columns.counted_columns(), made_columns.truth())
    return dataclasses.replace(gold_heights.Particle(*parts), **changes)


def scores(change=lambda table: table):
    names = ("summary", "confusion", "reliability", "abstention")
    return Scores(*(change(getattr(made_columns, name)()) for name in names))


def draw(made, dose=3e4):
    return column_heights.draw(made.series, made.counted, made.truth, dose, "Simulated gold")


def test_differences_are_counts_minus_truth_up_to_the_last_class():
    counted, true = made_columns.counted_columns(), made_columns.true_columns()
    pairs = column_tables.match(counted, true)
    off = height_panels.differences(pairs, counted, made_columns.GREATEST)
    assert pairs["found"][0] == -1
    assert list(off) == [1] + [0] * (len(true) - 2)
    assert true["height"].max() > made_columns.GREATEST
    assert counted_panels.exact_text(counted, made_columns.truth()) == "127 of 129 exact"


@pytest.mark.parametrize(("off_A", "exact"), [((0, 0), 2), ((0.59, 0.61), 1)])
def test_exact_counts_leave_out_the_rim_and_pair_columns_as_the_scores_do(tmp_path, off_A, exact):
    names = ["1", "2", "9", "1"]
    true = pd.DataFrame({"x_A": [1.9, 5, 9, 47.9], "y_A": 5.0, "class": names})
    found = true.assign(x_A=true["x_A"] + [0, *off_A, 0], frame=0, p_1=0.1, p_2=0.1, p_3=0.1)
    found["class"] = ["1", "2", "3", "1"]
    counted = found.assign(height=found["class"].astype(int), p_height=0.9)
    true["height"] = true["class"].astype(int)
    assert column_tables.exact_counts(counted, made_columns.truth(true)) == (exact, 2)

    paths = [str(tmp_path / name) for name in ("atoms.h5", "truth.h5", "scores.csv")]
    made_columns.write_atoms(paths[0], found.assign(p_class=0.9, p_exists=1.0))
    made_columns.write_truth(paths[1], true)
    assert score.main(["classes", *paths]) == 0
    (scored,) = pd.read_csv(paths[2]).itertuples()
    assert (scored.exact, scored.columns) == (exact / 2, 2)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("known", [True, False])
def test_nothing_is_cut_off_whatever_the_number_of_images(count, known):
    truth = made_columns.truth() if known else None
    figure = draw(particle(series=made_columns.images(count), truth=truth), 3e4 if known else None)
    pages.assert_shows(figure)
    assert len(pages.maps(figure)) == min(count, 3) + (3 if known else 2)


def test_the_words_say_focus_dose_and_how_many_counts_are_reliable():
    made = particle()
    reliable = f"129 columns found, {made.counted['reliable'].sum()} counts reliable"
    focus = ("17 nm overfocus", "9 nm underfocus")
    pages.assert_shows(
        draw(made), *focus, "3 images, 3·10⁴ e/Å² in all", "Simulated gold", reliable
    )
    pages.assert_shows(draw(particle(series=made_columns.images(1))), "focus not known")


def test_discs_carry_their_numbers_and_open_ones_are_not_reliable():
    made = particle()
    counted = draw(made).axes[3]
    (discs,) = counted.collections
    is_white = (discs.get_facecolors() == 1).all(axis=1)
    np.testing.assert_array_equal(is_white, ~made.counted["reliable"])
    numbers = [text.get_text() for text in counted.texts if text.get_text().strip("≥").isdigit()]
    assert numbers == list(made.counted["height"].astype(str).replace("5", "≥5"))


def test_the_last_class_is_marked_alike_on_discs_bars_and_histogram():
    with_truth, without = draw(particle()), draw(particle(truth=None), None)
    bars = [axes for axes in with_truth.axes if axes.get_xlabel() == "atoms in the column"]
    histogram = [axes for axes in without.axes if axes.get_ylabel() == "columns"]
    assert len(bars + histogram) == 3
    for axes in bars + histogram:
        written = [label.get_text() for label in axes.get_xticklabels()]
        assert written == ["1", "2", "3", "4", "≥5"]
    for panel in with_truth.axes[3:5]:
        written = {text.get_text() for text in panel.texts}
        assert "≥5" in written
        assert not written & {"5", "6"}
    assert list(height_panels.height_ticks(12)) == [2, 4, 6, 8, 10, 12]


def test_a_stack_of_several_focal_series_says_which_one_is_drawn():
    assert "focal series" not in pages.words(draw(particle()))
    for truth in (made_columns.truth(), None):
        series = made_columns.images(specimens=10, specimen=9)
        pages.assert_shows(
            draw(particle(series=series, truth=truth)), "focal series 10 of 10: 3 images, "
        )


def test_a_particle_of_which_nothing_is_found_is_drawn_too():
    nothing = made_columns.counted_columns()[:0]
    for truth in (made_columns.truth(), None):
        pages.assert_shows(draw(particle(counted=nothing, truth=truth), None))


def draw_all(scores):
    return gold_heights.draw(particle(), scores, 3e4, "Simulated gold particle")


def test_the_picture_of_the_whole_holds_images_counts_and_scores():
    figure = draw_all(scores())
    assert len(pages.maps(figure)) == 5
    names = ("tilt up to 0.5°, 10⁴ e/Å²", "library match", "by 3 or more", "Simulated particles")
    pages.assert_shows(figure, *names, "calibration error", "share answered, the surest first")


def test_the_calibration_error_stated_is_that_of_the_worst_dose():
    rows = made_columns.reliability().query("method == 'network' and tilt_high_deg == 3")
    summary = made_columns.summary(("network",)).query("tilt_high_deg == 3")
    axes = Figure().add_subplot()
    counting_scores.draw_reliability(
        axes, rows, summary.assign(calibration_error=[0.3, np.nan, 0.05, 0.1])
    )
    (label,) = axes.get_legend().get_texts()
    assert label.get_text().endswith("30.0 %")


def test_a_model_that_finds_no_column_has_its_picture_too():
    """A training that failed, or images at far too low a dose: no bins, nothing to answer."""
    nothing = {"reliability": made_columns.reliability()[:0]}
    nothing["abstention"] = made_columns.abstention()[:0]
    words = pages.words(draw_all(dataclasses.replace(scores(), **nothing)))
    assert words.count("no column was found") == 2


def test_it_can_do_without_other_methods_and_with_one_range_of_tilts():
    one = scores(lambda table: table.query("method == 'network' and tilt_high_deg == 3"))
    pages.assert_shows(draw_all(one))


def test_heights_read_from_text_are_as_they_were(tmp_path):
    table = column_tables.read_heights(made_files.column_heights(tmp_path)["heights"])
    made = made_columns.counted_columns()
    assert list(table["reason"]) == list(made["reason"])
    assert list(table["reliable"]) == list(made["reliable"])
    assert column_tables.greatest_height(table) == made_columns.GREATEST


def test_one_specimen_of_several_is_read(tmp_path):
    both = made_columns.images()
    path = tmp_path / "frames.h5"
    twice = np.concatenate([both.images, 2 * both.images])
    made_columns.write_frames(path, dataclasses.replace(both, images=twice))
    second = column_tables.read_images(path, 1)
    np.testing.assert_allclose(second.images, 2 * both.images)
    assert second.focus_A == made_columns.FOCUS_A
    with pytest.raises(InputError, match="there is no specimen 2; they run to 1"):
        column_tables.read_images(path, 2)
