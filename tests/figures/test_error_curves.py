"""Curves and bars of counting errors: what stands in them is what stands in the tables."""

import made_columns
import numpy as np
import pages
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from atomsight.errors import InputError
from atomsight.figures import height_errors, image_count
from atomsight.figures.parts import error_curves, score_tables


def network(factor=1.0):
    table = made_columns.summary(("network",))
    return table.assign(exact=factor * table["exact"])


@pytest.mark.parametrize(
    ("dose", "text"),
    [(316.2, "316 e/Å²"), (1000, "10³ e/Å²"), (31623, "3.2·10⁴ e/Å²"), (99999, "10⁵ e/Å²")],
)
def test_doses_are_written_as_microscopists_write_them(dose, text):
    assert error_curves.dose_text(dose) == text


def test_ranges_of_tilts_rise_and_the_network_comes_first():
    table = made_columns.summary().sample(frac=1, random_state=0)
    assert score_tables.tilt_ranges(table) == [(0, tilt) for tilt in made_columns.TILTS]
    assert error_curves.method_order(table) == [*made_columns.METHODS, "column_library"]
    assert score_tables.nearest_dose(table, 3e3) == 1e3
    assert score_tables.nearest_dose(table, 4e3) == 1e4


def test_errors_of_all_sizes_and_the_missed_add_up():
    table = made_columns.summary()
    shares = error_curves.error_shares(table)
    assert list(shares) == list(error_curves.ERRORS)
    assert_allclose(sum(shares.values()) + table["exact"], 1)
    assert_allclose(shares["missed"], 0.1 * (1 - table["exact"]))


def test_bars_stand_on_each_other_and_carry_the_sum_in_percent():
    axes = Figure().add_subplot()
    rows = score_tables.of_tilt(network(), (0.0, 0.5))
    error_curves.draw_error_sizes(axes, rows)
    tops = np.array([[bar.get_y() + bar.get_height() for bar in bars] for bars in axes.containers])
    assert_allclose(tops[-1], 1 - rows["exact"])
    assert [text.get_text() for text in axes.texts][-1] == "5.3"


def test_a_confusion_matrix_shares_out_the_columns_of_a_height():
    rows = made_columns.confusion().query("method == 'network'")
    shares = error_curves.confusion_shares(rows, 5)
    assert_allclose(shares.sum(axis=1), 1)
    assert_allclose(shares[:, 0], 0.1)
    assert_allclose(np.diag(shares[:, 1:]), 0.9)
    one = rows[rows["true_height"].isin([0, 5])]
    assert np.isnan(error_curves.confusion_shares(one, 5)[0]).all()
    capped = error_curves.confusion_shares(rows, 4)
    assert_allclose(capped[-1], [0.1, 0, 0, 0, 0.9])


def test_a_confusion_matrix_reaches_to_the_last_class_of_the_model():
    rows = made_columns.confusion().query("method == 'network'")
    axes = Figure().add_subplot()
    error_curves.draw_confusion(axes, rows, 7)
    across = [label.get_text() for label in axes.get_xticklabels()]
    assert across == ["missed", "1", "2", "3", "4", "5", "6", "≥7"]
    assert [label.get_text() for label in axes.get_yticklabels()] == across[1:]
    assert np.isnan(error_curves.confusion_shares(rows, 7)[5:]).all()


def test_pooled_bins_keep_their_means():
    bins = pd.DataFrame({"confidence": [0.61, 0.69, 1.0], "columns": [1, 3, 5], "exact": 0.5})
    pooled = score_tables.pooled(bins)
    assert_allclose(pooled["confidence"], [0.67, 1.0])
    assert_allclose(pooled["columns"], [4, 5])
    assert_allclose(pooled["exact"], 0.5)


@pytest.mark.parametrize("tilts", [1, 3])
@pytest.mark.parametrize("methods", [("network",), ("network", "column_library", "mine")])
def test_every_method_and_tilt_has_its_bars_and_all_fits(methods, tilts):
    table = made_columns.summary(methods)
    table = table[table["tilt_high_deg"] <= made_columns.TILTS[tilts - 1]]
    figure = height_errors.draw(table)
    assert len(figure.axes) == tilts * len(methods)
    said = ("Simulated", "200 columns per bar", "by 3 or more", "missed", "tilt up to 0.5°")
    pages.assert_shows(figure, *said)


def test_every_number_of_images_has_a_curve_in_every_panel():
    figure = image_count.draw({"1": network(0.8), "3 images": network(), "5": network()})
    pages.assert_shows(figure, "Simulated", "3 images")
    assert len(figure.axes) == 3
    assert all(len(axes.lines) == 3 for axes in figure.axes)
    first = figure.axes[0].lines[0]
    assert_allclose(first.get_ydata(), 0.8 * np.array(network()["exact"][:4]))


def test_a_summary_without_a_network_is_refused():
    with pytest.raises(InputError, match="no row has the method 'network'"):
        score_tables.of_network(made_columns.summary(("column_library",)), "summary.csv")
