"""What the figures of counted columns and named species are drawn from."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from atomsight.analysis.matching import match_atoms
from atomsight.config.evaluation import ClassScoreSettings
from atomsight.errors import InputError
from atomsight.evaluation import classification
from atomsight.files import layout, sealed, tables

#: Columns of numbers of a table of counted columns, besides ``p_1`` … ``p_N``.
HEIGHT_COLUMNS = ("frame", "x_A", "y_A", "height", "p_height", "expected_height", "reliable")

#: How columns that were found are paired with true ones, as for class_scores.csv.
PAIRING = ClassScoreSettings()

_SITE_COLUMNS = ("frame", "x_A", "y_A", "class", "p_class")
_TRUTH_COLUMNS = ["x_A", "y_A", "class"]


@dataclass(frozen=True)
class FocalImages:
    """The images of one specimen at different focus."""

    images: np.ndarray  # (F, H, W)
    focus_A: tuple[float, ...]  # underfocus positive; empty where it is not known
    pixel_size_A: float
    specimen: int  # its number in its file, from 0
    count: int  # specimens in the file
    #: Rows lost at the top and the bottom, columns at the left and the right, where not all images
    #: show the specimen once they are registered.
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
    """What is known of the specimen of a simulated focal series."""

    columns: pd.DataFrame  # x_A, y_A [Å] and class (text) of every site
    dose_e_per_A2: float  # of all images together
    field_of_view_A: tuple[float, float]  # (x, y), between centres of pixels, as recorded


def read_images(path: Path | str, specimen: int = 0) -> FocalImages:
    """Read the images of one specimen; one image where the file holds no focal series."""
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
    """Read the class map of a specimen, shape (H, W, C), and the names of the C classes.

    Class 0 is the background.
    """
    with layout.open_maps(path) as maps:
        if maps.maps.shape[:3] != (series.count, *series.images.shape[1:]):
            raise InputError(f"{path}: not the maps of these images; make them again")
        return maps.maps[series.specimen], maps.class_names


def read_sites(path: Path | str, specimen: int = 0) -> pd.DataFrame:
    """Read the sites of a specimen: ``frame, x_A, y_A, class, p_class`` and more."""
    with sealed.open_to_read(path) as file:
        sites = tables.read_table(file, "atoms", _SITE_COLUMNS)
    return sites[sites["frame"] == specimen].reset_index(drop=True)


def read_heights(path: Path | str, specimen: int = 0) -> pd.DataFrame:
    """Read the counted columns of a specimen, as ``count_columns.py`` writes them."""
    table = tables.read_csv(path, HEIGHT_COLUMNS, ("reason", "p_1"))
    # An empty text is read as not a number.
    table = table.assign(reason=table["reason"].fillna(""), reliable=table["reliable"].astype(bool))
    return table[table["frame"] == specimen].reset_index(drop=True)


def greatest_height(table: pd.DataFrame) -> int:
    """The last class of counted columns, N of ``p_1`` … ``p_N``: so many atoms or more."""
    return sum(name.startswith("p_") and name[2:].isdigit() for name in table.columns)


def read_truth(path: Path | str) -> SeriesTruth:
    """Read the truth of a simulated focal series, as ``simulate.py focal_series`` writes it."""
    with sealed.open_to_read(path) as file:
        columns = tables.read_table(file, "columns", _TRUTH_COLUMNS)[_TRUTH_COLUMNS]
        view_A = tuple(float(edge) for edge in file.attrs["field_of_view"])
        return SeriesTruth(columns, float(file.attrs["dose_e_per_A2"]), view_A)


def with_heights(truth: SeriesTruth, path: Path | str) -> SeriesTruth:
    """Add the ``height`` of the columns as a number; the path is for the message."""
    heights = pd.to_numeric(truth.columns["class"], errors="coerce")
    if heights.isna().any():
        raise InputError(f"{path}: its classes are no numbers of atoms; give the truth of columns")
    return replace(truth, columns=truth.columns.assign(height=heights.astype(int)))


def exact_counts(counted: pd.DataFrame, truth: SeriesTruth) -> tuple[int, int]:
    """Count the true columns that are counted exactly, and all, without the rim of the image.

    As the table of class scores does it; heights above the last class count as the last.
    """
    last = greatest_height(counted)
    found, true = (
        table.assign(**{"class": classification.cap_heights(table["height"], last)})
        for table in (counted.assign(p_class=counted["p_height"]), truth.columns)
    )
    limits = PAIRING.radius_A, PAIRING.border_A
    pairs = classification.pair_columns(found, true, truth.field_of_view_A, *limits)
    exact = int((pairs["found_class"] == pairs["true_class"]).sum())
    return exact, int((pairs["true_class"] != classification.NOTHING).sum())


def match(found: pd.DataFrame, true: pd.DataFrame) -> pd.DataFrame:
    """Pair what was found with what is there: adds ``found`` to the true sites, a row or -1."""
    positions = (table[["x_A", "y_A"]].to_numpy(float) for table in (found, true))
    found_index, true_index = match_atoms(*positions, PAIRING.radius_A)
    partner = np.full(len(true), -1)
    partner[true_index] = found_index
    return true.assign(found=partner)
