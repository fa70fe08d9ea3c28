"""From class maps to atoms (the paper, eq 7 and 8)."""

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import ndtr
from skimage.measure import label
from skimage.morphology import local_minima

from atomsight.config.reading import SegmentationSettings
from atomsight.reading.gaussian_fit import fit_centres

#: Pixels that are worked on at a time, which bounds the memory beside that of the maps.
_TOGETHER = 2**21


def locate_atoms(
    maps: np.ndarray,
    pixel_size_A: float,
    class_names: tuple[str, ...],
    site_sigma_A: float,
    settings: SegmentationSettings,
) -> pd.DataFrame:
    """Find the atoms or columns in the class maps (H, W, C) of one frame.

    Minima of the background seed a watershed, limited at ε. A segment's class probabilities are
    the sums of the maps over its pixels (eq 7), its position is that of a Gaussian fitted together
    with those of its neighbours. It is an atom with the probability that its mass has, in units of
    the Gaussian that stands for one atom in the training, or of the part of it that lies in the
    image: trained with cross-entropy, a network predicts the expected value of that Gaussian, so
    the mass is the expected number of atoms. (Eq 8 compares the mass with the background in the
    segment instead, which depends on how much background the segment holds.)

    A map cut by the border may be that of an atom beyond it, which is left out.

    Class 0 and the first of ``class_names`` are the background; ``site_sigma_A`` is the standard
    deviation of the Gaussian of a site in the training [Å]. Rows are sorted by row and column of
    the image; ``p_class`` is the probability of the class, given that there is an atom.
    """
    background = np.ascontiguousarray(maps[..., 0])
    segments = segment(background, settings.background_limit)
    sums, centroids = segment_sums(maps, segments)
    sigma = site_sigma_A / pixel_size_A
    centres = atom_centres(background, segments, centroids, sigma)
    mass = sums[:, 1:].sum(axis=1)
    one_atom = 2 * np.pi * sigma**2 * share_in_image(centres, segments.shape, sigma)
    exists = np.minimum(mass / one_atom, 1.0)
    inside = ((centres > -0.5) & (centres < np.array(segments.shape) - 0.5)).all(axis=1)
    kept = inside & (exists >= settings.min_existence)
    y, x = centres[kept].T
    shares = tempered(sums[kept, 1:] / mass[kept, None], settings.inverse_temperature or 1)
    table = {
        "atom": np.arange(np.count_nonzero(kept)),
        "x_A": x * pixel_size_A,
        "y_A": y * pixel_size_A,
        "class": np.asarray(class_names[1:], dtype=object)[shares.argmax(axis=1)],
        "p_class": shares.max(axis=1, initial=0),
        "p_exists": exists[kept],
    }
    columns = {f"p_{name}": shares[:, index] for index, name in enumerate(class_names[1:])}
    return pd.DataFrame(table | columns)


def tempered(shares: np.ndarray, inverse_temperature: float) -> np.ndarray:
    """Raise probabilities (N, C) to a power and normalise them, so that they are calibrated.

    Means over pixels and orientations are less certain than each of their parts, though they are
    right more often. The exponent is one over the temperature of Guo et al., arXiv:1706.04599.
    """
    powers = shares**inverse_temperature
    return powers / powers.sum(axis=1, keepdims=True)


def segment(background: np.ndarray, limit: float) -> np.ndarray:
    """Divide a map of the background's probability into one segment per minimum, numbered from 1.

    From every pixel the lowest of the eight around it leads down to a minimum: a watershed. Pixels
    above the limit ε belong to none: 0. So do those of level places that are no minimum.
    """
    seeds = label(local_minima(background, connectivity=2) & (background < limit), connectivity=2)
    lower, owners = _lowest_neighbours(background), seeds.ravel()
    lower.ravel()[owners > 0] = np.flatnonzero(owners)
    goes_on = True
    while goes_on:
        goes_on = False
        for rows in _strips(lower):
            lowest = lower.ravel()[lower[rows]]
            goes_on |= not np.array_equal(lowest, lower[rows])
            lower[rows] = lowest
    for rows in _strips(lower):
        lower[rows] = np.where(background[rows] < limit, owners[lower[rows]], 0)
    return lower


def _lowest_neighbours(values: np.ndarray) -> np.ndarray:
    """For every pixel, the index (H, W) of the lowest among itself and the eight around it.

    Indexes count along the rows, from one to the next.
    """
    height, width = values.shape
    indexes = np.arange(values.size, dtype="int32").reshape(values.shape)
    for rows in _strips(values):
        beyond = int(rows.start == 0), int(rows.stop == height)
        near = values[rows.start - 1 + beyond[0] : rows.stop + 1]
        around = np.pad(near, (beyond, (1, 1)), constant_values=np.inf)
        lowest, steps = values[rows].copy(), np.zeros(values[rows].shape, "int32")
        for down, right in itertools.product((0, 1, 2), repeat=2):
            other = around[down : down + len(lowest), right : right + width]
            lower = other < lowest
            np.copyto(lowest, other, where=lower)
            np.copyto(steps, (down - 1) * width + right - 1, where=lower)
        indexes[rows] += steps
    return indexes


def _strips(values: np.ndarray) -> Iterator[slice]:
    """Cut an array (H, W, …) into strips of rows of a bounded number of pixels."""
    height, width = values.shape[:2]
    step = max(1, _TOGETHER // max(width, 1))
    return (slice(first, min(first + step, height)) for first in range(0, height, step))


def atom_centres(
    background: np.ndarray, segments: np.ndarray, centroids: np.ndarray, sigma: float
) -> np.ndarray:
    """Rows and columns (S, 2) of the Gaussians in the segments [pixel].

    Where the fit leaves its segment, the segment's centroid. Beyond the border the segment goes on.
    """
    centres = fit_centres(1 - background, centroids, sigma)
    rows, columns = np.clip(np.rint(centres).astype(int), 0, np.array(segments.shape) - 1).T
    stayed = segments[rows, columns] == np.arange(1, len(centres) + 1)
    return np.where(stayed[:, None], centres, centroids)


def share_in_image(centres: np.ndarray, shape: tuple[int, int], sigma: float) -> np.ndarray:
    """Share of Gaussians around centres (S, 2) that lies in the pixels of an image."""
    near, far = (-0.5 - centres) / sigma, (np.array(shape) - 0.5 - centres) / sigma
    return (ndtr(far) - ndtr(near)).prod(axis=1)


def segment_sums(maps: np.ndarray, segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the class maps (H, W, C) over the pixels of every segment, shape (S, C).

    Also the segments' centroids (S, 2), rows and columns [pixel], weighted by one minus the
    background.
    """
    count = int(segments.max(initial=0)) + 1
    totals = np.zeros((maps.shape[-1] + 3, count))
    for rows in _strips(segments):
        owner, part = segments[rows].ravel(), maps[rows]
        weight = 1 - part[..., 0].astype(float)
        down, right = np.ogrid[rows, : segments.shape[1]]
        values = (*np.moveaxis(part, -1, 0), weight, weight * down, weight * right)
        for total, one in zip(totals, values, strict=True):
            total += np.bincount(owner, one.ravel(), minlength=count)
    sums, mass, moments = np.split(totals[:, 1:].T, [-3, -2], axis=1)
    return sums, moments / np.maximum(mass, np.finfo(float).tiny)
