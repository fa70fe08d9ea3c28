"""Columns against dose and tilt: a curve per tilt, a panel per zone axis, peak finding dashed."""

import made_sites
import numpy as np
import pytest
from made_scores import TILTS, column_scores
from numpy.testing import assert_allclose

from atomsight.figures import column_performance


def test_every_zone_axis_has_a_panel_for_f1_and_one_for_the_error():
    figure = column_performance.draw(column_scores())
    assert made_sites.overhang(figure) < 0.005
    words = made_sites.words(figure)
    for said in ("⟨110⟩", "⟨111⟩", "tilt 5°", "dose (e/Å²)", "rms error per axis (pm)"):
        assert said in words
    assert "Simulated particles" in words
    assert len(figure.axes) == 4
    assert len({axes.get_ylim() for axes in figure.axes[2:]}) == 1


@pytest.mark.parametrize("zone_axes", [("110",), ("100", "110", "111")])
def test_other_numbers_of_zone_axes_fit_too(zone_axes):
    assert made_sites.overhang(column_performance.draw(column_scores(zone_axes))) < 0.005


def test_a_curve_runs_over_rising_dose_and_peak_finding_beside_it_is_dashed():
    figure = column_performance.draw(column_scores())
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
    table = column_scores().assign(rms_error_pm=np.nan, classical_rms_error_pm=np.nan)
    assert made_sites.overhang(column_performance.draw(table)) < 0.005
