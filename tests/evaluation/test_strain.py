"""The evaluation of bond lengths and strain on simulated sheets."""

import numpy as np
import pandas as pd
import pytest
from made_inputs import RANGES, run, settings
from made_models import ATOM_CARD, save_tiny_model
from numpy.testing import assert_allclose

from atomsight.config.analysis import StrainSettings
from atomsight.config.evaluation import StrainEvaluationSettings
from atomsight.evaluation import lattice_bound, position_bound, strain
from atomsight.phantoms import acquisition, specimens

SMALL = {
    "pristine": {"size_A": [46, 46], "ripple_A": 0.0},
    "strained": {"size_A": [46, 46], "hole_radius_A": 0.0, "planar_strain": 0.02},
    "doses_e_per_A2": [1000, 100000],
    "acquisition": {"rows": 320, "columns": 320},
}
LATTICE = StrainSettings()


@pytest.fixture(scope="module")
def chosen():
    return StrainEvaluationSettings.parse(SMALL, "strain_evaluation")


def sheet(chosen, kind):
    make = {"pristine": specimens.pristine_sheet, "strained": specimens.strained_sheet}[kind]
    return acquisition.truth_in_view(*make(getattr(chosen, kind)), chosen.acquisition)


def score(truth, chosen, error_A=0.0, seed=1):
    """Score positions that err at random."""
    true = truth.atoms[["x_A", "y_A"]].to_numpy()
    found = true + np.random.default_rng(seed).normal(0, error_A, true.shape)
    return strain.score(found, truth, chosen, LATTICE)


def test_perfect_positions_have_the_true_bonds_and_no_error_of_strain(chosen):
    pristine = score(sheet(chosen, "pristine"), chosen)
    assert_allclose(pristine["bond_mean_A"], 1.42, atol=1e-9)
    assert_allclose(pristine["bond_std_A"], 0, atol=1e-7)
    assert pristine["bonds"] > 500
    strained = score(sheet(chosen, "strained"), chosen)
    assert strained["true_bond_std_A"] > 0.005
    assert_allclose(strained["bond_std_A"], strained["true_bond_std_A"])
    assert strained["planar_rms"] < 2e-3


def test_independent_errors_spread_the_bonds_by_their_root_of_two(chosen):
    """And intervals hold what is expected in all likelihood, without being wide."""
    row = score(sheet(chosen, "pristine"), chosen, error_A=0.04)
    expected_A = np.sqrt(2) * 0.04
    assert 0.8 * row["bond_std_A_low"] < expected_A < 1.2 * row["bond_std_A_high"]
    assert row["bond_std_A_low"] < row["bond_std_A"] < row["bond_std_A_high"]
    assert row["bond_std_A_high"] < 1.3 * row["bond_std_A_low"]
    assert row["bond_mean_A_low"] < row["bond_mean_A"] < row["bond_mean_A_high"]
    assert row["planar_rms_low"] < row["planar_rms"] < row["planar_rms_high"]
    assert abs(row["planar_bias"]) < 0.002


def test_intervals_hold_the_truth_about_as_often_as_they_say(chosen):
    truth = sheet(chosen, "pristine")
    table = pd.DataFrame([score(truth, chosen, 0.03, seed) for seed in range(40)])
    long_run = table["bond_std_A"].mean()
    held = table["bond_std_A_low"].lt(long_run) & table["bond_std_A_high"].gt(long_run)
    assert held.mean() > 0.75


def test_nothing_found_is_no_bond_and_no_strain(chosen):
    row = strain.score(np.empty((0, 2)), sheet(chosen, "pristine"), chosen, LATTICE)
    assert (row["bonds"], row["strained_atoms"]) == (0, 0)
    assert np.isnan([row["bond_std_A"], row["bond_std_A_high"], row["planar_rms"]]).all()


@pytest.fixture
def _free_bound(monkeypatch):
    """The bound of the positions takes seconds and is tested elsewhere."""
    monkeypatch.setattr(lattice_bound, "lattice_bound", lambda _, doses: (np.ones(len(doses)),) * 2)


def test_independent_errors_add_up_in_bonds_and_average_out_in_strain():
    sheet = position_bound.periodic_sheet(position_bound.BoundSettings())
    covariance_A2 = 0.04**2 * np.eye(2 * len(sheet.sites))
    covariance_A2[0, 0] = np.inf  # at the edge, where nobody asks
    bond_A2, planar2 = lattice_bound.lattice_variances(sheet, covariance_A2, 4.0)
    assert_allclose(np.sqrt(bond_A2), np.sqrt(2) * 0.04, rtol=1e-6)
    # The moment of three neighbours at 1.42 and six at 2.46 Å is 21.2 Å² along either axis.
    assert_allclose(np.sqrt(planar2), 0.04 * np.sqrt(0.5 / 21.17), rtol=1e-3)


def test_a_shift_of_everything_changes_neither_bonds_nor_strain():
    sheet = position_bound.periodic_sheet(position_bound.BoundSettings())
    together = np.tile(np.eye(2), (len(sheet.sites), len(sheet.sites)))
    assert_allclose(lattice_bound.lattice_variances(sheet, together, 1.5), 0, atol=1e-12)


@pytest.mark.usefixtures("_free_bound")
def test_peaks_come_near_the_truth_at_a_high_dose(chosen):
    table = strain.evaluate(chosen, LATTICE, lambda image: np.empty((0, 2)), RANGES)
    assert list(table["in_range"].unique()) == [True, False]
    assert list(table["specimen"].unique()) == ["pristine", "strained"]
    peaks = table[(table["method"] == "peaks") & (table["specimen"] == "pristine")]
    low, high = peaks.set_index("dose_e_per_A2").loc[[1000, 100000], "bond_std_A"]
    assert high < 0.12
    assert high < low
    assert_allclose(peaks["bond_mean_A"].iloc[-1], 1.42, atol=0.03)


@pytest.mark.usefixtures("_free_bound")
def test_the_script_writes_one_row_per_sheet_dose_and_method(tmp_path):
    save_tiny_model(tmp_path / "model", ATOM_CARD.but(microscope=RANGES))
    few = settings(**SMALL | {"doses_e_per_A2": [1000], "resamples": 100})
    assert run(f"evaluate strain model strain.csv {few}", tmp_path) == 0
    table = pd.read_csv(tmp_path / "strain.csv")
    assert len(table) == 4
    assert set(table["method"]) == {"network", "peaks"}
