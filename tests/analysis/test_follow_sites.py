"""The script: columns, drift and substrate in, sites and their occupancy out."""

import numpy as np
import pandas as pd
import pytest
from made_lattices import drift_table, square
from numpy.testing import assert_allclose, assert_array_equal

import follow_sites
from atomsight.files import sealed, tables

PIXEL_A = 0.1
SHAPE = (300, 300)
COLUMNS = [
    *("site", "x_A", "y_A", "masked", "frames_in_view", "frames_seen", "occurrence", "events"),
    *("event_rate", *follow_sites.HOP_COLUMNS, "faint", "hopping"),
]
ERRORS = """dose_e_per_A2,miss_rate,miss_alpha,miss_beta,false_alpha,false_beta
300,0.05,2,38,1,99
3000,0.02,2,98,1,199
"""
#: 25 sites; the last row lies on the substrate. The rows fall a little, so that noise does not
#: change the order of the sites.
LATTICE = square(5, 5, 0) @ [[1, 0.1], [0, 1]] + 8.0


def hopping_truth(frames, rng):
    """Occupancy of 25 sites, of which number 7 changes in every fifth frame."""
    truth = np.ones((25, frames), bool)
    truth[7] = np.cumsum(rng.random(frames) < 0.2) % 2 == 0
    return truth


def write_series(folder, truth, rng, unused=()):
    frames = truth.shape[1]
    shifts_A = rng.uniform(-2, 2, (frames, 2))
    shifts_A[0] = 0
    site, frame = np.nonzero(truth)
    places_A = LATTICE[site] + shifts_A[frame] + rng.normal(0, 0.1, (len(site), 2))
    atoms = pd.DataFrame({"frame": frame, "x_A": places_A[:, 0], "y_A": places_A[:, 1]})
    seen = truth.sum(axis=0)
    drift = drift_table(shifts_A, unused).assign(columns=seen, matched=seen)
    facts = {"pixel_size_A": PIXEL_A, "frame_shape": (frames, *SHAPE)}
    for name, table in {"atoms": atoms, "drift": drift}.items():
        with sealed.create(folder / f"{name}.h5", facts) as file:
            tables.write_table(file, name, table)
    facts = {"pixel_size_A": PIXEL_A, "corner_A": np.array([-3.0, -3.0])}
    with sealed.create(folder / "substrate.h5", facts) as file:
        file["mask"] = np.arange(360)[:, None] * np.ones(360) >= (17.3 + 3) / PIXEL_A
        file["seen"] = np.full((360, 360), frames)
    return drift


@pytest.fixture
def follow(tmp_path):
    """Follow the sites of a series written there, and give what is in the file."""
    (tmp_path / "errors.csv").write_text(ERRORS)

    def run(*more):
        names = ("atoms.h5", "drift.h5", "substrate.h5", "sites.h5", "sites.csv")
        more = (tmp_path / word if word == "errors.csv" else word for word in more)
        given = [*(tmp_path / name for name in names), *more]
        assert follow_sites.main([str(word) for word in given]) == 0
        with sealed.open_to_read(tmp_path / "sites.h5") as file:
            return (
                tables.read_table(file, "sites"),
                file["occupied"][...],
                file["p_occupied"][...],
                tables.read_table(file, "drift"),
                dict(file.attrs),
            )

    return run


def assert_no_hop_rates(table, p_occupied):
    assert table[follow_sites.HOP_COLUMNS].isna().all(axis=None)
    assert not table[["faint", "hopping"]].any(axis=None)
    assert np.isnan(p_occupied).all()


def test_sites_occupancy_and_events_without_errors(tmp_path, follow, capsys):
    rng = np.random.default_rng(0)
    truth = hopping_truth(40, rng)
    truth[:, 30] = False
    drift = write_series(tmp_path, truth, rng, unused=(11, 30))
    table, occupied, p_occupied, copied, facts = follow()
    assert list(table) == COLUMNS
    assert_allclose(table[["x_A", "y_A"]], LATTICE, atol=0.1)
    expected = truth.astype(int)
    expected[:, [11, 30]] = -1
    assert_array_equal(occupied, expected)
    assert table["masked"].tolist() == [False] * 20 + [True] * 5
    seen = (expected[7] == 1).sum()
    assert table.loc[7, ["frames_in_view", "frames_seen"]].tolist() == [38, seen]
    changes = np.delete(np.diff(expected[7]) != 0, [10, 11, 29, 30])
    assert table.loc[7, "events"] == changes.sum()
    assert table.loc[7, "event_rate"] == pytest.approx(changes.mean())
    assert_no_hop_rates(table, p_occupied)
    pd.testing.assert_frame_equal(copied, drift)
    assert facts["frames_used"] == 38
    assert facts["frame_shape"].tolist() == [40, *SHAPE]
    assert np.isnan(facts["dose_e_per_A2"])
    text = pd.read_csv(tmp_path / "sites.csv")
    pd.testing.assert_frame_equal(text, table, rtol=1e-5, check_dtype=False)
    lines = capsys.readouterr().err.splitlines()
    assert lines[1].startswith("25 sites, 5 of them masked, over 38 frames; ")
    assert len(lines) == 2


def test_hops_are_told_from_errors_where_these_and_the_dose_are_known(tmp_path, follow):
    rng = np.random.default_rng(1)
    truth = hopping_truth(100, rng)
    write_series(tmp_path, truth & (rng.random(truth.shape) > 0.03), rng)
    table, _, p_occupied, _, facts = follow("--errors", "errors.csv", "--dose", 1000)
    assert np.flatnonzero(table["hopping"]).tolist() == [7]
    row = table.loc[7]
    assert row["hop_rate_low"] < 0.2 < row["hop_rate_high"]
    assert row["hop_rate_low"] < row["hop_rate"] < row["hop_rate_high"]
    masked = table["masked"].to_numpy()
    assert_no_hop_rates(table[masked], p_occupied[masked])
    assert table.loc[~masked, ["hop_rate", "p_static"]].notna().all(axis=None)
    assert p_occupied.dtype == np.float32
    assert ((p_occupied[7] > 0.5) == truth[7]).mean() > 0.95
    assert facts["dose_e_per_A2"] == 1000
    assert facts["confidence"] == 0.95


def test_a_column_that_is_missed_at_random_is_faint(tmp_path, follow, capsys):
    rng = np.random.default_rng(4)
    truth = hopping_truth(100, rng)
    truth[12] = rng.random(100) > 0.4
    write_series(tmp_path, truth, rng)
    table, _, p_occupied, *_ = follow("--errors", "errors.csv", "--dose", 1000)
    assert np.flatnonzero(table["faint"]).tolist() == [12]
    assert table.loc[12, ["hop_rate", "hop_rate_low", "hop_rate_high", "p_appear"]].isna().all()
    assert np.isnan(p_occupied[12]).all()
    assert table.loc[12, "p_static"] < 0.05
    assert "1 are faint" in capsys.readouterr().err


def test_the_file_says_the_confidence_of_its_intervals(tmp_path, follow):
    rng = np.random.default_rng(1)
    write_series(tmp_path, hopping_truth(60, rng), rng)
    widths = []
    for confidence in (0.95, 0.5):
        chosen = f'{{"confidence": {confidence}}}'
        table, *_, facts = follow("--errors", "errors.csv", "--dose", 1000, "--hops", chosen)
        assert facts["confidence"] == confidence
        widths.append(table.loc[7, "hop_rate_high"] - table.loc[7, "hop_rate_low"])
    assert widths[1] < 0.7 * widths[0]


DOSE = "the dose of a frame (dose_e_per_A2 in the sample sheet, --dose)"
MODEL = "the detection errors of the model (--errors)"


@pytest.mark.parametrize(
    ("errors", "dose", "reason"),
    [
        ([], [], f"they need {DOSE} and {MODEL}\n"),
        (["--errors", "errors.csv"], [], f"they need {DOSE}\n"),
        ([], ["--dose", 1000], f"they need {MODEL}\n"),
        (["--errors", "errors.csv"], ["--dose", 100], "measured from 300 to 3000 e/Å², not at 100"),
    ],
)
def test_without_errors_at_the_dose_occurrence_and_events_are_left(
    tmp_path, follow, errors, dose, reason, capsys
):
    rng = np.random.default_rng(11)
    write_series(tmp_path, hopping_truth(20, rng), rng)
    table, _, p_occupied, _, facts = follow(*errors, *dose)
    said = capsys.readouterr().err
    assert said.startswith("no hop rates: ")
    assert reason in said
    assert table["event_rate"].notna().all()
    assert table.loc[7, "events"] > 0
    assert_no_hop_rates(table, p_occupied)
    assert_array_equal(facts["dose_e_per_A2"], dose[1] if dose else np.nan)


def test_one_frame_has_occurrence_and_no_rates_and_a_warning(tmp_path, follow, capsys):
    rng = np.random.default_rng(3)
    write_series(tmp_path, hopping_truth(1, rng), rng)
    table = follow("--errors", "errors.csv", "--dose", 1000)[0]
    assert (table["occurrence"] == 1).all()
    assert table[["event_rate", "hop_rate"]].isna().all(axis=None)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "events and hops need at least two frames; one is used"
    assert len(lines) == 2
