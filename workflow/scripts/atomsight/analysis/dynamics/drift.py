"""Drift of a series, from the maps of its frames and the columns found in them.

Every frame is registered with a running mean of the series: first its map, by cross-correlation,
then its columns, by the median of their displacements. Position in the frame = position in the
reference + drift; the reference is the first frame that is used.

The maps of a network are smooth and free of noise, so a frame belongs where the mean explains most
of its map. A lattice fits nearly as well one lattice vector further; there the columns at its edge
have no partner, which decides. Only the part in view of both counts (as in D. Padfield, *IEEE
Trans. Image Process.* 21, 2706 (2012)), so nothing wraps around, and a particle that has half left
the view is still placed where it belongs.

The series is gone through twice, forwards and backwards: the first frames are registered with a
mean of few frames, and a slip by a lattice vector among them is corrected on the way back.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from scipy import fft
from scipy.spatial import KDTree

from atomsight.config.analysis import DynamicsSettings
from atomsight.errors import InputError
from atomsight.files import sealed, tables

#: Pixels in which maps are compared [Å]: no larger than the Gaussian that stands for a column.
_COARSE_PIXEL_A = 0.4

#: Floor of the reference's square in view, as a share of the largest, against division by zero.
_MIN_SQUARES = 1e-3

#: Frames move little from one to the next: a step far beyond the first number [Å] must explain the
#: map better, by the second number, than one below it. It decides where lattice vectors tie.
_USUAL_STEP_A, _JUMP_DISCOUNT = 1.0, 0.05

#: A column of the reference counts if it is seen in this share of the recent frames ...
_ESTABLISHED = 0.2

#: ... and is dropped at this share.
_MIN_SHARE = 0.02

#: A first frame that none of so many following frames fits is not used.
_PATIENCE = 5


@dataclass(frozen=True)
class Columns:
    """Columns found in the frames of a series."""

    frames: np.ndarray  # of every column
    positions_A: np.ndarray  # (N, 2), (x, y) in that frame
    frame_shape: tuple[int, int, int]  # frames, rows, columns of pixels
    pixel_size_A: float

    @property
    def view_A(self) -> np.ndarray:
        """The last position ``(x, y)`` inside a frame [Å]; the first is zero."""
        return (np.array(self.frame_shape[:0:-1]) - 1) * self.pixel_size_A

    def by_frame(self) -> list[np.ndarray]:
        """Positions of the columns of every frame, F arrays of shape (M, 2) [Å]."""
        order = np.argsort(self.frames, kind="stable")
        ends = np.searchsorted(self.frames[order], np.arange(1, self.frame_shape[0]))
        return np.split(self.positions_A[order], ends)


def follow_drift(
    foreground: Callable[[int], np.ndarray], columns: Columns, settings: DynamicsSettings
) -> pd.DataFrame:
    """Drift of every frame.

    ``foreground`` gives the map of a frame by its number, the probability that there is a column;
    it is asked for one frame at a time.

    Returns
    -------
    DataFrame
        ``frame``, ``x_A, y_A`` (drift [Å], NaN where not used), ``columns`` (found in the frame),
        ``matched`` (of them, with a partner in the reference), ``used``. Not used are frames
        without columns and frames that do not fit the reference. A first frame that fits none of
        the next few is not used, unless no two frames fit.
    """
    positions = columns.by_frame()
    counts = np.array([len(found) for found in positions])
    if not counts.any():
        raise InputError(
            "no column is found in any frame, so nothing can be followed; check the frames, the "
            "model and segmentation.min_existence"
        )

    @functools.lru_cache(_PATIENCE + 1)
    def coarse_map(frame: int) -> np.ndarray:
        return _coarse(foreground(frame), columns.pixel_size_A)

    def start(frame: int) -> "_Reference":
        reference = _Reference(columns, settings)
        reference.add(coarse_map(frame), positions[frame], np.zeros(2))
        return reference

    first = _first_frame(counts, positions, coarse_map, start)
    reference = start(first)
    frames = [int(frame) for frame in np.flatnonzero(counts)]
    for frame in frames:
        if frame == first:
            continue
        drift_A, _, fits = reference.locate(coarse_map(frame), positions[frame])
        if fits:
            reference.add(coarse_map(frame), positions[frame], drift_A)

    drifts_A = np.full((len(counts), 2), np.nan)
    matches = np.zeros(len(counts), int)
    for frame in reversed(frames):
        drift_A, matches[frame], fits = reference.locate(coarse_map(frame), positions[frame])
        if fits:
            reference.add(coarse_map(frame), positions[frame], drift_A)
            drifts_A[frame] = drift_A
    used = np.isfinite(drifts_A).all(axis=1)
    if not used.any():
        raise InputError("no frame fits the others; lower dynamics.min_matched")
    drifts_A -= drifts_A[used.argmax()]
    return pd.DataFrame(
        {
            "frame": np.arange(len(counts)),
            "x_A": drifts_A[:, 0],
            "y_A": drifts_A[:, 1],
            "columns": counts,
            "matched": matches,
            "used": used,
        }
    )


def _first_frame(
    counts: np.ndarray,
    positions: list[np.ndarray],
    coarse_map: Callable[[int], np.ndarray],
    start: Callable[[int], "_Reference"],
) -> int:
    """Find the first frame that one of the next few fits; the first with enough columns if none."""
    usual = np.median(counts[counts > 0])
    candidates = np.flatnonzero(counts >= usual / 2)
    for index, first in enumerate(candidates[:-1]):
        reference = start(int(first))
        for frame in candidates[index + 1 : index + 1 + _PATIENCE]:
            if reference.locate(coarse_map(int(frame)), positions[frame])[2]:
                return int(first)
    return int(candidates[0])


def _coarse(foreground: np.ndarray, pixel_size_A: float) -> np.ndarray:
    """Mean over square blocks of pixels; what is missing in the last ones counts as zero."""
    block = _block(pixel_size_A)
    padded = np.pad(foreground, [(0, -edge % block) for edge in foreground.shape])
    blocks = padded.reshape(padded.shape[0] // block, block, padded.shape[1] // block, block)
    return blocks.mean(axis=(1, 3), dtype=np.float32)


def _block(pixel_size_A: float) -> int:
    return max(1, round(_COARSE_PIXEL_A / pixel_size_A))


class _Reference:
    """Running means of the maps and columns of a series in the coordinates of the reference.

    They are means over the frames in whose view they were, at first over all, later weighted to the
    recent ones.
    """

    def __init__(self, columns: Columns, settings: DynamicsSettings):
        self.settings = settings
        self.view_A = columns.view_A
        self.step_A = _block(columns.pixel_size_A) * columns.pixel_size_A
        self.map = np.zeros((0, 0), np.float32)  # in coarse pixels
        self.views = np.zeros((0, 0), np.float32)  # frames that showed a pixel
        self.corner = np.zeros(2, int)  # (row, column) of the first pixel, from the reference's
        self.positions_A = np.zeros((0, 2))  # mean (x, y) of the columns
        self.weights = np.zeros(0)  # share of the frames in which a column is seen
        self.seen = np.zeros(0)  # number of frames in which it was seen
        self.drift_A = np.zeros(2)  # of the last frame added
        self.frames = 0

    def add(self, picture: np.ndarray, found_A: np.ndarray, drift_A: np.ndarray) -> None:
        """Add a frame whose drift is known."""
        self.frames += 1
        self.drift_A = drift_A
        self._add_picture(picture, self._place(drift_A))
        self._add_columns(found_A - drift_A)

    def locate(self, picture: np.ndarray, found_A: np.ndarray) -> tuple[np.ndarray, int, bool]:
        """Find the drift of a frame, how many of its columns have a partner, and whether it fits.

        It fits if enough columns have a partner, of its own and of those the last frame showed.
        """
        expected = self.weights[self._in_view(self.drift_A) & self._established()].sum()
        drift_A, matched = self._refine(found_A, self._register_map(picture))
        wanted = self.settings.min_matched * max(len(found_A), expected)
        return drift_A, matched, matched > 0 and matched >= wanted

    def _place(self, drift_A: np.ndarray) -> np.ndarray:
        """Place (row, column) of a frame's first pixel, in coarse pixels."""
        return -np.round(drift_A[::-1] / self.step_A).astype(int)

    def _add_picture(self, picture: np.ndarray, place: np.ndarray) -> None:
        self._make_room(place, picture.shape)
        row, column = place - self.corner
        part = np.s_[row : row + picture.shape[0], column : column + picture.shape[1]]
        self.views[part] += 1
        self.map[part] += (picture - self.map[part]) * self._rate(self.views[part])

    def _rate(self, frames: np.ndarray) -> np.ndarray:
        """Weight of a new frame in a mean over this number of them."""
        return 1 / np.clip(frames, 1, self.settings.memory_frames)

    def _make_room(self, place: np.ndarray, shape: tuple[int, int]) -> None:
        if self.map.size == 0:
            self.corner = place
        before = np.maximum(self.corner - place, 0)
        after = np.maximum(place + shape - self.corner - self.map.shape, 0)
        if before.any() or after.any():
            padding = list(zip(before, after, strict=True))
            self.map, self.views = np.pad(self.map, padding), np.pad(self.views, padding)
            self.corner = self.corner - before

    def _add_columns(self, aligned_A: np.ndarray) -> None:
        in_view = self._in_view(self.drift_A)
        candidates = np.flatnonzero(in_view)
        new, old = _partners(aligned_A, self.positions_A[candidates], self.settings.site_radius_A)
        old = candidates[old]
        self.seen[old] += 1
        step = aligned_A[new] - self.positions_A[old]
        self.positions_A[old] += step * self._rate(self.seen[old])[:, None]
        rate = self._rate(self.frames)
        self.weights[in_view] *= 1 - rate
        self.weights[old] += rate
        kept = self.weights >= _MIN_SHARE
        unmatched = np.delete(aligned_A, new, axis=0)
        self.positions_A = np.concatenate([self.positions_A[kept], unmatched])
        self.weights = np.concatenate([self.weights[kept], np.full(len(unmatched), rate)])
        self.seen = np.concatenate([self.seen[kept], np.ones(len(unmatched))])

    def _in_view(self, drift_A: np.ndarray) -> np.ndarray:
        places_A = self.positions_A + drift_A
        return ((places_A >= 0) & (places_A <= self.view_A)).all(axis=1)

    def _established(self) -> np.ndarray:
        return self.weights >= _ESTABLISHED

    def _register_map(self, picture: np.ndarray) -> np.ndarray:
        """Find the drift [Å] at which a map fits best, up to a field of view from the last one."""
        shape = np.array(picture.shape)
        start = np.maximum(self._place(self.drift_A) - shape - self.corner, 0)
        stop = self._place(self.drift_A) + 2 * shape - self.corner
        part = np.s_[start[0] : stop[0], start[1] : stop[1]]
        score = _overlap(self.map[part], picture)
        origin = start + self.corner - shape + 1
        rows, columns = (
            (np.arange(count) + first) * self.step_A + last_A
            for count, first, last_A in zip(score.shape, origin, self.drift_A[::-1], strict=True)
        )
        jump = 1 - np.exp(-np.add.outer(rows**2, columns**2) / (2 * _USUAL_STEP_A**2))
        score *= 1 - _JUMP_DISCOUNT * jump
        place = np.array(np.unravel_index(score.argmax(), score.shape)) + origin
        return -place[::-1] * self.step_A

    def _refine(self, found_A: np.ndarray, drift_A: np.ndarray) -> tuple[np.ndarray, int]:
        """Move the columns onto their partners in the reference, twice, and count them."""
        known_A = self.positions_A[self._established()]
        for _ in range(2):
            new, old = _partners(found_A - drift_A, known_A, self.settings.site_radius_A)
            if len(new):
                drift_A = np.median(found_A[new] - known_A[old], axis=0)
        new, _ = _partners(found_A - drift_A, known_A, self.settings.site_radius_A)
        return drift_A, len(new)


def _overlap(reference: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Score a map at every place over the reference.

    The score is (Σ r m)² / Σ r², the part of the map's square that the reference r explains with
    the amplitude that suits it best; both sums go over the pixels of the map m. Entry [i, j] is for
    the first pixel of the map at row i − (H − 1) of the reference, and likewise for the column.
    """
    shape = np.array(reference.shape) + picture.shape - 1
    size = [fft.next_fast_len(int(edge), real=True) for edge in shape]

    def correlate(over: np.ndarray, under: np.ndarray) -> np.ndarray:
        turned = fft.rfft2(under[::-1, ::-1].astype(np.float32), size)
        return fft.irfft2(fft.rfft2(over, size) * turned, size)[: shape[0], : shape[1]]

    products = np.maximum(correlate(reference, picture), 0)
    squares = correlate(reference**2, np.ones_like(picture))
    return products**2 / np.maximum(squares, _MIN_SQUARES * squares.max())


def _partners(
    first: np.ndarray, second: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray]:
    """Find the pairs of two sets of positions that are each other's nearest, within a radius."""
    if len(first) == 0 or len(second) == 0:
        return np.zeros(0, int), np.zeros(0, int)
    distances, nearest = KDTree(second).query(first)
    _, back = KDTree(first).query(second)
    mutual = (back[nearest] == np.arange(len(first))) & (distances <= radius)
    return np.flatnonzero(mutual), nearest[mutual]


def read_columns(path: Path | str) -> Columns:
    """Read the columns of a series from a file of ``locate_atoms.py``, and check them."""
    with sealed.open_to_read(path) as file:
        atoms = tables.read_table(file, "atoms", ["frame", "x_A", "y_A"])
        shape = tuple(int(edge) for edge in file.attrs["frame_shape"])
        pixel_size_A = float(file.attrs["pixel_size_A"])
        positions_A = atoms[["x_A", "y_A"]].to_numpy(float)
        frames = atoms["frame"].to_numpy(int)
    bad = np.flatnonzero(~np.isfinite(positions_A).all(axis=1))
    if len(bad):
        raise InputError(f"{path}: row {bad[0]} of the table 'atoms' has no position; correct it")
    bad = np.flatnonzero((frames < 0) | (frames >= shape[0]))
    if len(bad):
        raise InputError(
            f"{path}: row {bad[0]} of the table 'atoms' is of frame {frames[bad[0]]}, but the "
            f"series has {shape[0]}; {sealed.remedy(path)}"
        )
    return Columns(frames, positions_A, shape, pixel_size_A)


def write_drift(file: h5py.File, drift: pd.DataFrame, columns: Columns) -> None:
    file.attrs.update(frame_shape=columns.frame_shape, pixel_size_A=columns.pixel_size_A)
    tables.write_table(file, "drift", drift)


def read_drift(path: Path | str, columns: Columns) -> pd.DataFrame:
    """Read what :func:`follow_drift` gave, and see that it is of the series of the columns."""
    with sealed.open_to_read(path) as file:
        drift = tables.read_table(file, "drift")
        shape = tuple(int(edge) for edge in file.attrs["frame_shape"])
        pixel_size_A = float(file.attrs["pixel_size_A"])
    if shape != columns.frame_shape or not math.isclose(pixel_size_A, columns.pixel_size_A):
        raise InputError(
            f"{path}: the drift is of {_in_words(shape, pixel_size_A)}, the columns of "
            f"{_in_words(columns.frame_shape, columns.pixel_size_A)}; make both from one series"
        )
    return drift


def _in_words(shape: tuple[int, int, int], pixel_size_A: float) -> str:
    return f"{shape[0]} frames of {shape[1]} × {shape[2]} pixels of {pixel_size_A:.4g} Å"
