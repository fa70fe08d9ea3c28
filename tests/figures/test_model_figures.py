"""How good a model is, against the dose and all else: its curves, panels and shaded ranges."""

import numpy as np
import pages
import pytest
from made_files import OF_TABLE
from made_scores import TILTS, column_scores, condition_scores, dose_scores, setting_scores
from matplotlib.collections import PathCollection
from numpy.testing import assert_allclose

from atomsight import figures
from atomsight.figures.parts import model_curves


def shaded(axes):
    """Parts of the x axis that are hatched."""
    spans = [patch for patch in axes.patches if patch.get_hatch()]
    return [(span.get_x(), span.get_x() + span.get_width()) for span in spans]


@pytest.mark.parametrize("name", ["model_doses", "model_conditions", "model_settings"])
def test_the_title_names_the_model_and_says_that_it_is_simulated(name):
    figure = figures.FIGURES[name].draw(OF_TABLE[name][1](), "graphene")
    assert figure.texts[0].get_text().startswith("Model graphene on simulated ")


def test_the_bound_stands_on_the_axes_of_the_error_in_picometres():
    axes = figures.model_doses.draw(dose_scores(), "graphene").axes[2]
    table = dose_scores().query("camera == 'main'")
    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert_allclose(lines["Cramér–Rao bound"], 100 * table["bound_A"])
    assert_allclose(lines["network"], 100 * table["rms_error_A"])
    assert_allclose(lines["peak finding"], 100 * table["peaks_rms_error_A"])


def test_doses_that_were_not_trained_are_shaded_half_way_to_those_that_were():
    ((start, stop),) = shaded(figures.model_doses.draw(dose_scores(), "graphene").axes[0])
    assert start < 10
    assert_allclose(stop, 10**1.75)
    all_trained = dose_scores().assign(in_range=True)
    assert shaded(figures.model_doses.draw(all_trained, "graphene").axes[0]) == []
    none = dose_scores().assign(in_range=False)
    assert model_curves.trained_doses(none) == (np.inf, np.inf)


def test_other_cameras_are_hollow_where_the_model_was_not_trained_on_them():
    figure = figures.model_doses.draw(dose_scores(), "graphene")
    pages.assert_shows(figure)
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    ideal, direct = (lines[f"F1, {name} camera"] for name in ("ideal", "direct"))
    assert_allclose(ideal.get_ydata(), 0.8)
    assert ideal.get_markerfacecolor() == "white"
    assert direct.get_markerfacecolor() == "black"
    assert len(lines["F1"].get_ydata()) == len(dose_scores().query("camera == 'main'"))


def test_a_model_that_finds_nothing_can_be_drawn():
    table = dose_scores().assign(rms_error_A=np.nan, peaks_rms_error_A=np.nan, recall_edge=np.nan)
    figure = figures.model_doses.draw(table, "graphene")
    figure.canvas.draw()
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[2].lines}
    assert np.isnan(lines["network"]).all()
    assert np.isfinite(lines["Cramér–Rao bound"]).all()


def test_a_condition_is_shaded_outside_its_own_range():
    figure = figures.model_conditions.draw(condition_scores(), "graphene")
    pages.assert_shows(figure, "defocus, underfocus positive (Å)", "spherical aberration Cs (µm)")
    axes = figure.axes
    (left, low), (high, right) = shaded(axes[0])
    assert_allclose([low, high], [-200, 200])
    assert left < -240 < 240 < right
    # There is no negative astigmatism, and only the flat sheet was trained.
    assert [len(shaded(one)) for one in axes] == [2, 1, 1, 1, 1, 1]
    assert 0 < shaded(axes[5])[0][0] < 2


def test_microscopes_that_do_not_resolve_a_bond_are_marked_and_left_out_of_the_mean():
    table = setting_scores()
    figure = figures.model_settings.draw(table, "graphene")
    one = table[table["dose_e_per_A2"] == 316]
    marks = [points for points in figure.axes[0].collections if isinstance(points, PathCollection)]
    assert sum(len(points.get_offsets()) for points in marks) == len(one)
    mean = one.loc[one["resolves_bond"], "f1"].mean()
    pages.assert_shows(
        figure, f"mean {mean:.3f}", f"resolves 1.42 Å: {one['resolves_bond'].sum()} of 30"
    )


def test_position_errors_on_graphene_are_drawn_in_picometres_over_the_dose():
    table = dose_scores()
    table.loc[0, "rms_error_A"] = np.nan
    figure = figures.dose_performance.draw(table)
    assert figure.texts[0].get_text() == "Simulated polycrystalline graphene"
    (line,) = figure.axes[1].lines
    table = table.query("camera == 'main'")
    assert_allclose(line.get_xdata(), table["dose_e_per_A2"])
    assert_allclose(line.get_ydata(), 100 * table["rms_error_A"])


@pytest.mark.parametrize("zone_axes", [("110",), ("110", "111"), ("100", "110", "111")])
def test_every_zone_axis_has_a_panel_for_f1_and_one_for_the_error(zone_axes):
    figure = figures.column_performance.draw(column_scores(zone_axes))
    names = (f"⟨{axis}⟩" for axis in zone_axes)
    labels = ("tilt 5°", "dose (e/Å²)", "rms error per axis (pm)", "Simulated particles")
    pages.assert_shows(figure, *names, *labels)
    assert len(figure.axes) == 2 * len(zone_axes)
    assert len({axes.get_ylim() for axes in figure.axes[len(zone_axes) :]}) == 1


def test_a_curve_runs_over_rising_dose_and_peak_finding_beside_it_is_dashed():
    figure = figures.column_performance.draw(column_scores())
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
    pages.assert_shows(figures.column_performance.draw(table))
