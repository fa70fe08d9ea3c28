"""Columns against dose and tilt: a curve per tilt, a panel per zone axis, peak finding dashed."""

import made_sites
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import plot_column_performance
from atomsight.figures import column_performance

TILTS = (0.0, 2.0, 5.0)


def scores(zone_axes=("110", "111"), tilts=TILTS):
    rows = [
        (axis, tilt, dose, 20, f1 - tilt / 50, 30 - 10 * f1, f1 / 2, 60 - 10 * f1)
        for axis in zone_axes
        for tilt in tilts
        for dose, f1 in ((1000, 0.9), (100, 0.5), (10000, 0.98))
    ]
    return pd.DataFrame(rows, columns=column_performance.COLUMNS)


def test_every_zone_axis_has_a_panel_for_f1_and_one_for_the_error():
    figure = column_performance.draw(scores())
    assert made_sites.overhang(figure) < 0.005
    words = made_sites.words(figure)
    for said in ("⟨110⟩", "⟨111⟩", "tilt 5°", "dose (e/Å²)", "rms error per axis (pm)"):
        assert said in words
    assert "Simulated particles" in words
    assert len(figure.axes) == 4
    assert len({axes.get_ylim() for axes in figure.axes[2:]}) == 1


@pytest.mark.parametrize("zone_axes", [("110",), ("100", "110", "111")])
def test_other_numbers_of_zone_axes_fit_too(zone_axes):
    assert made_sites.overhang(column_performance.draw(scores(zone_axes))) < 0.005


def test_a_curve_runs_over_rising_dose_and_peak_finding_beside_it_is_dashed():
    figure = column_performance.draw(scores())
    lines = figure.axes[0].lines
    assert len(lines) == 2 * len(TILTS)
    classical, network = lines[2:4]
    assert_allclose(network.get_xdata(), [100, 1000, 10000])
    assert_allclose(network.get_ydata(), np.array([0.5, 0.9, 0.98]) - 2 / 50)
    assert_allclose(classical.get_ydata(), [0.25, 0.45, 0.49])
    assert classical.is_dashed()
    assert not network.is_dashed()
    assert classical.get_color() == network.get_color()


def test_scores_that_were_not_measured_leave_a_gap():
    table = scores().assign(rms_error_pm=np.nan, classical_rms_error_pm=np.nan)
    assert made_sites.overhang(column_performance.draw(table)) < 0.005


def test_the_script_draws_the_same_bytes_again(tmp_path):
    table = tmp_path / "columns.csv"
    scores().to_csv(table, index=False)
    drawn = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in drawn:
        assert plot_column_performance.main([str(path), str(table)]) == 0
    assert drawn[0].read_bytes() == drawn[1].read_bytes()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "does not exist"),
        (scores().drop(columns="classical_f1"), "the column 'classical_f1' is missing"),
        (scores().assign(dose_e_per_A2=0), "doses above zero"),
        (scores()[:0], "doses above zero"),
    ],
)
def test_the_script_says_in_one_sentence_what_is_wrong(tmp_path, capsys, table, message):
    path = tmp_path / "columns.csv"
    if table is not None:
        table.to_csv(path, index=False)
    assert plot_column_performance.main([str(tmp_path / "figure.png"), str(path)]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
