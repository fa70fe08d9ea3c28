"""Tables of scores that the figures of counted columns and named species are drawn from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from atomsight.config.evaluation import MAIN_CAMERA
from atomsight.errors import InputError
from atomsight.files import tables

_CONDITIONS = ("tilt_low_deg", "tilt_high_deg", "dose_e_per_A2")

#: Columns of numbers that are drawn of the tables of ``evaluate.py heights``, besides ``method``.
COUNT_COLUMNS = {
    "summary": (
        *_CONDITIONS,
        "columns",
        "exact",
        "exact_low",
        "exact_high",
        "off_by_1",
        "off_by_2",
        "off_by_3plus",
        "calibration_error",
    ),
    "confusion": (*_CONDITIONS, "true_height", "counted_height", "columns"),
    "reliability": (*_CONDITIONS, "confidence", "columns", "exact"),
    "abstention": (*_CONDITIONS, "answered_share", "error"),
}


def read(path: Path | str, numbers: Sequence[str], words: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table of scores by dose, which must have columns of numbers and of words."""
    table = tables.read_csv(path, numbers, words)
    if table.empty or not (table["dose_e_per_A2"] > 0).all():
        raise InputError(f"{path}: there must be rows, and doses above zero in them")
    return table


def of_main_camera(table: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows of the camera that takes images at all doses."""
    return table[table["camera"] == MAIN_CAMERA].reset_index(drop=True)


def read_counts(path: Path | str, name: str = "summary") -> pd.DataFrame:
    """Read a table of :data:`COUNT_COLUMNS`: scores of counts by method, tilt and dose.

    They are of the main camera, and so are those of :func:`read_species`.
    """
    table = of_main_camera(read(path, COUNT_COLUMNS[name], ("method", "camera")))
    return table.assign(method=table["method"].astype(str))


def of_network(table: pd.DataFrame, path: Path | str) -> pd.DataFrame:
    """Choose the rows of the network, of which there must be some; the path is for the message."""
    rows = table[table["method"] == "network"]
    if rows.empty:
        raise InputError(f"{path}: no row has the method 'network'; evaluate a network")
    return rows.reset_index(drop=True)


def read_species(paths: Sequence[Path | str], columns: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Read how well species are named, by dose, the model that reads most images first.

    The keys are numbers of images, with the model's name where two read as many.
    """
    table = pd.concat([of_main_camera(read(path, columns, ("model", "camera"))) for path in paths])
    models = table.sort_values("frames", ascending=False, kind="stable")
    parts = [part for _, part in models.groupby("model", sort=False)]
    frames = [int(part["frames"].iloc[0]) for part in parts]
    names = [f"{count} images" if count > 1 else "one image" for count in frames]
    if len(set(names)) < len(names):
        names = [
            f"{part['model'].iloc[0]}: {name}" for part, name in zip(parts, names, strict=True)
        ]
    return dict(zip(names, parts, strict=True))


def tilt_ranges(table: pd.DataFrame) -> list[tuple[float, float]]:
    """The ranges of tilts of a table [°], the smallest first."""
    ranges = table[["tilt_low_deg", "tilt_high_deg"]].drop_duplicates()
    return sorted(map(tuple, ranges.to_numpy(float)), key=lambda ends: (ends[1], ends[0]))


def of_tilt(table: pd.DataFrame, tilt: tuple[float, float]) -> pd.DataFrame:
    """Choose the rows of a range of tilts [°], by rising dose."""
    chosen = (table["tilt_low_deg"] == tilt[0]) & (table["tilt_high_deg"] == tilt[1])
    return table[chosen].sort_values("dose_e_per_A2", kind="stable")


def nearest_dose(table: pd.DataFrame, dose: float) -> float:
    """The dose of a table that is nearest to a dose as a ratio [e/Å²]."""
    doses = table["dose_e_per_A2"].unique()
    return float(doses[np.abs(np.log(doses / dose)).argmin()])


def pooled(rows: pd.DataFrame) -> pd.DataFrame:
    """Pool ``confidence, columns, exact`` of bins by tenths of the stated probability."""
    tenth = np.minimum((rows["confidence"].to_numpy(float) * 10).astype(int), 9)
    columns = np.bincount(tenth, rows["columns"], 10)
    taken = columns > 0
    means = {
        name: np.bincount(tenth, rows[name] * rows["columns"], 10)[taken] / columns[taken]
        for name in ("confidence", "exact")
    }
    return pd.DataFrame(means | {"columns": columns[taken]})
