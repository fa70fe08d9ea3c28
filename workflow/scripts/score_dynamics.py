"""Score the sites found in a simulated series, their hop rates and its drift against the truth.

SCORES.csv has one row: how many true sites were found and how many false ones, the share of the
intervals that hold the true hop rate (coverage), the bias of the hop rates and of the raw event
rates, the share of dynamic and of static sites called hopping, the errors of the occupancy before
and after smoothing, and the error of the drift. With --table also one row per site found, with
truth and estimate beside each other.

Settings, those of the section 'scores': radius_A (largest distance of a site from the true one),
border_A (width of the rim that does not count).

Example:
    python score_dynamics.py sites.h5 truth.h5 scores.csv --table sites_scored.csv
"""

import argparse
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd

from atomsight import command_line
from atomsight.config import settings
from atomsight.errors import InputError
from atomsight.evaluation import dynamics_scores
from atomsight.evaluation.dynamics_scores import Followed, TrueDynamics
from atomsight.files import sealed, tables


@dataclass(frozen=True)
class SiteScoreSettings:
    """How sites are compared.

    Attributes
    ----------
    radius_A : float
        Largest distance of a site from the true one [Å].
    border_A : float
        Width of the rim of the image that does not count [Å].
    """

    radius_A: float
    border_A: float


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read sites and truth, score, print and write the tables."""
    given = parse(argv)
    section = given.settings
    chosen = settings.load(section, "scores", SiteScoreSettings)
    found, true = read_followed(given.sites), read_true(given.truth)
    frames = found.occupied.shape[1], true.occupied.shape[1]
    if frames[0] != frames[1]:
        raise InputError(
            f"{given.sites} has {frames[0]} frames and {given.truth} {frames[1]}; give the truth "
            "of the same series"
        )
    scores, table = dynamics_scores.score_dynamics(found, true, chosen.radius_A, chosen.border_A)
    row = pd.DataFrame([scores])
    tables.write_csv(given.scores, row)
    if given.table:
        tables.write_csv(given.table, table)
    print(row.T.to_string(header=False, float_format=lambda value: f"{value:.4g}"))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("sites", metavar="SITES.h5", help="the sites found")
    arguments.add_argument("truth", metavar="TRUTH.h5", help="the truth of the simulated series")
    arguments.add_argument("scores", metavar="SCORES.csv", help="the table to write, one row")
    arguments.add_argument("--table", metavar="TABLE.csv", help="one row per site found")
    command_line.add_settings(arguments, "scores")
    return arguments.parse_args(argv)


def read_followed(path: str) -> Followed:
    """Read what was found in a series.

    Parameters
    ----------
    path : path
        A file of ``follow_sites.py``.

    Returns
    -------
    Followed
        Its sites, occupancy and drift.

    Raises
    ------
    InputError
        If the file is missing or of another kind, or no frame was used.
    """
    with sealed.open_to_read(path) as file:
        found = Followed(
            sites=tables.read_table(file, "sites"),
            occupied=file["occupied"][...],
            p_occupied=file["p_occupied"][...],
            drift=tables.read_table(file, "drift"),
        )
    if not found.drift["used"].any():
        raise InputError(f"{path}: no frame was used; look at the drift of the series")
    return found


def read_true(path: str) -> TrueDynamics:
    """Read the truth of a simulated series.

    Parameters
    ----------
    path : path
        A file of ``simulate_sequence.py``.

    Returns
    -------
    TrueDynamics
        Its sites, occupancy and drift.

    Raises
    ------
    InputError
        If the file is missing or of another kind.
    """
    with sealed.open_to_read(path) as file:
        return TrueDynamics(
            sites=tables.read_table(file, "sites"),
            occupied=file["occupied"][...],
            drift=tables.read_table(file, "drift"),
            field_of_view_A=tuple(float(edge) for edge in np.ravel(file.attrs["field_of_view"])),
        )


if __name__ == "__main__":
    sys.exit(main())
