"""The mean image of a series, and the part of it that is substrate and not analysed.

The substrate may be given, as an image or a polygon. Otherwise it is what shows structure in all
frames but is not the particle. Noise is independent from frame to frame, so the means of the even
and of the odd frames correlate only where there is structure (as in Fourier shell correlation, here
in real space and locally).
"""

import json
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree
from skimage.draw import polygon2mask

from atomsight.analysis.dynamics.sites import Sites, site_table
from atomsight.config.analysis import SubstrateSettings
from atomsight.errors import InputError
from atomsight.files import provenance, sealed
from atomsight.files.records import Frames
from atomsight.reading.micrographs.cleaning import read_mask
from atomsight.reading.micrographs.recordings import edges_in_words, open_recording
from atomsight.reading.micrographs.resampling import resampled_shape

#: Gaussians that remove noise finer than columns, and what is wider than them [Å].
_FINE_SIGMA_A, _WIDE_SIGMA_A = 0.4, 3.0

#: At its edge structure fades to half; below this share of the strongest nearby it is outside.
_EDGE_SHARE = 0.25

#: Drift this close to whole pixels is whole.
_WHOLE_PX = 1e-6

#: Weight below which a local mean is over too little.
_MIN_WEIGHT = 1e-3


@dataclass(frozen=True)
class MeanImages:
    """Drift-corrected means on a grid in the coordinates of the reference."""

    mean: np.ndarray  # over all frames that are used; NaN where nothing was ever seen
    halves: np.ndarray  # over every other frame, each frame's mean subtracted; zero where not seen
    seen: np.ndarray  # number of frames that showed a pixel
    seen_by_both: np.ndarray  # whether both halves showed it
    pixel_size_A: float
    corner_A: np.ndarray  # position (x, y) of the centre of the first pixel

    def pixels(self, positions_A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row and column, not rounded, of positions of shape (N, 2) [Å]."""
        column, row = ((positions_A - self.corner_A) / self.pixel_size_A).T
        return row, column


def average_frames(frames: Frames, drift: pd.DataFrame) -> MeanImages:
    """Average the frames of a series, drift removed.

    One frame after another is read and added to the grid with bilinear weights, unusable pixels
    with weight zero.
    """
    used = np.flatnonzero(drift["used"].to_numpy(bool))
    shifts = drift[["y_A", "x_A"]].to_numpy(float)[used] / frames.pixel_size_A
    edges = np.array(frames.images.shape[1:])
    corner = np.floor(-shifts.max(axis=0) + _WHOLE_PX).astype(int)
    grid = np.ceil(-shifts.min(axis=0)).astype(int) + edges + 1 - corner
    sums, weights = np.zeros((2, *grid), np.float32), np.zeros((2, *grid), np.float32)
    seen = np.zeros(grid, int)
    level = 0.0
    places = np.maximum(-shifts - corner, 0)
    for turn, (frame, place) in enumerate(zip(used, places, strict=True)):
        usable = frames.usable[frame]
        image = np.asarray(frames.images[frame], np.float32)
        mean = image.mean(where=usable, dtype=float) if usable.any() else 0.0
        image = np.where(usable, image - mean, 0)
        level += mean / len(used)
        for (row, column), weight in _bilinear(place):
            part = np.s_[row : row + edges[0], column : column + edges[1]]
            sums[turn % 2][part] += weight * image
            weights[turn % 2][part] += weight * usable
        row, column = np.round(place).astype(int)
        seen[row : row + edges[0], column : column + edges[1]] += usable
    total = weights.sum(axis=0)
    mean = level + sums.sum(axis=0) / np.where(seen > 0, np.maximum(total, _MIN_WEIGHT), np.nan)
    return MeanImages(
        mean=mean.astype(np.float32),
        halves=sums / np.maximum(weights, _MIN_WEIGHT),
        seen=seen,
        seen_by_both=(weights > 0.5).all(axis=0),
        pixel_size_A=frames.pixel_size_A,
        corner_A=corner[::-1] * frames.pixel_size_A,
    )


def _bilinear(place: np.ndarray) -> list[tuple[tuple[int, int], float]]:
    """The four whole places around one, and their weights."""
    start = np.floor(place).astype(int)
    rest = place - start
    return [
        ((start[0] + down, start[1] + right), abs(1 - down - rest[0]) * abs(1 - right - rest[1]))
        for down in (0, 1)
        for right in (0, 1)
    ]


def find_substrate(images: MeanImages, sites: Sites, settings: SubstrateSettings) -> np.ndarray:
    """Find the substrate: what has structure in both halves of a series and is not the particle.

    True on the substrate, shape (H', W'); nowhere if there is no particle.
    """
    particle_A = particle_sites(sites, settings)
    if len(particle_A) == 0:
        return np.zeros(images.seen.shape, bool)
    distance_A = _distance_A(images, particle_A)
    apart = images.seen_by_both & (distance_A > settings.rim_A)
    structured = _structured(images, apart, settings)
    large = _large_pieces(structured, settings.min_area_A2 / images.pixel_size_A**2)
    if not large.any():
        return large
    # What was not looked at between particle and substrate is substrate up to the particle.
    to_substrate_A = _distance_px(~large) * np.float32(images.pixel_size_A)
    between = ~apart & (distance_A > settings.particle_A) & (to_substrate_A <= settings.rim_A)
    return large | between


def particle_sites(sites: Sites, settings: SubstrateSettings) -> np.ndarray:
    """Positions (M, 2) of the particle's sites [Å]: the largest group that is usually occupied."""
    usual = site_table(sites)["occurrence"].to_numpy() >= settings.min_occurrence
    places_A = sites.positions_A[usual]
    if len(places_A) == 0:
        return places_A
    pairs = KDTree(places_A).query_pairs(settings.link_A, output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(places_A), len(places_A)))
    groups = connected_components(links, directed=False)[1]
    return places_A[groups == np.bincount(groups).argmax()]


def _distance_A(images: MeanImages, places_A: np.ndarray) -> np.ndarray:
    """Distance of every pixel from the pixel of the nearest of some places [Å]."""
    places = np.round(np.stack(images.pixels(places_A), axis=1)).astype(int)
    elsewhere = np.ones(images.seen.shape, bool)
    elsewhere[tuple(np.clip(places, 0, np.array(elsewhere.shape) - 1).T)] = False
    return _distance_px(elsewhere) * np.float32(images.pixel_size_A)


def _distance_px(marked: np.ndarray) -> np.ndarray:
    """Distance of every marked pixel from the nearest that is not [pixel], in single precision."""
    return ndimage.distance_transform_edt(marked).astype(np.float32)


def _structured(images: MeanImages, apart: np.ndarray, settings: SubstrateSettings) -> np.ndarray:
    """Find where the halves correlate, using only what is apart from the particle."""

    def local_mean(values: np.ndarray, sigma_A: float) -> np.ndarray:
        sigma = sigma_A / images.pixel_size_A
        total = ndimage.gaussian_filter(np.where(apart, values, 0), sigma, mode="constant")
        weight = ndimage.gaussian_filter(apart.astype(np.float32), sigma, mode="constant")
        return total / np.maximum(weight, _MIN_WEIGHT)

    first, second = (
        local_mean(half, _FINE_SIGMA_A) - local_mean(half, _WIDE_SIGMA_A) for half in images.halves
    )
    shared = local_mean(first * second, settings.window_A)
    powers = [local_mean(half**2, settings.window_A) for half in (first, second)]
    power = np.sqrt(powers[0] * powers[1])
    reach = 2 * int(np.ceil(2 * settings.window_A / images.pixel_size_A)) + 1
    strongest = ndimage.maximum_filter(np.where(apart, shared, 0), reach)
    correlated = shared > settings.min_correlation * power
    return apart & correlated & (shared > _EDGE_SHARE * strongest)


def _large_pieces(marked: np.ndarray, min_px: float) -> np.ndarray:
    pieces, _ = ndimage.label(marked)
    sizes = np.bincount(pieces.ravel())
    is_large = sizes >= min_px
    is_large[0] = False
    return is_large[pieces]


def read_analysed(
    path: Path | str, images: MeanImages, shape: tuple[int, int], source_pixel_size_A: float
) -> np.ndarray:
    """Read where to analyse: an image or a polygon, in the coordinates of the first frame used.

    Inside of a polygon is analysed: ``.csv`` with the columns ``x_A, y_A`` or ``.json`` with a list
    of ``[x, y]`` [Å]. An image of any format, as recorded or as resampled, is not zero where to
    analyse; beyond the frame its nearest pixel counts. ``shape`` is that of the frames, the pixel
    size is as recorded. InputError if the file is missing or not such a mask, or leaves nothing to
    analyse.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: the mask does not exist; correct the column mask")
    if path.suffix.lower() in _POLYGONS:
        corners_A = read_polygon(path)
        analysed = polygon2mask(images.seen.shape, np.stack(images.pixels(corners_A), axis=1))
    else:
        analysed = _read_image(path, images, shape, source_pixel_size_A)
    if not (analysed & (images.seen > 0)).any():
        raise InputError(
            f"{path}: the mask leaves nothing of the frames to analyse; it must be nonzero, or its "
            "polygon must enclose, where to analyse"
        )
    return analysed


def read_polygon(path: Path | str) -> np.ndarray:
    """Read the corners (N, 2) of a polygon ``.csv`` or ``.json`` [Å], and check them."""
    path = Path(path)
    try:
        corners_A = np.asarray(_POLYGONS[path.suffix.lower()](path), float)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path}: not a polygon; write the columns x_A,y_A (.csv) or a list of [x, y] (.json), "
            "in Å"
        ) from error
    provenance.note_input(path)
    if corners_A.ndim != 2 or corners_A.shape[1] != 2 or not np.isfinite(corners_A).all():
        raise InputError(f"{path}: a corner of the polygon is not two numbers [Å]; correct it")
    if len(corners_A) < 3:
        raise InputError(
            f"{path}: the polygon has {len(corners_A)} corners; it needs at least three"
        )
    if np.linalg.matrix_rank(corners_A - corners_A[0]) < 2:
        raise InputError(f"{path}: all corners of the polygon are on one line; correct them")
    return corners_A


def _read_csv(path: Path) -> np.ndarray:
    return pd.read_csv(path)[["x_A", "y_A"]].to_numpy(float)


def _read_json(path: Path) -> list:
    return json.loads(path.read_text(encoding="utf-8"))


#: How polygons are read, by the end of the file's name.
_POLYGONS = {".csv": _read_csv, ".json": _read_json}


def _read_image(
    path: Path, images: MeanImages, shape: tuple[int, int], source_pixel_size_A: float
) -> np.ndarray:
    found = open_recording(path).shape[1:]
    step = images.pixel_size_A / source_pixel_size_A
    as_recorded = np.abs(np.subtract(resampled_shape(found, (step, step)), shape)).max() <= 1
    if tuple(found) != tuple(shape) and not as_recorded:
        raise InputError(
            f"{path}: the mask has {edges_in_words(found)} pixels, which is neither the size of "
            f"the micrographs as recorded nor as resampled ({edges_in_words(shape)})"
        )
    mask = read_mask(path, tuple(found))
    scale = 1.0 if tuple(found) == tuple(shape) else step
    corner = np.round(images.corner_A[::-1] / images.pixel_size_A).astype(int)
    rows, columns = (
        np.clip(np.round((np.arange(count) + first) * scale).astype(int), 0, edge - 1)
        for count, first, edge in zip(images.seen.shape, corner, found, strict=True)
    )
    return mask[np.ix_(rows, columns)]


def write_substrate(file: h5py.File, images: MeanImages, mask: np.ndarray, source: str) -> None:
    """Write the mean image of a series and its substrate into an open file.

    The source of the mask is ``automatic``, ``file: NAME`` or ``none``.
    """
    file.attrs.update(signal="mean_image", axes=["y", "x"], source=source)
    file.attrs.update(pixel_size_A=images.pixel_size_A, corner_A=images.corner_A)
    file.create_dataset("mean_image", data=images.mean).attrs["units"] = "counts"
    file.create_dataset("mask", data=mask, compression="gzip").attrs["units"] = ""
    file.create_dataset("seen", data=images.seen, compression="gzip").attrs["units"] = "frames"


def read_masked(path: Path | str, positions_A: np.ndarray) -> np.ndarray:
    """Tell which places are on the substrate, or where no frame shows anything.

    The places ``(x, y)`` are in the coordinates of the reference [Å].
    """
    with sealed.open_to_read(path) as file:
        masked = file["mask"][...] | (file["seen"][...] == 0)
        pixels = (positions_A - file.attrs["corner_A"]) / float(file.attrs["pixel_size_A"])
    places = np.round(pixels).astype(int)[:, ::-1]
    inside = ((places >= 0) & (places < masked.shape)).all(axis=1)
    outcome = np.ones(len(places), bool)
    outcome[inside] = masked[tuple(places[inside].T)]
    return outcome
