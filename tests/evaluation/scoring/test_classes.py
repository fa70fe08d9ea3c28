"""Scores of the classes found in a simulated focal series, as a script."""

import numpy as np
import pandas as pd
import pytest
from made_inputs import run
from numpy.testing import assert_allclose

from atomsight.files import sealed, tables
from atomsight.phantoms import focal_truth
from atomsight.phantoms.focal_truth import RecordingTruth

POSITIONS = np.array([[5.0, 5], [8, 5], [11, 5], [5, 9], [8, 9]])


def write_truth(folder, names, class_names):
    columns = pd.DataFrame(POSITIONS, columns=["x_A", "y_A"])
    columns = columns.assign(**{"class": names, "region": "interior"})
    truth = RecordingTruth(
        columns, np.zeros((3, 2)), (20.0, 20.0), (-170.0, -40.0, 90.0), 3e4, class_names
    )
    focal_truth.write_truth(folder / "truth.h5", truth, {})


def write_atoms(folder, names, class_names, frames=1):
    """Columns found in every frame: shifted by 0.03 Å along x, stated with 0.8."""
    x, y = POSITIONS[: len(names)].T
    table = pd.DataFrame({"x_A": x + 0.03, "y_A": y, "class": names, "p_class": 0.8})
    table = table.assign(p_exists=1.0, **{f"p_{name}": 0.1 for name in class_names})
    table = pd.concat([table.assign(frame=frame) for frame in range(frames)])
    with sealed.create(folder / "atoms.h5", {"frame_shape": (frames, 100, 100)}) as file:
        tables.write_table(file, "atoms", table)


HEIGHTS = ("1", "2", "3", "4", "5", "6")
SPECIES = ("Mo", "S2", "S")


def scored(folder):
    assert run("score classes atoms.h5 truth.h5 scores.csv --confusion confusion.csv", folder) == 0
    as_text = {"true_class": str, "found_class": str}
    return [pd.read_csv(folder / name, dtype=as_text) for name in ("scores.csv", "confusion.csv")]


def test_heights_are_scored(tmp_path):
    write_truth(tmp_path, [*"12635"], HEIGHTS)
    # The model knows no more than four; one is missed, one is off by one, one by two.
    write_atoms(tmp_path, [*"1341"], HEIGHTS[:4])
    (scores,), counts = (table.to_dict("records") for table in scored(tmp_path))
    assert (scores["columns"], scores["missed"], scores["invented"]) == (5, 1, 0)
    assert_allclose([scores["exact"], scores["within_one"]], [2 / 5, 3 / 5])
    assert scores["exact_low"] < 0.4 < scores["exact_high"]
    assert_allclose(scores["position_error_pm"], 3 / np.sqrt(2), rtol=1e-5)
    assert_allclose(scores["calibration_error"], 0.3)
    answers = {f"{row['true_class']} {row['found_class']}": row["columns"] for row in counts}
    assert answers == dict.fromkeys(["1 1", "2 3", "4 4", "3 1", "4 missed"], 1)


def test_species_are_scored_in_every_series(tmp_path):
    write_truth(tmp_path, ["Mo", "S2", "Mo", "S", "S2"], SPECIES)
    write_atoms(tmp_path, ["Mo", "S2", "Mo", "S2", "S2"], SPECIES, frames=2)
    scores, counts = scored(tmp_path)
    assert scores["frame"].tolist() == [0, 1]
    assert_allclose(scores["exact"], 0.8)
    assert "within_one" not in scores
    assert counts.groupby("frame")["columns"].sum().tolist() == [5, 5]


def test_a_series_without_a_column_scores_nothing(tmp_path):
    write_truth(tmp_path, [*"12635"], HEIGHTS)
    write_atoms(tmp_path, [], HEIGHTS)
    scores, _ = scored(tmp_path)
    assert scores.loc[0, ["exact", "missed", "within_one"]].tolist() == [0, 5, 0]


@pytest.mark.parametrize(
    ("known", "there"), [(SPECIES, HEIGHTS), (HEIGHTS, SPECIES), (("atom",), SPECIES)]
)
def test_classes_of_another_material_are_refused(tmp_path, capsys, known, there):
    write_truth(tmp_path, [there[0]] * 5, there)
    write_atoms(tmp_path, [known[0]] * 5, known)
    assert run("score classes atoms.h5 truth.h5 scores.csv", tmp_path) == 1
    message = capsys.readouterr().err
    assert f"the model finds {', '.join(known)}, the specimen has {', '.join(there)}" in message
    assert not (tmp_path / "scores.csv").exists()
