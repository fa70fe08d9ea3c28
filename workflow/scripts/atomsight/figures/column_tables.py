"""What the figures of counted columns and named species are drawn from."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from atomsight.analysis.matching import match_atoms
from atomsight.errors import InputError
from atomsight.evaluation import classification
from atomsight.evaluation.scores import BORDER_A
from atomsight.files import layout, sealed, tables

#: Columns of numbers of a table of counted columns, besides ``p_1`` … ``p_N``.
HEIGHT_COLUMNS = ("frame", "x_A", "y_A", "height", "p_height", "expected_height", "reliable")

#: Largest distance of a column that was found from the true one [Å], as for class_scores.csv.
RADIUS_A = 0.6

_SITE_COLUMNS = ("frame", "x_A", "y_A", "class", "p_class")
_TRUTH_COLUMNS = ["x_A", "y_A", "class"]


@dataclass(frozen=True)
class FocalImages:
    """The images of one specimen at different focus.

    Attributes
    ----------
    images : ndarray of shape (F, H, W)
        The images, in their order.
    focus_A : tuple of F floats
        Defocus of the images, underfocus positive [Å]; empty where it is not known.
    pixel_size_A : float
        Size of a pixel [Å].
    specimen : int
        Number of the specimen in its file, from 0.
    count : int
        Number of specimens in the file.
    rim_px : tuple of 2 pairs of int
        Rows lost at the top and the bottom, columns at the left and the right, where not all images
        show the specimen because they have been laid over each other.
    """

    images: np.ndarray
    focus_A: tuple[float, ...]
    pixel_size_A: float
    specimen: int
    count: int
    rim_px: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))

    @property
    def view_A(self) -> np.ndarray:
        """First and last edge ``(x, y)`` of what all images show, shape (2, 2) [Å]."""
        (top, bottom), (left, right) = self.rim_px
        rows, columns = self.images.shape[1:]
        edges = np.array([[left, top], [columns - right, rows - bottom]])
        return (edges - 0.5) * self.pixel_size_A


@dataclass(frozen=True)
class SeriesTruth:
    """What is known of the specimen of a simulated focal series.

    Attributes
    ----------
    columns : DataFrame
        ``x_A, y_A`` [Å] and ``class`` (text) of every site.
    dose_e_per_A2 : float
        Dose of all images together [e/Å²].
    field_of_view_A : tuple of 2 floats
        Distance ``(x, y)`` from the centre of the first pixel to that of the last, as recorded [Å].
    """

    columns: pd.DataFrame
    dose_e_per_A2: float
    field_of_view_A: tuple[float, float]


def read_images(path: Path | str, specimen: int = 0) -> FocalImages:
    """Read the images of one specimen.

    Parameters
    ----------
    path : path
        A file of ``import_series.py``.
    specimen : int
        Number of the specimen, from 0.

    Returns
    -------
    FocalImages
        Its images; one image where the file holds no focal series.

    Raises
    ------
    InputError
        If the file is missing or of another kind, or has no such specimen.
    """
    with layout.open_frames(path) as frames:
        size = frames.frames_per_specimen
        count = frames.images.shape[0] // size
        if not 0 <= specimen < count:
            raise InputError(f"{path}: there is no specimen {specimen}; they run to {count - 1}")
        chosen = slice(specimen * size, (specimen + 1) * size)
        images, usable = frames.images[chosen], np.all(frames.usable[chosen], axis=0)
        focus_A, pixel_size_A = tuple(frames.focus_A), frames.pixel_size_A
    rim_px = tuple(_lost(usable.mean(axis=axis) > 0.5) for axis in (1, 0))
    return FocalImages(images, focus_A, pixel_size_A, specimen, count, rim_px)


def _lost(is_kept: np.ndarray) -> tuple[int, int]:
    """Count what is not kept at the beginning and at the end."""
    if not is_kept.any():
        return 0, 0
    return int(is_kept.argmax()), int(is_kept[::-1].argmax())


def read_map(path: Path | str, series: FocalImages) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read the class maps of a specimen.

    Parameters
    ----------
    path : path
        A file of ``map_classes.py``.
    series : FocalImages
        The images of the specimen.

    Returns
    -------
    maps : ndarray of shape (H, W, C)
        Probabilities; class 0 is the background.
    class_names : tuple of C str
        Names of the classes.

    Raises
    ------
    InputError
        If the file is missing or of another kind, or does not fit the images.
    """
    with layout.open_maps(path) as maps:
        if maps.maps.shape[:3] != (series.count, *series.images.shape[1:]):
            raise InputError(f"{path}: not the maps of these images; make them again")
        return maps.maps[series.specimen], maps.class_names


def read_sites(path: Path | str, specimen: int = 0) -> pd.DataFrame:
    """Read the sites of a specimen, with their classes.

    Parameters
    ----------
    path : path
        A file of ``locate_atoms.py``.
    specimen : int
        Number of the specimen, from 0.

    Returns
    -------
    DataFrame
        One row per site: ``frame, x_A, y_A, class, p_class`` and more.

    Raises
    ------
    InputError
        If the file is missing or of another kind.
    """
    with sealed.open_to_read(path) as file:
        sites = tables.read_table(file, "atoms", _SITE_COLUMNS)
    return sites[sites["frame"] == specimen].reset_index(drop=True)


def read_heights(path: Path | str, specimen: int = 0) -> pd.DataFrame:
    """Read the counted columns of a specimen.

    Parameters
    ----------
    path : path
        A table of ``count_columns.py``.
    specimen : int
        Number of the specimen, from 0.

    Returns
    -------
    DataFrame
        One row per column: :data:`HEIGHT_COLUMNS`, ``p_1`` … ``p_N`` and ``reason``.

    Raises
    ------
    InputError
        If the file is missing or no such table.
    """
    table = tables.read_csv(path, HEIGHT_COLUMNS)
    if "reason" not in table or "p_1" not in table:
        raise InputError(f"{path}: the column 'reason' or 'p_1' is missing; make the table again")
    # An empty text is read as not a number.
    table = table.assign(reason=table["reason"].fillna(""), reliable=table["reliable"].astype(bool))
    return table[table["frame"] == specimen].reset_index(drop=True)


def greatest_height(table: pd.DataFrame) -> int:
    """Give the last class of a table of counted columns: that many atoms or more.

    Parameters
    ----------
    table : DataFrame
        A table of :func:`read_heights`.

    Returns
    -------
    int
        N of ``p_1`` … ``p_N``.
    """
    return sum(name.startswith("p_") and name[2:].isdigit() for name in table.columns)


def read_truth(path: Path | str) -> SeriesTruth:
    """Read the truth of a simulated focal series.

    Parameters
    ----------
    path : path
        A truth file of ``simulate.py focal_series``.

    Returns
    -------
    SeriesTruth
        The sites, the dose and the field of view.

    Raises
    ------
    InputError
        If the file is missing or of another kind.
    """
    with sealed.open_to_read(path) as file:
        columns = tables.read_table(file, "columns", _TRUTH_COLUMNS)[_TRUTH_COLUMNS]
        view_A = tuple(float(edge) for edge in file.attrs["field_of_view"])
        return SeriesTruth(columns, float(file.attrs["dose_e_per_A2"]), view_A)


def with_heights(truth: SeriesTruth, path: Path | str) -> SeriesTruth:
    """Give the truth with the heights of the columns as numbers.

    Parameters
    ----------
    truth : SeriesTruth
        The truth.
    path : path
        Where it comes from, for the message.

    Returns
    -------
    SeriesTruth
        The same; its ``columns`` have ``height`` too.

    Raises
    ------
    InputError
        If a class is no number of atoms.
    """
    heights = pd.to_numeric(truth.columns["class"], errors="coerce")
    if heights.isna().any():
        raise InputError(f"{path}: its classes are no numbers of atoms; give the truth of columns")
    return replace(truth, columns=truth.columns.assign(height=heights.astype(int)))


def exact_counts(counted: pd.DataFrame, truth: SeriesTruth) -> tuple[int, int]:
    """Count the true columns that are counted exactly, as ``score.py classes`` does.

    Parameters
    ----------
    counted : DataFrame
        A table of :func:`read_heights`.
    truth : SeriesTruth
        What :func:`with_heights` gives; greater heights than the last class count as it.

    Returns
    -------
    exact, columns : int
        Those counted exactly, and all; without the rim of the image.
    """
    last = greatest_height(counted)
    found, true = (
        table.assign(**{"class": classification.cap_heights(table["height"], last)})
        for table in (counted.assign(p_class=counted["p_height"]), truth.columns)
    )
    pairs = classification.pair_columns(found, true, truth.field_of_view_A, RADIUS_A, BORDER_A)
    exact = int((pairs["found_class"] == pairs["true_class"]).sum())
    return exact, int((pairs["true_class"] != classification.NOTHING).sum())


def match(found: pd.DataFrame, true: pd.DataFrame) -> pd.DataFrame:
    """Pair what was found with what is there.

    Parameters
    ----------
    found, true : DataFrame
        Sites, with ``x_A, y_A`` [Å].

    Returns
    -------
    DataFrame
        One row per true site, ``found``: the row of its partner, or -1.
    """
    positions = (table[["x_A", "y_A"]].to_numpy(float) for table in (found, true))
    found_index, true_index = match_atoms(*positions, RADIUS_A)
    partner = np.full(len(true), -1)
    partner[true_index] = found_index
    return true.assign(found=partner)
