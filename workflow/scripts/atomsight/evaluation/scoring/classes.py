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
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from atomsight import command_line, materials
from atomsight.config import settings
from atomsight.errors import InputError
from atomsight.evaluation import classification
from atomsight.files import sealed, tables
from atomsight.phantoms.focal_truth import RecordingTruth, read_truth

POSITION = ["x_A", "y_A"]


@dataclass(frozen=True)
class ClassScoreSettings:
    """How columns are compared.

    Attributes
    ----------
    radius_A : float
        Largest distance of a found column from the true one [Å].
    border_A : float
        Width of the rim of the image that does not count [Å].
    """

    radius_A: float
    border_A: float


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("atoms", metavar="ATOMS.h5", help="the columns found")
    arguments.add_argument("truth", metavar="TRUTH.h5", help="the truth of the focal series")
    arguments.add_argument("scores", metavar="SCORES.csv", help="the table of scores to write")
    arguments.add_argument("--confusion", metavar="CONFUSION.csv", help="the counts to write")
    command_line.add_settings(arguments, "class_scores")


def run(given: argparse.Namespace) -> None:
    """Read atoms and truth, score every series, print and write the tables."""
    section = given.settings
    chosen = settings.load(section, "class_scores", ClassScoreSettings)
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
    """Read the columns found, and of how many series they are.

    Parameters
    ----------
    path : path
        A file of ``locate_atoms.py``.

    Returns
    -------
    atoms : DataFrame
        Its table.
    frames : int
        Number of series, those in which nothing was found included.

    Raises
    ------
    InputError
        If the file is missing, cut short or of another kind.
    """
    with sealed.open_to_read(path) as file:
        return tables.read_table(file, "atoms"), int(file.attrs["frame_shape"][0])


def found_classes(atoms: pd.DataFrame) -> list[str]:
    """Classes of the model that found columns.

    Parameters
    ----------
    atoms : DataFrame
        Columns found, with ``p_<class>`` for every class.

    Returns
    -------
    list of str
        The classes.
    """
    others = ("p_class", "p_exists")
    return [name[2:] for name in atoms if name.startswith("p_") and name not in others]


def true_classes(truth: RecordingTruth, known: list[str], where: str) -> pd.DataFrame:
    """Say the truth in the classes of a model.

    Parameters
    ----------
    truth : RecordingTruth
        What is known.
    known : list of str
        Classes of the model.
    where : str
        Where the two come from, for the message.

    Returns
    -------
    DataFrame
        The true columns; greater heights than the model knows have its last class.

    Raises
    ------
    InputError
        If they are not the same sort of classes.
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
    """Score one series.

    Parameters
    ----------
    pairs : DataFrame
        What :func:`atomsight.evaluation.classification.pair_columns` gives.
    classes : list of str
        Classes of the model.

    Returns
    -------
    dict of str to float
        The scores by name.
    """
    row = classification.totals(pairs)
    if materials.is_counting(classes):
        row["within_one"] = within_one(pairs)
    row["calibration_error"] = classification.calibration_error(*classification.stated(pairs))
    return row


def within_one(pairs: pd.DataFrame) -> float:
    """Share of the true columns found and counted to one atom.

    Parameters
    ----------
    pairs : DataFrame
        ``true_class, found_class``; the classes are heights.

    Returns
    -------
    float
        The share; NaN without a true column.
    """
    true, found = (
        pd.to_numeric(pairs[name], errors="coerce") for name in ("true_class", "found_class")
    )
    there = true.notna()
    return float(((true - found).abs() <= 1)[there].mean())
