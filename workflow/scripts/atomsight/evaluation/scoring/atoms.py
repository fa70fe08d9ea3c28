"""Score the atoms found in simulated images against the truth, and their strain if it was measured.

SCORES.csv has one row per frame: true_positives, false_positives, false_negatives, precision,
recall, f1, rms_error_A (along one axis) and the recall in every region of the specimen; with
--strain also the errors of the strain. All frames must show the specimen of TRUTH.h5 in the same
place, as a series of doses does.

Settings, all optional: radius_A (largest distance of a found atom from the true one), border_A
(width of the rim that does not count), relative (whether the strain is relative to the mean
lattice).

Example:
    python score.py atoms atoms.h5 truth.h5 scores.csv --strain strain.h5
"""

import argparse
import dataclasses

import pandas as pd

from atomsight import command_line
from atomsight.analysis.matching import match_atoms
from atomsight.config.evaluation import ScoreSettings
from atomsight.evaluation import scores
from atomsight.files import sealed, tables
from atomsight.phantoms.acquisition import Truth, read_truth

POSITION = ["x_A", "y_A"]
STRAIN = ["e_xx", "e_yy", "e_xy"]


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("atoms", metavar="ATOMS.h5", help="the atoms found")
    arguments.add_argument("truth", metavar="TRUTH.h5", help="the true atoms")
    arguments.add_argument("scores", metavar="SCORES.csv", help="the table to write")
    arguments.add_argument("--strain", metavar="STRAIN.h5", help="the strain measured at the atoms")
    command_line.add_settings(arguments, "scores", ScoreSettings)


def run(given: argparse.Namespace) -> None:
    chosen = ScoreSettings.parse(given.settings, "scores")
    atoms = read_rows(given.atoms, "atoms", ["frame", *POSITION])
    truth = read_truth(given.truth)
    strain = None
    if given.strain:
        strain = read_rows(given.strain, "strain", ["frame", *POSITION, *STRAIN])
    frames = range(count_frames(given.atoms, atoms))
    table = pd.DataFrame([score_frame(frame, atoms, truth, strain, chosen) for frame in frames])
    tables.write_csv(given.scores, table)
    command_line.print_table(table)


def read_rows(path: str, name: str, columns: list[str]) -> pd.DataFrame:
    """Read a table with the columns needed; an error names what is missing."""
    with sealed.open_to_read(path) as file:
        return tables.read_table(file, name, columns)


def count_frames(path: str, atoms: pd.DataFrame) -> int:
    """Number of frames of a series: what the file says, else up to the last that has an atom."""
    with sealed.open_to_read(path) as file:
        if "frame_shape" in file.attrs:
            return int(file.attrs["frame_shape"][0])
    return int(atoms["frame"].max()) + 1 if len(atoms) else 1


def score_frame(
    frame: int,
    atoms: pd.DataFrame,
    truth: Truth,
    strain: pd.DataFrame | None,
    chosen: ScoreSettings,
) -> dict:
    """Score one frame, and its strain if it was measured."""
    found = atoms.loc[atoms["frame"] == frame, POSITION].to_numpy(float)
    true = truth.atoms[POSITION].to_numpy(float)
    limits = (truth.field_of_view_A, chosen.border_A, chosen.radius_A)
    recall = scores.recall_by_region(found, true, truth.atoms["region"].to_numpy(), *limits)
    row = {"frame": frame, **dataclasses.asdict(scores.detection_scores(found, true, *limits))}
    row |= {f"recall_{region}": recall[region] for region in sorted(recall)}
    if strain is None:
        return row
    return row | dataclasses.asdict(_score_strain(strain[strain["frame"] == frame], truth, chosen))


def _score_strain(
    measured: pd.DataFrame, truth: Truth, chosen: ScoreSettings
) -> scores.StrainScores:
    """Score the strain of one frame at the atoms that were found and count."""
    true = truth.atoms[POSITION].to_numpy(float)
    found_index, true_index = match_atoms(measured[POSITION].to_numpy(float), true, chosen.radius_A)
    counts = scores.inside(true[true_index], truth.field_of_view_A, chosen.border_A)
    return scores.strain_scores(
        measured[STRAIN].to_numpy(float)[found_index[counts]],
        truth.atoms[STRAIN].to_numpy(float)[true_index[counts]],
        chosen.relative,
    )
