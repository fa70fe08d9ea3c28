"""Species from focal series: what is marked, what is ringed, what the curves say."""

import made_columns
import numpy as np
import pages
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from atomsight.errors import InputError
from atomsight.figures import focal_series, mos2_species
from atomsight.figures.parts import column_tables, focal_panels, score_tables, species_panels

FOUND, TRUE = made_columns.found_species(), made_columns.true_species()
TRUTH = made_columns.truth(TRUE)


def draw_species(names=made_columns.SPECIES):
    table = made_columns.species_summary()
    summaries = {"3 images": table[table["frames"] == 3], "one image": table[table["frames"] == 1]}
    return mos2_species.draw(made_columns.images(), FOUND, names, TRUTH, summaries, "Simulated")


def test_sites_missed_or_named_wrongly_are_told_from_the_others():
    true = column_tables.match(FOUND, TRUE)
    named = species_panels.is_named(true, FOUND)
    assert list(np.flatnonzero(~named)) == [0, len(true) - 1]
    said = species_panels.named_text(true, FOUND, (-1, -1, 60, 60))
    assert said == "127 of 129 sites shown are named rightly"


def test_no_site_beyond_the_part_shown_is_ringed():
    """There it may lie outside of what all images show, and could not be found."""
    true = column_tables.match(FOUND, TRUE)
    first = true[["x_A", "y_A"]].to_numpy()[0]
    axes = Figure().subplots()
    species_panels.draw_mistakes(axes, true, FOUND, (*(first + 1), 99, 99))
    assert len(axes.lines[0].get_xdata()) == 1


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("known", [True, False])
def test_images_map_and_sites_show_one_part_with_a_scale_bar_each(count, known):
    maps, series = made_columns.class_maps(), made_columns.images(count)
    figure = focal_series.draw(
        series, maps, made_columns.SPECIES, FOUND, TRUTH if known else None, "Simulated MoS₂"
    )
    words = pages.assert_shows(figure, "Simulated MoS₂")
    assert ("named rightly" in words) == known
    maps = pages.maps(figure)
    assert len(maps) == count + (3 if known else 2)
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in maps}) == 1


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


@pytest.mark.parametrize("names", [made_columns.SPECIES, ("W", "Se2")])
def test_sites_have_the_mark_of_their_species(names):
    figure = draw_species(names)
    pages.assert_shows(figure)
    marked = figure.axes[3].lines
    sizes = [len(line.get_xdata()) for line in marked[: len(names)]]
    assert sizes == [(FOUND["class"] == name).sum() for name in names]


def test_accuracy_and_f1_of_vacancies_have_a_curve_per_number_of_images():
    figure = draw_species()
    accuracy, f1 = figure.axes[4:6]
    assert_allclose(accuracy.lines[0].get_ydata(), [0.5, 0.8, 0.97, 0.98])
    assert_allclose(f1.lines[1].get_ydata(), 0.8 * np.array([0.5, 0.8, 0.97, 0.98]))
    said = ("many simulated sheets: accuracy", "many simulated sheets: F1 of single S")
    pages.assert_shows(figure, *said, "3 images", "one image", "3·10⁴ e/Å² in all")


def test_models_are_named_by_their_number_of_images_or_else_by_name(tmp_path):
    table = made_columns.species_summary()
    one, three = table[table["frames"] == 1], table[table["frames"] == 3]

    def read(*parts):
        paths = [tmp_path / f"{number}.csv" for number in range(len(parts))]
        for part, path in zip(parts, paths, strict=True):
            part.to_csv(path, index=False)
        return list(score_tables.read_species(paths, mos2_species.SUMMARY_COLUMNS))

    assert read(table) == read(one, three) == ["3 images", "one image"]
    assert "mos2_single: one image" in read(table, table.assign(model="mine"))
    with pytest.raises(InputError, match="the column 'model' is missing"):
        read(table.drop(columns="model"))
