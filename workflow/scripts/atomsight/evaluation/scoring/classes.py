"""Score the classes found in a simulated focal series, heights or species, against the truth.

SCORES.csv has one row per series of ATOMS.h5: frame, columns, exact (share of the true columns
found with the right class) and its 95 % interval exact_low, exact_high, within_one (share counted
to one atom; only for heights), missed and invented (numbers), position_error_pm (along one axis, of
the columns found), calibration_error. CONFUSION.csv counts the answers: frame, true_class,
found_class ("missed"; in truth "none" for inventions), columns. Heights above the last class of the
model count as the last.

Settings, all optional: radius_A (largest distance of a found column from the true one), border_A
(width of the rim that does not count).

Example:
    python score.py classes atoms.h5 truth.h5 scores.csv --confusion confusion.csv
"""

import argparse
from pathlib import Path

import pandas as pd

from atomsight import command_line, materials
from atomsight.config.evaluation import ClassScoreSettings
from atomsight.errors import InputError
from atomsight.evaluation import classification
from atomsight.files import sealed, tables
from atomsight.phantoms.focal_truth import RecordingTruth, read_truth

POSITION = ["x_A", "y_A"]


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("atoms", metavar="ATOMS.h5", help="the columns found")
    arguments.add_argument("truth", metavar="TRUTH.h5", help="the truth of the focal series")
    arguments.add_argument("scores", metavar="SCORES.csv", help="the table of scores to write")
    arguments.add_argument("--confusion", metavar="CONFUSION.csv", help="the counts to write")
    command_line.add_settings(arguments, "class_scores", ClassScoreSettings)


def run(given: argparse.Namespace) -> None:
    chosen = ClassScoreSettings.parse(given.settings, "class_scores")
    atoms, frames = read_found(given.atoms)
    truth = read_truth(given.truth)
    known = found_classes(atoms)
    true = true_classes(truth, known, f"{given.atoms} and {given.truth}")
    rows, counts = [], []
    for frame in range(frames):
        pairs = classification.pair_columns(
            atoms[atoms["frame"] == frame],
            true,
            truth.field_of_view_A,
            chosen.radius_A,
            chosen.border_A,
        )
        rows.append({"frame": frame} | score(pairs, known))
        counts.append(classification.confusion(pairs))
        counts[-1].insert(0, "frame", frame)
    table = pd.DataFrame(rows)
    tables.write_csv(given.scores, table)
    if given.confusion:
        tables.write_csv(given.confusion, pd.concat(counts, ignore_index=True))
    command_line.print_table(table)


def read_found(path: Path | str) -> tuple[pd.DataFrame, int]:
    """Read the columns found, and in how many series, those without columns included."""
    with sealed.open_to_read(path) as file:
        return tables.read_table(file, "atoms"), int(file.attrs["frame_shape"][0])


def found_classes(atoms: pd.DataFrame) -> list[str]:
    """Classes of the model that found columns, by the names ``p_<class>``."""
    others = ("p_class", "p_exists")
    return [name[2:] for name in atoms if name.startswith("p_") and name not in others]


def true_classes(truth: RecordingTruth, known: list[str], where: str) -> pd.DataFrame:
    """The true columns in the classes of a model, of which the last stands for greater heights.

    It is an error if classes are of different sorts; ``where`` says where the two come from.
    """
    true = truth.columns
    if materials.is_counting(known) and materials.is_counting(truth.class_names):
        largest = max(int(name) for name in known)
        return true.assign(**{"class": classification.cap_heights(true["class"], largest)})
    if set(known) != set(truth.class_names):
        raise InputError(
            f"{where}: the model finds {', '.join(known)}, the specimen has "
            f"{', '.join(truth.class_names)}; read the series with a model of its own material"
        )
    return true


def score(pairs: pd.DataFrame, classes: list[str]) -> dict[str, float]:
    row = classification.totals(pairs)
    if materials.is_counting(classes):
        row["within_one"] = within_one(pairs)
    row["calibration_error"] = classification.calibration_error(*classification.stated(pairs))
    return row


def within_one(pairs: pd.DataFrame) -> float:
    """Share of the true columns found and counted to one atom; NaN without a true column."""
    true, found = (
        pd.to_numeric(pairs[name], errors="coerce") for name in ("true_class", "found_class")
    )
    there = true.notna()
    return float(((true - found).abs() <= 1)[there].mean())
