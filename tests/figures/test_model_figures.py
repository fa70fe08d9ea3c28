"""How good a model is: what its pictures draw, and that their scripts refuse what they must."""

import numpy as np
import pytest
from made_scores import condition_scores, dose_scores, setting_scores
from numpy.testing import assert_allclose

import plot_model_conditions
import plot_model_doses
import plot_model_settings
from atomsight.figures import model_conditions, model_curves, model_doses, model_settings

PICTURES = [
    (plot_model_doses, dose_scores),
    (plot_model_conditions, condition_scores),
    (plot_model_settings, setting_scores),
]


def texts(figure):
    return [text.get_text() for text in figure.texts]


def shaded(axes):
    """Parts of the x axis that are hatched."""
    spans = [patch for patch in axes.patches if patch.get_hatch()]
    return [(span.get_x(), span.get_x() + span.get_width()) for span in spans]


@pytest.mark.parametrize(
    ("module", "made"),
    [
        (model_doses, dose_scores),
        (model_conditions, condition_scores),
        (model_settings, setting_scores),
    ],
)
def test_the_title_names_the_model_and_says_that_it_is_simulated(module, made):
    title = texts(module.draw(made(), "graphene"))[0]
    assert "Model graphene" in title
    assert "simulated" in title


def test_the_bound_stands_on_the_axes_of_the_error_in_picometres():
    table = dose_scores()
    axes = model_doses.draw(table, "graphene").axes[2]
    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert_allclose(lines["Cramér–Rao bound"], 100 * table["bound_A"])
    assert_allclose(lines["network"], 100 * table["rms_error_A"])
    assert_allclose(lines["peak finding"], 100 * table["peaks_rms_error_A"])


def test_doses_that_were_not_trained_are_shaded_half_way_to_those_that_were():
    ((start, stop),) = shaded(model_doses.draw(dose_scores(), "graphene").axes[0])
    assert start < 10
    assert_allclose(stop, 10**1.75)
    all_trained = dose_scores().assign(in_range=True)
    assert shaded(model_doses.draw(all_trained, "graphene").axes[0]) == []
    none = dose_scores().assign(in_range=False)
    assert model_curves.trained_doses(none) == (np.inf, np.inf)


def test_a_model_that_finds_nothing_can_be_drawn():
    table = dose_scores().assign(rms_error_A=np.nan, peaks_rms_error_A=np.nan, recall_edge=np.nan)
    figure = model_doses.draw(table, "graphene")
    figure.canvas.draw()
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[2].lines}
    assert np.isnan(lines["network"]).all()
    assert np.isfinite(lines["Cramér–Rao bound"]).all()


def test_a_condition_is_shaded_outside_its_own_range():
    axes = model_conditions.draw(condition_scores(), "graphene").axes
    assert [one.get_xlabel() for one in axes][:2] == [
        "defocus, underfocus positive (Å)",
        "spherical aberration Cs (µm)",
    ]
    (left, low), (high, right) = shaded(axes[0])
    assert_allclose([low, high], [-200, 200])
    assert left < -240 < 240 < right
    # There is no negative astigmatism, and only the flat sheet was trained.
    assert [len(shaded(one)) for one in axes] == [2, 1, 1, 1, 1, 1]
    assert 0 < shaded(axes[5])[0][0] < 2


def test_microscopes_that_do_not_resolve_a_bond_are_marked_and_left_out_of_the_mean():
    table = setting_scores()
    figure = model_settings.draw(table, "graphene")
    one = table[table["dose_e_per_A2"] == 316]
    panel = figure.axes[0]
    shown = sum(
        len(points.get_offsets()) for points in panel.collections if points.get_offsets().size
    )
    assert shown >= len(one)
    (text,) = [text.get_text() for text in panel.texts if "mean" in text.get_text()]
    mean = one.loc[one["resolves_bond"], "f1"].mean()
    assert f"mean {mean:.3f}" in text
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert f"resolves 1.42 Å: {one['resolves_bond'].sum()} of 30" in labels


@pytest.mark.parametrize(("script", "made"), PICTURES)
def test_the_scripts_draw_the_same_bytes_again(tmp_path, script, made):
    table = tmp_path / "table.csv"
    made().to_csv(table, index=False)
    drawn = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in drawn:
        assert script.main([str(path), str(table), "--model", "graphene"]) == 0
    assert drawn[0].read_bytes() == drawn[1].read_bytes()


@pytest.mark.parametrize(("script", "made"), PICTURES)
@pytest.mark.parametrize("wrong", ["f1", "dose_e_per_A2", "rows"])
def test_the_scripts_say_in_one_sentence_what_is_wrong(tmp_path, capsys, script, made, wrong):
    path, table = tmp_path / "table.csv", made()
    table = table[:0] if wrong == "rows" else table.drop(columns=wrong)
    table.to_csv(path, index=False)
    assert script.main([str(tmp_path / "figure.png"), str(path)]) == 1
    said = capsys.readouterr().err
    assert "there must be rows" in said if wrong == "rows" else f"'{wrong}' is missing" in said
    assert said.count("\n") == 1
