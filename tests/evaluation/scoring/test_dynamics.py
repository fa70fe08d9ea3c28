"""Sites and hop rates of a simulated series against the truth."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from made_inputs import run, settings
from numpy.testing import assert_allclose

from atomsight.evaluation.scoring import dynamics
from atomsight.evaluation.scoring.dynamics import Followed
from atomsight.files import sealed, tables
from atomsight.phantoms.acquisition import AcquisitionSettings
from atomsight.phantoms.sequence_truth import SequenceTruth, write_truth

FRAMES = 6
TRUE_DRIFT = np.stack([0.5 * np.arange(FRAMES), -0.2 * np.arange(FRAMES)], axis=1)


@pytest.fixture
def true():
    """Two dynamic and two static sites, and one that is never there."""
    occupied = np.array([[1, 1, 0, 0, 1, 1], [0, 0, 0, 1, 1, 0], [1] * 6, [1] * 6, [0] * 6], bool)
    sites = pd.DataFrame({"site": range(5), "x_A": [10.0, 13.0, 16.0, 19.0, 22.0], "y_A": 10.0})
    sites["dynamic"] = [True, True, False, False, True]
    sites["hop_rate"] = [0.2, 0.4, np.nan, np.nan, 0.01]
    return SequenceTruth(sites, occupied, TRUE_DRIFT, field_of_view_A=(40.0, 30.0))


@pytest.fixture
def found(true):
    """Frame 0 is not used; the first four sites are found, and one that does not exist."""
    reference = true.sites[["x_A", "y_A"]].to_numpy()[:4] + TRUE_DRIFT[1]
    positions = np.concatenate([reference[::-1] + np.array([0.1, 0]), [[30.0, 20.0]]])
    occupied = np.concatenate([true.occupied[:4][::-1], np.zeros((1, 6), np.int8)])
    occupied[0, 3] = 0  # one miss at a static site
    occupied[:, 0] = -1
    smoothed = np.concatenate([true.occupied[:4][::-1] * 0.8 + 0.1, np.zeros((1, 6))])
    drift = TRUE_DRIFT - TRUE_DRIFT[1]
    drift[0] = np.nan
    drift[2, 0] += 0.1
    drift = pd.DataFrame(drift, columns=["x_A", "y_A"])
    sites = pd.DataFrame(positions, columns=["x_A", "y_A"]).assign(
        site=range(5),
        masked=False,
        event_rate=[0.5, 0.0, 0.5, 0.5, 0.0],
        hop_rate=[0.1, 0.0, 0.5, 0.3, 0.0],
        hop_rate_low=[0.05, 0.0, 0.45, 0.1, 0.0],
        hop_rate_high=[0.3, 0.1, 0.6, 0.5, 0.1],
        p_static=[0.03, 1.0, 1e-4, 0.2, 1.0],
        faint=False,
        hopping=[False, False, True, False, False],
    )
    return Followed(
        sites,
        occupied,
        p_occupied=smoothed.astype(np.float32),
        drift=drift.assign(frame=range(FRAMES), columns=4, matched=4, used=drift["x_A"].notna()),
    )


def score(found, true):
    return dynamics.score_dynamics(found, true, radius_A=0.5, border_A=2.0)


def test_scores_by_hand(found, true):
    scores, table = score(found, true)
    assert table["true_site"].tolist() == [3, 2, 1, 0]
    assert_allclose(table["error_A"], 0.1)
    assert table["covered"].tolist() == [False, True, False, True]
    counts = {"true_sites": 4, "true_sites_found": 4, "dynamic_sites": 2, "dynamic_sites_found": 2}
    expected = counts | {"false_sites": 1, "masked": 0, "false_calls": 0, "sensitivity": 0.5}
    for kind, coverage, rate in (("all", 0.5, 0.15), ("dynamic", 0.5, 0.3), ("static", 0.5, 0)):
        expected |= {f"coverage_{kind}": coverage, f"true_rate_{kind}": rate}
    biases = {"dynamic": (0.1, 0.2), "static": (0.05, 0.25), "relative": (1 / 3, 2 / 3)}
    for of, (hop_rate, event_rate) in biases.items():
        expected |= {f"hop_rate_bias_{of}": hop_rate, f"event_rate_bias_{of}": event_rate}
    expected |= {"occupancy_error_raw": 1 / 20, "occupancy_error_smoothed": 0}
    expected |= {"faint_dynamic": 0, "faint_static": 0}
    expected |= {"hop_rate_dynamic": 0.4, "drift_rms_A": np.sqrt(0.1**2 / 10)}
    assert {name: scores[name] for name in expected} == pytest.approx(expected)


def test_masked_sites_are_found_but_not_scored(found, true):
    masked = dataclasses.replace(found, sites=found.sites.assign(masked=[0, 0, 1, 0, 1]))
    scores, _ = score(masked, true)
    assert (scores["true_sites_found"], scores["masked"], scores["false_sites"]) == (4, 1, 0)
    assert scores["coverage_dynamic"] == 1
    assert scores["true_rate_dynamic"] == pytest.approx(0.2)


def test_faint_sites_are_counted_and_their_rates_are_not_scored(found, true):
    faint = found.sites.assign(faint=[True, False, False, True, False])
    faint.loc[faint["faint"], ["hop_rate", "hop_rate_low", "hop_rate_high"]] = np.nan
    scores, table = score(dataclasses.replace(found, sites=faint), true)
    assert table["faint"].tolist() == [True, False, False, True]
    expected = {"faint_dynamic": 1, "faint_static": 1, "coverage_dynamic": 0, "coverage_static": 1}
    expected |= {"hop_rate_static": 0, "hop_rate_dynamic": 0.5, "sensitivity": 0.5}
    assert {name: scores[name] for name in expected} == pytest.approx(expected)


def test_the_rim_does_not_count(found, true):
    narrow = dataclasses.replace(true, field_of_view_A=(20.0, 30.0))
    scores, table = score(found, narrow)
    assert (scores["true_sites"], scores["false_sites"]) == (3, 0)
    assert 3 not in table["true_site"].tolist()


def test_without_hop_rates_the_rest_is_scored(found, true):
    names = ["hop_rate", "hop_rate_low", "hop_rate_high", "p_static"]
    bare = dataclasses.replace(
        found,
        sites=found.sites.assign(**dict.fromkeys(names, np.nan), hopping=False),
        p_occupied=np.full((5, FRAMES), np.nan),
    )
    scores, _ = score(bare, true)
    assert np.isnan([scores["coverage_all"], scores["occupancy_error_smoothed"]]).all()
    assert scores["occupancy_error_raw"] == pytest.approx(1 / 20)


def test_nothing_found_is_no_error(found, true):
    by_site = ("sites", "occupied", "p_occupied")
    nothing = dataclasses.replace(found, **{name: getattr(found, name)[:0] for name in by_site})
    scores, table = score(nothing, true)
    assert len(table) == 0
    assert (scores["true_sites"], scores["true_sites_found"]) == (4, 0)
    assert np.isnan(scores["coverage_all"])


# The script


def test_the_script_writes_one_row_and_the_sites(found, true, tmp_path, capsys):
    with sealed.create(tmp_path / "sites.h5", {}) as file:
        tables.write_table(file, "sites", found.sites)
        tables.write_table(file, "drift", found.drift)
        file.create_dataset("occupied", data=found.occupied)
        file.create_dataset("p_occupied", data=found.p_occupied)
    write_truth(tmp_path / "truth.h5", true, AcquisitionSettings(), {})
    line = f"score dynamics sites.h5 truth.h5 scores.csv --table table.csv {settings(radius_A=0.5)}"
    assert run(line, tmp_path) == 0
    (row,) = pd.read_csv(tmp_path / "scores.csv").to_dict("records")
    assert row["coverage_all"] == 0.5
    assert len(pd.read_csv(tmp_path / "table.csv")) == 4
    assert "coverage_dynamic" in capsys.readouterr().out
