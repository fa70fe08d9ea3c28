"""Follow the columns of a series over all frames: SITES.h5, and its table of sites as SITES.csv.

A site is a place where columns are seen, once the drift is removed; x_A, y_A are in the
coordinates of the first frame that is used. One row per site: site, x_A, y_A, masked (on the
substrate), frames_in_view, frames_seen, occurrence (seen / in view), events (changes between
successive frames in both of which the site is in view), event_rate (events per such pair).

With the detection errors and the dose of a frame, a hidden Markov model tells hops from errors:
hop_rate with its interval hop_rate_low, hop_rate_high (probability that the true occupancy differs
between two successive frames), p_appear, p_vanish, p_static (p-value of "never changes"), faint and
hopping (significant at 5 % over all unmasked sites, after Holm). Without them, at a dose far below
those the errors are measured at, and where masked, these are empty, and faint and hopping False.

A site is faint where it cannot be told from a static one that is missed, or invented, more often
than others: its changes have no memory. Its rate, interval and p_occupied are empty.

SITES.h5 also holds the confidence of the intervals, occupied (site, frame: 1 seen, 0 not seen, -1
not in view or frame not used), p_occupied (site, frame: probability from all frames) and the drift.

Settings, all optional: site_radius_A, min_distance_A, min_seen, min_occurrence, border_A;
further keys of the section are for correct_drift.py. --hops takes the settings of the model.

Example:
    python follow_sites.py atoms.h5 drift.h5 substrate.h5 sites.h5 sites.csv \\
        --errors errors.csv --dose 1500
"""

import argparse
import logging
import math
import sys
from typing import TYPE_CHECKING

import numpy as np

from atomsight import command_line
from atomsight.config.analysis import DynamicsSettings, HopSettings
from atomsight.errors import InputError
from atomsight.files import provenance

if TYPE_CHECKING:
    import h5py
    import pandas as pd

    from atomsight.analysis.dynamics.detection_errors import DetectionErrors
    from atomsight.analysis.dynamics.drift import Columns
    from atomsight.analysis.dynamics.sites import Sites

HOP_COLUMNS = ["hop_rate", "hop_rate_low", "hop_rate_high", "p_appear", "p_vanish", "p_static"]

#: What hop rates need: the argument, and how to give it.
NEEDED = {
    "dose": "dose of a frame (dose_e_per_A2 in the sample sheet, --dose)",
    "errors": "detection errors of the model (--errors)",
}


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Find the sites, count, fit, write."""
    given = parse(argv)
    import pandas as pd

    from atomsight.analysis.dynamics.drift import read_columns, read_drift
    from atomsight.analysis.dynamics.sites import site_table
    from atomsight.analysis.dynamics.substrate import read_masked
    from atomsight.files import sealed, tables

    chosen = DynamicsSettings.parse(given.settings, "dynamics")
    hop_settings = HopSettings.parse(given.hops, "hops")
    columns = read_columns(given.atoms)
    drift = read_drift(given.drift, columns)
    sites = find_unmasked(columns, drift, given, chosen)
    table = site_table(sites)
    table.insert(3, "masked", read_masked(given.substrate, sites.positions_A))
    errors = read_errors(sites, given)
    analysed = ~table["masked"].to_numpy()
    rates, p_occupied = estimate_hops(sites, analysed, errors, hop_settings)
    table = pd.concat([table, rates], axis=1)
    report(table, drift)

    made_by = provenance.made_by("follow_sites.py", given.settings, hops=given.hops)
    with sealed.create(given.sites, made_by) as file:
        write_sites(file, table, sites, p_occupied, columns, drift)
        file.attrs.update(
            dose_e_per_A2=math.nan if given.dose is None else given.dose,
            confidence=hop_settings.confidence,
        )
    tables.write_csv(given.csv, table)


def parse(argv: list[str] | None) -> argparse.Namespace:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("atoms", metavar="ATOMS.h5", help="the columns found in the frames")
    arguments.add_argument("drift", metavar="DRIFT.h5", help="their drift")
    arguments.add_argument("substrate", metavar="SUBSTRATE.h5", help="what is not analysed")
    arguments.add_argument("sites", metavar="SITES.h5", help="sites and their occupancy")
    arguments.add_argument("csv", metavar="SITES.csv", help="the table of sites as text")
    arguments.add_argument("--errors", metavar="ERRORS.csv", help="detection errors of the model")
    arguments.add_argument("--dose", type=float, metavar="E_PER_A2", help="dose of a frame [e/Å²]")
    command_line.add_settings(arguments, "dynamics", DynamicsSettings, hops=HopSettings)
    return arguments.parse_args(argv)


def find_unmasked(
    columns: "Columns", drift: "pd.DataFrame", given: argparse.Namespace, chosen: DynamicsSettings
) -> "Sites":
    """Find all sites, masked ones included, and see that there are some to analyse."""
    from atomsight.analysis.dynamics.sites import find_sites
    from atomsight.analysis.dynamics.substrate import read_masked

    if len(columns.frames) == 0:
        raise InputError(
            f"{given.atoms}: no column is found in any frame; check the frames, the model and "
            "segmentation.min_existence"
        )
    sites = find_sites(columns, drift, chosen)
    if len(sites.positions_A) == 0:
        raise InputError(
            f"{given.atoms}: no site is seen in {chosen.min_seen} frames or more; lower "
            "dynamics.min_seen or dynamics.border_A, or check the drift"
        )
    if read_masked(given.substrate, sites.positions_A).all():
        raise InputError(
            f"{given.substrate}: all {len(sites.positions_A)} sites are masked; correct the mask, "
            'or set "automatic" of the section substrate to false'
        )
    return sites


def read_errors(sites: "Sites", given: argparse.Namespace) -> "DetectionErrors | None":
    """Read the detection errors at the dose of the series, and warn where they are not known.

    They are not if file or dose are not given or if the dose is far below those measured; nor if
    fewer than two frames are used, in which nothing can hop.
    """
    from atomsight.analysis.dynamics import detection_errors
    from atomsight.analysis.dynamics.occupancy import UNKNOWN

    if given.dose is not None and not 0 < given.dose < math.inf:
        raise InputError(f"--dose: {given.dose:g} is not a dose; it must be more than 0 [e/Å²]")
    if np.count_nonzero((sites.occupied != UNKNOWN).any(axis=0)) < 2:
        return None
    missing = [words for name, words in NEEDED.items() if getattr(given, name) is None]
    if missing:
        logging.warning("no hop rates: they need the %s", " and the ".join(missing))
        return None
    try:
        return detection_errors.read_errors(given.errors, given.dose)
    except detection_errors.UncoveredDose as reason:
        logging.warning("no hop rates: %s", reason)
        return None


def estimate_hops(
    sites: "Sites", analysed: np.ndarray, errors: "DetectionErrors | None", chosen: HopSettings
) -> "tuple[pd.DataFrame, np.ndarray]":
    """Tell hops from detection errors at the sites that are not masked.

    The table has :data:`HOP_COLUMNS`, ``faint`` and ``hopping``; the probability that a
    site is occupied has the shape (S, F). What is not estimated is NaN.
    """
    import pandas as pd

    from atomsight.analysis.dynamics import hops

    table = pd.DataFrame(np.nan, np.arange(len(analysed)), HOP_COLUMNS)
    table[["faint", "hopping"]] = False
    p_occupied = np.full(sites.occupied.shape, np.nan, np.float32)
    if errors is None:
        return table, p_occupied
    fit = hops.fit_hops(sites.occupied[analysed], errors, chosen)
    table.loc[analysed, HOP_COLUMNS] = fit.table[HOP_COLUMNS].to_numpy()
    table.loc[analysed, "faint"] = fit.table["faint"].to_numpy()
    table.loc[analysed, "hopping"] = hops.significant(fit.table["p_static"].to_numpy())
    p_occupied[analysed] = fit.p_occupied
    return table, p_occupied


def write_sites(
    file: "h5py.File",
    table: "pd.DataFrame",
    sites: "Sites",
    p_occupied: np.ndarray,
    columns: "Columns",
    drift: "pd.DataFrame",
) -> None:
    from atomsight.files import tables

    file.attrs.update(signal="occupied", axes=["site", "frame"])
    file.attrs.update(
        pixel_size_A=columns.pixel_size_A,
        frame_shape=columns.frame_shape,
        frames_used=np.count_nonzero(drift["used"]),
    )
    tables.write_table(file, "sites", table)
    tables.write_table(file, "drift", drift)
    for name, values in {"occupied": sites.occupied, "p_occupied": p_occupied}.items():
        file.create_dataset(name, data=values, compression="gzip").attrs["units"] = ""


def report(table: "pd.DataFrame", drift: "pd.DataFrame") -> None:
    """Log what was found, and warn where there are no dynamics to be seen."""
    used = np.count_nonzero(drift["used"])
    if used < 2:
        logging.warning("events and hops need at least two frames; one is used")
    analysed = table[~table["masked"]]
    logging.info(
        "%d sites, %d of them masked, over %d frames; %d events, %d sites hop, %d are faint",
        len(table),
        len(table) - len(analysed),
        used,
        analysed["events"].sum(),
        table["hopping"].sum(),
        table["faint"].sum(),
    )


if __name__ == "__main__":
    sys.exit(main())
