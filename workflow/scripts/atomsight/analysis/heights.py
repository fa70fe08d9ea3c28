"""The number of atoms in a column: its distribution, and when not to rely on it."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_edt

from atomsight.config.analysis import HeightSettings
from atomsight.errors import InputError

#: Why a count is not reliable; the first one that holds is given.
UNUSABLE = "unusable pixels"
EDGE = "edge of the image"
ABOVE = "above the model's range"
UNCERTAIN = "uncertain"

#: Columns of a table of atoms that are probabilities, but not of a class.
_NOT_CLASSES = ("p_class", "p_exists")


def height_columns(columns: Iterable[str], where: str) -> list[str]:
    """Find the columns ``p_1`` … ``p_N`` that hold the probabilities of the heights.

    InputError, with ``where`` the table comes from, if the classes of the model are not the numbers
    1 … N, with N at least two.
    """
    names = [name[2:] for name in columns if name.startswith("p_") and name not in _NOT_CLASSES]
    wanted = [str(height) for height in range(1, len(names) + 1)]
    if len(names) < 2 or names != wanted:
        raise InputError(
            f"{where}: the classes of the model are {', '.join(names) or 'missing'}, not numbers "
            "of atoms 1, 2, …; read the images with a model that counts, such as gold_heights"
        )
    return [f"p_{name}" for name in names]


def count_columns(
    atoms: pd.DataFrame,
    is_clear: np.ndarray,
    image_shape: tuple[int, int],
    pixel_size_A: float,
    settings: HeightSettings,
    where: str = "the table of atoms",
) -> pd.DataFrame:
    """Count the atoms in columns, and say which counts not to rely on.

    Parameters
    ----------
    atoms : DataFrame
        Columns that were found: ``frame, atom, x_A, y_A, p_exists`` and ``p_1`` … ``p_N``, the
        probabilities of the heights, given that there is a column.
    is_clear : ndarray of bool
        Whether the pixels around a column are usable.
    where : str
        Where the table comes from, for the message.

    Returns
    -------
    DataFrame
        ``frame, column, x_A, y_A, p_exists, p_1 … p_N, height`` (the most likely number of atoms),
        ``p_height`` (its probability), ``expected_height`` (the mean of the distribution),
        ``reliable`` and ``reason`` (why it is not; empty where it is). The last class of a model
        holds all greater heights too: where it is the most likely one, height and expected height
        are lower bounds, and the reason says so.
    """
    names = height_columns(atoms.columns, where)
    probabilities = atoms[names].to_numpy(float)
    kept = atoms[["frame", "atom", "x_A", "y_A", "p_exists", *names]]
    table = kept.rename(columns={"atom": "column"}).reset_index(drop=True)
    table["height"] = probabilities.argmax(axis=1) + 1
    table["p_height"] = probabilities.max(axis=1)
    table["expected_height"] = probabilities @ np.arange(1, len(names) + 1)
    is_edge = _edge_distance(table, image_shape, pixel_size_A) < settings.border_A
    reasons = {
        UNUSABLE: ~np.asarray(is_clear, bool),
        EDGE: is_edge,
        ABOVE: table["height"].to_numpy() == len(names),
        UNCERTAIN: table["p_height"].to_numpy() < settings.min_probability,
    }
    reason = np.select(list(reasons.values()), list(reasons), default="")
    table["reliable"] = reason == ""
    table["reason"] = reason.astype(object)
    return table


def _edge_distance(
    table: pd.DataFrame, image_shape: tuple[int, int], pixel_size_A: float
) -> np.ndarray:
    """Distance of every row from the nearest edge of the image [Å]."""
    points = table[["x_A", "y_A"]].to_numpy(float) + pixel_size_A / 2
    return np.minimum(points, np.array(image_shape[::-1]) * pixel_size_A - points).min(axis=1)


def clear_of_unusable(
    points: np.ndarray, usable: np.ndarray, pixel_size_A: float, clear_A: float
) -> np.ndarray:
    """Tell the points ``(x, y)`` [Å] that are farther than ``clear_A`` from any unusable pixel."""
    if usable.all():
        return np.ones(len(points), bool)
    pixels = np.rint(points / pixel_size_A).astype(int)
    x, y = np.clip(pixels, 0, np.array(usable.shape[::-1]) - 1).T
    return distance_transform_edt(usable)[y, x] * pixel_size_A > clear_A
