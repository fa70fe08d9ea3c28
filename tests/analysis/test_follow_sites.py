"""The script: columns, drift and substrate in, sites and their occupancy out."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import follow_sites
from atomsight.files import sealed, tables

PIXEL_A = 0.1
SHAPE = (300, 300)
COLUMNS = [
    *("site", "x_A", "y_A", "masked", "frames_in_view", "frames_seen", "occurrence", "events"),
    *("event_rate", "hop_rate", "hop_rate_low", "hop_rate_high", "p_appear", "p_vanish"),
    *("p_static", "hopping"),
]
ERRORS = """dose_e_per_A2,miss_rate,miss_alpha,miss_beta,false_rate,false_alpha,false_beta,\
occupied_sites,empty_sites,frames
300,0.05,2,38,0.01,1,99,500,200,60
3000,0.02,2,98,0.005,1,199,500,200,60
"""


def lattice():
    """25 sites 2.5 Å apart; the last row lies on the substrate of :func:`write_series`.

    The rows fall a little, so that noise does not change the order of the sites.
    """
    x, y = np.meshgrid(np.arange(5), np.arange(5))
    return np.stack([x.ravel(), (y + 0.1 * x).ravel()], axis=1) * 2.5 + 8.0


def hopping_truth(frames, rng):
    """Occupancy of 25 sites, of which number 7 changes in every fifth frame."""
    truth = np.ones((25, frames), bool)
    truth[7] = np.cumsum(rng.random(frames) < 0.2) % 2 == 0
    return truth


def write_series(folder, truth, rng, masked_from_A=17.3, unused=()):
    frames = truth.shape[1]
    shifts_A = rng.uniform(-2, 2, (frames, 2))
    shifts_A[0] = 0
    drift = pd.DataFrame({"frame": np.arange(frames), "x_A": shifts_A[:, 0], "y_A": shifts_A[:, 1]})
    drift["columns"] = drift["matched"] = truth.sum(axis=0)
    drift["used"] = ~drift["frame"].isin(unused)
    drift.loc[list(unused), ["x_A", "y_A"]] = np.nan
    site, frame = np.nonzero(truth)
    places_A = lattice()[site] + shifts_A[frame] + rng.normal(0, 0.1, (len(site), 2))
    atoms = pd.DataFrame({"frame": frame, "x_A": places_A[:, 0], "y_A": places_A[:, 1]})
    facts = {"pixel_size_A": PIXEL_A, "frame_shape": (frames, *SHAPE)}
    for name, table in {"atoms": atoms, "drift": drift}.items():
        with sealed.create(folder / f"{name}.h5", facts) as file:
            tables.write_table(file, name, table)
    corner_A = np.array([-3.0, -3.0])
    mask = np.zeros((360, 360), bool)
    mask[int((masked_from_A - corner_A[1]) / PIXEL_A) :] = True
    with sealed.create(
        folder / "substrate.h5", {"pixel_size_A": PIXEL_A, "corner_A": corner_A}
    ) as file:
        file["mask"], file["seen"] = mask, np.full(mask.shape, frames)
    return drift


def run(folder, *more):
    names = ("atoms.h5", "drift.h5", "substrate.h5", "sites.h5", "sites.csv")
    return follow_sites.main([*(str(folder / name) for name in names), *map(str, more)])


def result(folder):
    with sealed.open_to_read(folder / "sites.h5") as file:
        return (
            tables.read_table(file, "sites"),
            file["occupied"][...],
            file["p_occupied"][...],
            tables.read_table(file, "drift"),
            dict(file.attrs),
        )


def test_sites_occupancy_and_events_without_errors(tmp_path, capsys):
    rng = np.random.default_rng(0)
    truth = hopping_truth(40, rng)
    drift = write_series(tmp_path, truth, rng, unused=[11])
    assert run(tmp_path) == 0
    table, occupied, p_occupied, copied, facts = result(tmp_path)
    assert list(table) == COLUMNS
    assert_allclose(table[["x_A", "y_A"]], lattice(), atol=0.1)
    used = np.arange(40) != 11
    assert_array_equal(occupied[:, used], truth[:, used])
    assert (occupied[:, 11] == -1).all()
    assert table["masked"].tolist() == [False] * 20 + [True] * 5
    seen = truth[7, used].sum()
    assert table.loc[7, ["frames_in_view", "frames_seen"]].tolist() == [39, seen]
    changes = truth[7, 1:] != truth[7, :-1]
    changes = changes[[frame for frame in range(39) if frame not in (10, 11)]]
    assert table.loc[7, "events"] == changes.sum()
    assert table.loc[7, "event_rate"] == pytest.approx(changes.mean())
    assert table[COLUMNS[9:15]].isna().all(axis=None)
    assert not table["hopping"].any()
    assert np.isnan(p_occupied).all()
    pd.testing.assert_frame_equal(copied, drift)
    assert facts["frames_used"] == 39
    assert facts["frame_shape"].tolist() == [40, *SHAPE]
    assert np.isnan(facts["dose_e_per_A2"])
    text = pd.read_csv(tmp_path / "sites.csv")
    pd.testing.assert_frame_equal(text, table, rtol=1e-5, check_dtype=False)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == (
        "no hop rates: they need the dose of a frame (dose_e_per_A2 in the sample sheet, --dose) "
        "and the detection errors of the model (--errors)"
    )
    assert lines[1].startswith("25 sites, 5 of them masked, over 39 frames; ")
    assert len(lines) == 2


def test_hops_are_told_from_errors_where_these_and_the_dose_are_known(tmp_path):
    rng = np.random.default_rng(1)
    truth = hopping_truth(100, rng)
    detected = np.where(truth, rng.random(truth.shape) > 0.03, False)
    write_series(tmp_path, detected, rng)
    (tmp_path / "errors.csv").write_text(ERRORS)
    assert run(tmp_path, "--errors", tmp_path / "errors.csv", "--dose", 1000) == 0
    table, _, p_occupied, _, facts = result(tmp_path)
    assert np.flatnonzero(table["hopping"]).tolist() == [7]
    row = table.loc[7]
    assert row["hop_rate_low"] < 0.2 < row["hop_rate_high"]
    assert row["hop_rate_low"] < row["hop_rate"] < row["hop_rate_high"]
    masked = table["masked"].to_numpy()
    assert table.loc[masked, COLUMNS[9:15]].isna().all(axis=None)
    assert table.loc[~masked, ["hop_rate", "p_static"]].notna().all(axis=None)
    assert np.isnan(p_occupied[masked]).all()
    assert p_occupied.dtype == np.float32
    assert ((p_occupied[7] > 0.5) == truth[7]).mean() > 0.95
    assert facts["dose_e_per_A2"] == 1000
    assert facts["confidence"] == 0.95


def test_the_file_says_the_confidence_of_its_intervals(tmp_path):
    rng = np.random.default_rng(1)
    write_series(tmp_path, hopping_truth(60, rng), rng)
    (tmp_path / "errors.csv").write_text(ERRORS)
    given = ["--errors", tmp_path / "errors.csv", "--dose", 1000]
    widths = []
    for confidence in (0.95, 0.5):
        assert run(tmp_path, *given, "--hops", f'{{"confidence": {confidence}}}') == 0
        table, *_, facts = result(tmp_path)
        assert facts["confidence"] == confidence
        widths.append(table.loc[7, "hop_rate_high"] - table.loc[7, "hop_rate_low"])
    assert widths[1] < 0.7 * widths[0]


def test_a_dose_below_the_measured_ones_leaves_occurrence_and_events(tmp_path, capsys):
    rng = np.random.default_rng(11)
    write_series(tmp_path, hopping_truth(20, rng), rng)
    (tmp_path / "errors.csv").write_text(ERRORS)
    assert run(tmp_path, "--errors", tmp_path / "errors.csv", "--dose", 100) == 0
    said = capsys.readouterr().err
    assert "no hop rates: " in said
    assert "errors are measured from 300 to 3000 e/Å², not at 100; add the dose" in said
    table, _, p_occupied, _, facts = result(tmp_path)
    assert table["event_rate"].notna().all()
    assert table.loc[7, "events"] > 0
    assert table[COLUMNS[9:15]].isna().all(axis=None)
    assert not table["hopping"].any()
    assert np.isnan(p_occupied).all()
    assert facts["dose_e_per_A2"] == 100


def test_errors_without_a_dose_and_a_dose_without_errors_are_no_hop_rates(tmp_path, capsys):
    rng = np.random.default_rng(2)
    write_series(tmp_path, hopping_truth(5, rng), rng)
    (tmp_path / "errors.csv").write_text(ERRORS)
    assert run(tmp_path, "--errors", tmp_path / "errors.csv") == 0
    said = capsys.readouterr().err
    assert "they need the dose of a frame (dose_e_per_A2 in the sample sheet, --dose)\n" in said
    assert run(tmp_path, "--dose", 1000) == 0
    said = capsys.readouterr().err
    assert "no hop rates: they need the detection errors of the model (--errors)\n" in said
    assert result(tmp_path)[4]["dose_e_per_A2"] == 1000


def test_one_frame_has_occurrence_and_no_rates_and_a_warning(tmp_path, capsys):
    rng = np.random.default_rng(3)
    write_series(tmp_path, hopping_truth(1, rng), rng)
    (tmp_path / "errors.csv").write_text(ERRORS)
    assert run(tmp_path, "--errors", tmp_path / "errors.csv", "--dose", 1000) == 0
    table = result(tmp_path)[0]
    assert (table["occurrence"] == 1).all()
    assert table["event_rate"].isna().all()
    assert table["hop_rate"].isna().all()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "events and hops need at least two frames; one is used"
    assert len(lines) == 2


def test_a_frame_without_columns_is_not_used_and_changes_nothing_else(tmp_path):
    rng = np.random.default_rng(4)
    truth = hopping_truth(10, rng)
    truth[:, 4] = False
    write_series(tmp_path, truth, rng, unused=[4])
    assert run(tmp_path) == 0
    _, occupied, _, _, facts = result(tmp_path)
    assert (occupied[:, 4] == -1).all()
    assert facts["frames_used"] == 9
    assert_array_equal(np.delete(occupied, 4, axis=1), np.delete(truth, 4, axis=1))
