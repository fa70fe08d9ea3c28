"""Tables of scores that the figures of counted columns and named species are drawn from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from atomsight.errors import InputError
from atomsight.files import tables

#: Columns of numbers that are drawn, besides ``method``: of a summary, a confusion matrix, the
#: reliability of stated probabilities, and what abstaining buys.
SUMMARY_COLUMNS = (
    "tilt_low_deg",
    "tilt_high_deg",
    "dose_e_per_A2",
    "columns",
    "exact",
    "exact_low",
    "exact_high",
    "off_by_1",
    "off_by_2",
    "off_by_3plus",
    "calibration_error",
)
CONFUSION_COLUMNS = (
    "tilt_low_deg",
    "tilt_high_deg",
    "dose_e_per_A2",
    "true_height",
    "counted_height",
    "columns",
)
RELIABILITY_COLUMNS = (
    "tilt_low_deg",
    "tilt_high_deg",
    "dose_e_per_A2",
    "confidence",
    "columns",
    "exact",
)
ABSTENTION_COLUMNS = (
    "tilt_low_deg",
    "tilt_high_deg",
    "dose_e_per_A2",
    "answered_share",
    "error",
)


def read_summary(path: Path | str) -> pd.DataFrame:
    """Read how good counts are, by method, tilt and dose.

    Parameters
    ----------
    path : path
        A ``heights_summary.csv`` of ``evaluate.py heights``.

    Returns
    -------
    DataFrame
        ``method`` and :data:`SUMMARY_COLUMNS`, and more.

    Raises
    ------
    InputError
        If the file is missing or no such table.
    """
    return _read_scores(path, SUMMARY_COLUMNS)


def read_confusion(path: Path | str) -> pd.DataFrame:
    """Read how the columns of every height were counted; see :func:`read_summary`."""
    return _read_scores(path, CONFUSION_COLUMNS)


def read_reliability(path: Path | str) -> pd.DataFrame:
    """Read how often counts of a stated probability are right; see :func:`read_summary`."""
    return _read_scores(path, RELIABILITY_COLUMNS)


def read_abstention(path: Path | str) -> pd.DataFrame:
    """Read what leaving columns out buys; see :func:`read_summary`."""
    return _read_scores(path, ABSTENTION_COLUMNS)


def _read_scores(path: Path | str, columns: Sequence[str]) -> pd.DataFrame:
    table = tables.read_csv(path, columns)
    if "method" not in table:
        raise InputError(f"{path}: the column 'method' is missing; make the table again")
    _check_doses(table, path)
    return table.assign(method=table["method"].astype(str))


def of_network(table: pd.DataFrame, path: Path | str) -> pd.DataFrame:
    """Choose the rows of the network.

    Parameters
    ----------
    table : DataFrame
        A table with ``method``.
    path : path
        Where it comes from, for the message.

    Returns
    -------
    DataFrame
        The rows.

    Raises
    ------
    InputError
        If there are none.
    """
    rows = table[table["method"] == "network"]
    if rows.empty:
        raise InputError(f"{path}: no row has the method 'network'; evaluate a network")
    return rows.reset_index(drop=True)


def read_species(paths: Sequence[Path | str], columns: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Read how well species are named, by model and dose.

    Parameters
    ----------
    paths : sequence of path
        Each a ``species_summary.csv`` of ``evaluate.py species``, of one model or several.
    columns : sequence of str
        Columns that are drawn.

    Returns
    -------
    dict of str to DataFrame
        The rows of every model, the one that reads most images first; by the number of images, or
        by the model's name where two read as many.

    Raises
    ------
    InputError
        If a file is missing or no such table.
    """
    table = pd.concat([_read_species(path, columns) for path in paths])
    models = table.sort_values("frames", ascending=False, kind="stable")
    parts = [part for _, part in models.groupby("model", sort=False)]
    frames = [int(part["frames"].iloc[0]) for part in parts]
    names = [f"{count} images" if count > 1 else "one image" for count in frames]
    if len(set(names)) < len(names):
        names = [
            f"{part['model'].iloc[0]}: {name}" for part, name in zip(parts, names, strict=True)
        ]
    return dict(zip(names, parts, strict=True))


def _read_species(path: Path | str, columns: Sequence[str]) -> pd.DataFrame:
    table = tables.read_csv(path, columns)
    if "model" not in table:
        raise InputError(f"{path}: the column 'model' is missing; make the table again")
    _check_doses(table, path)
    return table


def _check_doses(table: pd.DataFrame, path: Path | str) -> None:
    if table.empty or not (table["dose_e_per_A2"] > 0).all():
        raise InputError(f"{path}: there must be rows, and doses above zero in them")


def tilt_ranges(table: pd.DataFrame) -> list[tuple[float, float]]:
    """Give the ranges of tilts of a table, the smallest first.

    Parameters
    ----------
    table : DataFrame
        With ``tilt_low_deg, tilt_high_deg``.

    Returns
    -------
    list of (float, float)
        The ranges [°].
    """
    ranges = table[["tilt_low_deg", "tilt_high_deg"]].drop_duplicates()
    return sorted(map(tuple, ranges.to_numpy(float)), key=lambda ends: (ends[1], ends[0]))


def of_tilt(table: pd.DataFrame, tilt: tuple[float, float]) -> pd.DataFrame:
    """Choose the rows of a range of tilts, by rising dose.

    Parameters
    ----------
    table : DataFrame
        With ``tilt_low_deg, tilt_high_deg, dose_e_per_A2``.
    tilt : (float, float)
        The range [°].

    Returns
    -------
    DataFrame
        The rows.
    """
    chosen = (table["tilt_low_deg"] == tilt[0]) & (table["tilt_high_deg"] == tilt[1])
    return table[chosen].sort_values("dose_e_per_A2", kind="stable")


def nearest_dose(table: pd.DataFrame, dose: float) -> float:
    """Find the dose of a table that is nearest to a dose, as a ratio.

    Parameters
    ----------
    table : DataFrame
        With ``dose_e_per_A2``.
    dose : float
        The dose [e/Å²].

    Returns
    -------
    float
        The dose in the table.
    """
    doses = table["dose_e_per_A2"].unique()
    return float(doses[np.abs(np.log(doses / dose)).argmin()])


def pooled(rows: pd.DataFrame) -> pd.DataFrame:
    """Pool bins of several doses, by tenths of the stated probability.

    Parameters
    ----------
    rows : DataFrame
        ``confidence, columns, exact`` of bins.

    Returns
    -------
    DataFrame
        The same of the pooled bins.
    """
    tenth = np.minimum((rows["confidence"].to_numpy(float) * 10).astype(int), 9)
    columns = np.bincount(tenth, rows["columns"], 10)
    taken = columns > 0
    means = {
        name: np.bincount(tenth, rows[name] * rows["columns"], 10)[taken] / columns[taken]
        for name in ("confidence", "exact")
    }
    return pd.DataFrame(means | {"columns": columns[taken]})
