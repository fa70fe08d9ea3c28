"""Species from focal series: what is marked, what is ringed, what the curves say."""

import made_columns
import made_sites
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from atomsight.errors import InputError
from atomsight.figures import focal_series, mos2_species
from atomsight.figures.parts import column_tables, focal_panels, score_tables, species_panels

NAMES = ("Mo", "S2", "S")


def truth():
    return column_tables.SeriesTruth(made_columns.true_species(), 1e4, made_columns.FIELD_A)


def test_sites_missed_or_named_wrongly_are_told_from_the_others():
    true = column_tables.match(made_columns.found_species(), made_columns.true_species())
    named = species_panels.is_named(true, made_columns.found_species())
    assert list(np.flatnonzero(~named)) == [0, len(true) - 1]
    said = species_panels.named_text(true, made_columns.found_species(), (-1, -1, 60, 60))
    assert said == "127 of 129 sites shown are named rightly"


def test_no_site_beyond_the_part_shown_is_ringed():
    """There it may lie outside of what all images show, and could not be found."""
    true = column_tables.match(made_columns.found_species(), made_columns.true_species())
    first = true[["x_A", "y_A"]].to_numpy()[0]
    axes = Figure().subplots()
    species_panels.draw_mistakes(axes, true, made_columns.found_species(), (*(first + 1), 99, 99))
    assert len(axes.lines[0].get_xdata()) == 1


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("known", [True, False])
def test_images_map_and_sites_show_one_part_with_a_scale_bar_each(count, known):
    figure = focal_series.draw(
        made_columns.images(count),
        made_columns.class_maps(),
        NAMES,
        made_columns.found_species(),
        truth() if known else None,
        "Simulated MoS₂ monolayer",
    )
    assert made_sites.overhang(figure) < 0.005
    maps = [axes for axes in figure.axes if made_sites.scale_bars(axes)]
    assert len(maps) == count + (3 if known else 2)
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in maps}) == 1
    words = made_sites.words(figure)
    assert "Simulated MoS₂" in words
    assert ("named rightly" in words) == known


def test_the_part_shown_holds_most_of_the_points():
    series = made_columns.images()
    points = np.array([[40.0, 40.0], [42.0, 41.0], [5.0, 5.0]])
    left, top, right, bottom = focal_panels.busy_window(points, series, 12.0)
    assert left < 40 < 42 < right
    assert top < 40 < 41 < bottom
    assert right - left == pytest.approx(12)
    whole = focal_panels.busy_window(points[:0], series, 99.0)
    assert whole == pytest.approx((-0.1, -0.1, 49.9, 49.9))


def test_species_unknown_here_get_colours_of_their_own():
    looks = species_panels.look_of(("Mo", "W", "Se2"))
    assert len(set(looks.values())) == 3


@pytest.mark.parametrize("names", [NAMES, ("W", "Se2")])
def test_sites_have_the_mark_of_their_species(names):
    found = made_columns.found_species()
    figure = mos2_species.draw(
        made_columns.images(), found, names, truth(), summaries(), "Simulated MoS₂"
    )
    assert made_sites.overhang(figure) < 0.005
    marked = figure.axes[3].lines
    sizes = [len(line.get_xdata()) for line in marked[: len(names)]]
    assert sizes == [(found["class"] == name).sum() for name in names]


def summaries():
    table = made_columns.species_summary()
    return {"3 images": table[table["frames"] == 3], "one image": table[table["frames"] == 1]}


def test_accuracy_and_f1_of_vacancies_have_a_curve_per_number_of_images():
    found = made_columns.found_species()
    figure = mos2_species.draw(
        made_columns.images(), found, NAMES, truth(), summaries(), "Simulated MoS₂"
    )
    accuracy, f1 = figure.axes[4:6]
    assert_allclose(accuracy.lines[0].get_ydata(), [0.5, 0.8, 0.97, 0.98])
    assert_allclose(f1.lines[1].get_ydata(), 0.8 * np.array([0.5, 0.8, 0.97, 0.98]))
    words = made_sites.words(figure)
    sheets = "many simulated sheets"
    for said in ("3 images", "one image", f"{sheets}: accuracy", "10⁴ e/Å² in all"):
        assert said in words
    assert f"{sheets}: F1 of single S" in words


def test_models_are_named_by_their_number_of_images_or_else_by_name(tmp_path):
    path = tmp_path / "summary.csv"
    table = made_columns.species_summary()
    table.to_csv(path, index=False)
    read = score_tables.read_species([path], mos2_species.SUMMARY_COLUMNS)
    assert list(read) == ["3 images", "one image"]
    other = tmp_path / "other.csv"
    table[table["frames"] == 1].to_csv(other, index=False)
    table[table["frames"] == 3].to_csv(path, index=False)
    again = score_tables.read_species([other, path], mos2_species.SUMMARY_COLUMNS)
    assert list(again) == list(read)
    pd.concat([table, table.assign(model="mine")]).to_csv(path, index=False)
    read = score_tables.read_species([path], mos2_species.SUMMARY_COLUMNS)
    assert "mos2_single: one image" in read
    table.drop(columns="model").to_csv(path, index=False)
    with pytest.raises(InputError, match="the column 'model' is missing"):
        score_tables.read_species([path], mos2_species.SUMMARY_COLUMNS)
