"""Score the sites found in a simulated series, their hop rates and its drift against the truth.

SCORES.csv has one row: how many true sites were found and how many false ones, the share of the
intervals that hold the true hop rate (coverage), the bias of the hop rates and of the raw event
rates, the number of faint sites, which have no rate, the share of dynamic and of static sites
called hopping, the errors of the occupancy before and after smoothing, and the error of the drift.
With --table also one row per site found, with truth and estimate beside each other.

Settings, those of the section 'scores': radius_A (largest distance of a site from the true one),
border_A (width of the rim that does not count).

Example:
    python score.py dynamics sites.h5 truth.h5 scores.csv --table sites_scored.csv
"""

import argparse
from dataclasses import dataclass

import numpy as np
import pandas as pd

from atomsight import command_line
from atomsight.analysis.matching import match_atoms
from atomsight.config.evaluation import ScoreSettings
from atomsight.errors import InputError
from atomsight.evaluation.scores import inside
from atomsight.files import sealed, tables
from atomsight.phantoms.sequence_truth import SequenceTruth, read_truth

POSITION = ["x_A", "y_A"]


@dataclass(frozen=True)
class Followed:
    """What ``follow_sites.py`` found in a series of F frames.

    ``occupied``, shape (S, F), int8, is 1 for seen, 0 for not seen, -1 for not known;
    ``p_occupied`` the smoothed probability of being occupied, NaN where there is none. ``drift``
    has ``frame, x_A, y_A, used``.
    """

    sites: pd.DataFrame
    occupied: np.ndarray
    p_occupied: np.ndarray
    drift: pd.DataFrame


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("sites", metavar="SITES.h5", help="the sites found")
    arguments.add_argument("truth", metavar="TRUTH.h5", help="the truth of the simulated series")
    arguments.add_argument("scores", metavar="SCORES.csv", help="the table to write, one row")
    arguments.add_argument("--table", metavar="TABLE.csv", help="one row per site found")
    command_line.add_settings(arguments, "scores", ScoreSettings)


def run(given: argparse.Namespace) -> None:
    chosen = ScoreSettings.parse(given.settings, "scores")
    found, true = read_followed(given.sites), read_truth(given.truth)
    frames = found.occupied.shape[1], true.occupied.shape[1]
    if frames[0] != frames[1]:
        raise InputError(
            f"{given.sites} has {frames[0]} frames and {given.truth} {frames[1]}; give the truth "
            "of the same series"
        )
    scores, table = score_dynamics(found, true, chosen.radius_A, chosen.border_A)
    row = pd.DataFrame([scores])
    tables.write_csv(given.scores, row)
    if given.table:
        tables.write_csv(given.table, table)
    print(row.T.to_string(header=False, float_format=lambda value: f"{value:.4g}"))


def read_followed(path: str) -> Followed:
    """Read what was found in a series; it is an error if no frame was used."""
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


def match_sites(
    found: Followed, true: SequenceTruth, radius_A: float, border_A: float
) -> pd.DataFrame:
    """Pair the sites found with the true ones, inside a rim of the reference frame.

    The coordinates of what was found are those of the first frame that is used. One row per pair
    that counts: ``site`` and ``true_site`` (rows of the two tables), ``x_A, y_A, error_A``
    (distance), ``masked, dynamic, true_hop_rate``, and ``hop_rate, hop_rate_low, hop_rate_high,
    covered, event_rate, p_static, faint, hopping`` as found.
    """
    places = _in_reference(found, true)
    index, true_index = match_atoms(found.sites[POSITION].to_numpy(float), places, radius_A)
    counts = inside(places[true_index], true.field_of_view_A, border_A)
    index, true_index = index[counts], true_index[counts]
    estimated = found.sites.iloc[index].reset_index(drop=True)
    truth = true.sites.iloc[true_index].reset_index(drop=True)
    true_rate = _true_hop_rate(truth)
    low, high = (
        estimated["hop_rate_low"].to_numpy(float),
        estimated["hop_rate_high"].to_numpy(float),
    )
    return pd.DataFrame(
        {
            "site": index,
            "true_site": true_index,
            "x_A": estimated["x_A"],
            "y_A": estimated["y_A"],
            "error_A": np.linalg.norm(
                estimated[POSITION].to_numpy(float) - places[true_index], axis=1
            ),
            "masked": estimated["masked"].to_numpy(bool),
            "dynamic": truth["dynamic"].to_numpy(bool),
            "true_hop_rate": true_rate,
            "hop_rate": estimated["hop_rate"],
            "hop_rate_low": low,
            "hop_rate_high": high,
            "covered": (low <= true_rate) & (true_rate <= high),
            "event_rate": estimated["event_rate"],
            "p_static": estimated["p_static"],
            "faint": estimated["faint"].to_numpy(bool),
            "hopping": estimated["hopping"].to_numpy(bool),
        }
    )


def score_dynamics(
    found: Followed, true: SequenceTruth, radius_A: float, border_A: float
) -> tuple[dict[str, float], pd.DataFrame]:
    """Score the sites, their hop rates, the occupancy and the drift; see also :func:`match_sites`.

    ``true_sites`` (occupied at least once), ``true_sites_found``, ``dynamic_sites``,
    ``dynamic_sites_found``, ``false_sites`` (not masked, and no true site there), ``masked`` (of
    those found).
    Over the pairs that are not masked and have a rate, and of these the dynamic and static ones:
    ``coverage_all, coverage_dynamic, coverage_static`` (share of the intervals that hold the true
    rate), ``true_rate_*``, ``hop_rate_*``, ``hop_rate_bias_*``, ``event_rate_bias_*`` (means; the
    bias is estimate minus truth), ``*_relative`` (of the dynamic ones, the bias over the true
    mean).
    ``faint_dynamic`` and ``faint_static``: numbers of the sites that are not masked and are faint.
    ``sensitivity`` and ``false_calls``: shares of the dynamic and of the static sites that are
    called hopping. ``occupancy_error_raw, occupancy_error_smoothed``: share of the sites and frames
    in view that are wrong, the second for a probability above one half. ``drift_rms_A``: error
    along one axis, over the frames used. NaN where there is nothing to take the mean of.
    """
    table = match_sites(found, true, radius_A, border_A)
    counted = table[~table["masked"]]
    return (
        _count_sites(found, true, table, radius_A, border_A)
        | _score_rates(counted)
        | _score_calls(counted)
        | _score_occupancy(found, true, counted)
        | {"drift_rms_A": drift_rms_error(found.drift, true.drift)}
    ), table


def drift_rms_error(found: pd.DataFrame, true: np.ndarray) -> float:
    """Root mean square error of the drift along one axis, over the frames used [Å].

    The drift found is relative to the first frame used, the true one to any.
    """
    used = found["used"].to_numpy(bool)
    errors = found[POSITION].to_numpy(float)[used] - (true[used] - true[used][0])
    return float(np.sqrt(np.mean(errors**2)))


def _in_reference(found: Followed, true: SequenceTruth) -> np.ndarray:
    """The true positions in the coordinates of the first frame used."""
    first = int(np.argmax(found.drift["used"].to_numpy(bool)))
    return true.sites[POSITION].to_numpy(float) + true.drift[first]


def _true_hop_rate(sites: pd.DataFrame) -> np.ndarray:
    """The stationary hop rate, zero for a site that is not dynamic."""
    return np.where(sites["dynamic"].to_numpy(bool), sites["hop_rate"].to_numpy(float), 0.0)


def _count_sites(
    found: Followed, true: SequenceTruth, table: pd.DataFrame, radius_A: float, border_A: float
) -> dict[str, float]:
    used = found.drift["used"].to_numpy(bool)
    places, positions = _in_reference(found, true), found.sites[POSITION].to_numpy(float)
    visible = true.occupied[:, used].any(axis=1)
    counts = visible & inside(places, true.field_of_view_A, border_A)
    dynamic = true.sites["dynamic"].to_numpy(bool)
    reached = np.zeros(len(places), bool)
    reached[table["true_site"]] = True
    alone = np.ones(len(positions), bool)
    alone[match_atoms(positions, places, radius_A)[0]] = False
    alone &= inside(positions, true.field_of_view_A, border_A)
    return {
        "true_sites": int(counts.sum()),
        "true_sites_found": int((counts & reached).sum()),
        "dynamic_sites": int((counts & dynamic).sum()),
        "dynamic_sites_found": int((counts & dynamic & reached).sum()),
        "false_sites": int((alone & ~found.sites["masked"].to_numpy(bool)).sum()),
        "masked": int(table["masked"].sum()),
    }


def _score_rates(table: pd.DataFrame) -> dict[str, float]:
    table = table[np.isfinite(table["hop_rate"].to_numpy(float))]
    dynamic = table["dynamic"].to_numpy(bool)
    scores = {}
    for name, chosen in (
        ("all", np.ones_like(dynamic)),
        ("dynamic", dynamic),
        ("static", ~dynamic),
    ):
        part = table[chosen]
        true = part["true_hop_rate"].mean()
        scores |= {
            f"coverage_{name}": part["covered"].mean(),
            f"true_rate_{name}": true,
            f"hop_rate_{name}": part["hop_rate"].mean(),
            f"hop_rate_bias_{name}": part["hop_rate"].mean() - true,
            f"event_rate_bias_{name}": part["event_rate"].mean() - true,
        }
    for bias in ("hop_rate_bias", "event_rate_bias"):
        scores[f"{bias}_relative"] = scores[f"{bias}_dynamic"] / scores["true_rate_dynamic"]
    return {name: float(value) for name, value in scores.items()}


def _score_calls(table: pd.DataFrame) -> dict[str, float]:
    dynamic = table["dynamic"]
    return {
        "faint_dynamic": int(table.loc[dynamic, "faint"].sum()),
        "faint_static": int(table.loc[~dynamic, "faint"].sum()),
        "sensitivity": float(table.loc[dynamic, "hopping"].mean()),
        "false_calls": float(table.loc[~dynamic, "hopping"].mean()),
    }


def _score_occupancy(found: Followed, true: SequenceTruth, table: pd.DataFrame) -> dict[str, float]:
    """Compare site by site and frame by frame, wherever a site is in view and smoothed."""
    seen, smoothed = found.occupied[table["site"]], found.p_occupied[table["site"]]
    truth = true.occupied[table["true_site"]]
    raw, known = seen != truth, seen != -1
    both = known & np.isfinite(smoothed)
    wrong = (smoothed > 0.5) != truth
    return {
        "occupancy_error_raw": float(raw[known].mean()) if known.any() else float("nan"),
        "occupancy_error_smoothed": float(wrong[both].mean()) if both.any() else float("nan"),
    }
