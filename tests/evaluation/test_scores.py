"""Scores on cases small enough to count by hand."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from made_inputs import run, settings
from numpy.testing import assert_allclose

from atomsight.evaluation import scores
from atomsight.files import sealed, tables
from atomsight.phantoms.acquisition import Truth, write_truth

VIEW_A = (20.0, 10.0)


def test_counts_of_a_hand_made_case():
    true = np.array([[4.0, 5.0], [8.0, 5.0], [12.0, 5.0], [16.0, 5.0]])
    found = np.array([[4.3, 5.0], [8.0, 5.1], [12.0, 5.0], [10.0, 3.0], [10.0, 7.0]])
    result = scores.detection_scores(found, true, VIEW_A)
    assert (result.true_positives, result.false_positives, result.false_negatives) == (3, 2, 1)
    assert_allclose(result.precision, 3 / 5)
    assert_allclose(result.recall, 3 / 4)
    assert_allclose(result.f1, 2 / 3)
    assert_allclose(result.rms_error_A, np.sqrt((0.3**2 + 0.1**2) / 3 / 2))


@pytest.mark.parametrize(
    ("true_x", "found_x"), [(1.9, 2.1), (2.1, 1.9), (18.1, 17.9), (17.9, 18.1)]
)
def test_an_atom_at_the_cut_is_no_error(true_x, found_x):
    result = scores.detection_scores(np.array([[found_x, 5.0]]), np.array([[true_x, 5.0]]), VIEW_A)
    assert (result.false_positives, result.false_negatives) == (0, 0)


def test_rim_does_not_count_along_either_axis():
    true = np.array([[1.0, 5.0], [19.0, 5.0], [10.0, 1.0], [10.0, 9.0]])
    result = scores.detection_scores(np.empty((0, 2)), true, VIEW_A)
    assert result.false_negatives == 0
    result = scores.detection_scores(true, np.empty((0, 2)), VIEW_A)
    assert result.false_positives == 0


def test_nothing_found_scores_zero():
    result = scores.detection_scores(np.empty((0, 2)), np.array([[5.0, 5.0]]), VIEW_A)
    assert (result.precision, result.recall, result.f1) == (0, 0, 0)
    assert np.isnan(result.rms_error_A)


def test_position_error_is_per_axis():
    rng = np.random.default_rng(0)
    true = np.stack(np.meshgrid(np.arange(3.0, 97, 2), np.arange(3.0, 97, 2)), -1).reshape(-1, 2)
    found = true + rng.normal(0, 0.05, true.shape)
    assert_allclose(scores.detection_scores(found, true, (99, 99)).rms_error_A, 0.05, rtol=0.05)


def test_recall_is_told_by_region():
    true = np.array([[4.0, 5.0], [8.0, 5.0], [12.0, 5.0]])
    region = np.array(["grain", "boundary", "boundary"])
    recall = scores.recall_by_region(true[:2], true, region, VIEW_A)
    assert recall == {"grain": 1.0, "boundary": 0.5}


def test_strain_scores_of_a_constant_error():
    true = np.random.default_rng(0).normal(0, 0.02, (50, 3))
    measured = true + np.array([0.01, 0.03, 0.002])
    measured[7] = np.nan
    result = scores.strain_scores(measured, true, relative=False)
    assert result.strained_atoms == 49
    assert_allclose(result.planar_bias, 0.02)
    assert_allclose(result.planar_rms, 0.02)
    assert_allclose([result.e_xx_rms, result.e_yy_rms, result.e_xy_rms], [0.01, 0.03, 0.002])


def test_relative_strain_is_blind_to_the_pixel_size():
    """A picture whose pixels are said to be 1.5 % too large stretches every neighbourhood."""
    true = np.random.default_rng(0).normal(0.01, 0.02, (50, 3))
    unit = np.array([1, 1, 0])
    stretch = (true + unit) * 1.015
    measured = stretch / stretch[:, :2].mean() - unit
    result = scores.strain_scores(measured, true, relative=True)
    assert_allclose(dataclasses.astuple(result)[1:], 0, atol=1e-12)


def test_strain_without_known_atoms_is_not_a_number():
    result = scores.strain_scores(np.full((3, 3), np.nan), np.zeros((3, 3)))
    assert result.strained_atoms == 0
    assert np.isnan(result.planar_rms)


SCORE = "score atoms atoms.h5 truth.h5 scores.csv"


def write(folder, name, table, **attributes):
    with sealed.create(folder / f"{name}.h5", attributes) as file:
        tables.write_table(file, name, table)


@pytest.fixture
def folder(tmp_path):
    """The truth about three atoms in two regions."""
    true = pd.DataFrame({"x_A": [4.0, 8.0, 12.0], "y_A": [5.0, 5.0, 6.0]})
    true["region"] = ["grain", "grain", "boundary"]
    true = true.assign(e_xx=[0.01, 0.02, 0.03], e_yy=0.0, e_xy=0.0, planar=[0.005, 0.01, 0.015])
    write_truth(tmp_path / "truth.h5", Truth(true, VIEW_A), {})
    return tmp_path


def test_script_scores_atoms_and_strain(folder, capsys):
    found = pd.DataFrame({"frame": 0, "atom": [0, 1], "x_A": [4.0, 8.0], "y_A": 5.0})
    write(folder, "atoms", found)
    write(folder, "strain", found.assign(e_xx=[0.01, 0.02], e_yy=0.0, e_xy=0.0))
    assert run(f"{SCORE} --strain strain.h5 {settings(relative=False)}", folder) == 0
    (row,) = pd.read_csv(folder / "scores.csv").to_dict("records")
    assert row["true_positives"] == 2
    assert row["false_negatives"] == 1
    assert_allclose(row["f1"], 0.8, rtol=1e-5)
    assert_allclose([row["recall_grain"], row["recall_boundary"]], [1, 0])
    assert_allclose([row["planar_rms"], row["planar_bias"]], 0, atol=1e-12)
    assert row["strained_atoms"] == 2
    assert "f1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("places_A", "frames", "attributes", "found"),
    [
        ([4, 8, 4], [0, 0, 3], {}, [2, 0, 0, 1]),
        ([4], [0], {"frame_shape": (3, 100, 100)}, [1, 0, 0]),
        ([], [], {}, [0]),
    ],
)
def test_script_scores_every_frame(folder, places_A, frames, attributes, found):
    places_A = np.array(places_A, float)
    table = pd.DataFrame({"frame": frames, "atom": 0, "x_A": places_A, "y_A": 5.0})
    write(folder, "atoms", table, **attributes)
    assert run(SCORE, folder) == 0
    result = pd.read_csv(folder / "scores.csv")
    assert result["frame"].tolist() == list(range(len(found)))
    assert result["true_positives"].tolist() == found
    assert_allclose(result["recall"], np.array(found) / 3, rtol=1e-5)
