"""Sites: the places of a series at which columns are seen, and the frames in which they are.

All columns are moved into the coordinates of the reference. Where they are dense is a site; its
position is the mean of its columns. In every frame a site has one column or none, or is not known,
because it is out of view or the frame is not used.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import ndimage
from scipy.spatial import KDTree
from skimage.feature import peak_local_max

from atomsight.analysis.dynamics.drift import Columns
from atomsight.analysis.dynamics.occupancy import EMPTY, SEEN, UNKNOWN
from atomsight.config.analysis import DynamicsSettings

#: Standard deviation of the Gaussian that stands for a column in the density [Å].
_DENSITY_SIGMA_A = 0.35

#: Pixel of the density [Å].
_DENSITY_PIXEL_A = 0.15

#: How often columns are assigned to sites and sites moved to their means.
_ROUNDS = 2


@dataclass(frozen=True)
class Sites:
    """Sites and the frames in which they are occupied."""

    positions_A: np.ndarray  # (S, 2), (x, y) in the coordinates of the reference, sorted
    occupied: np.ndarray  # (S, F): 1 seen, 0 not seen, -1 not in view or frame not used


def find_sites(columns: Columns, drift: pd.DataFrame, settings: DynamicsSettings) -> Sites:
    """Find the sites of a series; none if there are no columns in the frames that are used.

    ``drift`` is as from :func:`atomsight.analysis.dynamics.drift.follow_drift`.
    """
    used = drift["used"].to_numpy(bool)
    shifts_A = drift[["x_A", "y_A"]].to_numpy(float)
    taken = used[columns.frames]
    frames = columns.frames[taken]
    aligned_A = columns.positions_A[taken] - shifts_A[frames]

    places_A = density_maxima(aligned_A, settings.min_distance_A)
    for _ in range(_ROUNDS):
        site, row = assign_columns(aligned_A, frames, places_A, settings.site_radius_A)
        places_A = _means(aligned_A[row], site, places_A)
    site, row = assign_columns(aligned_A, frames, places_A, settings.site_radius_A)

    known = in_view(places_A, shifts_A, columns.view_A, settings.border_A) & used
    occupied = np.where(known, EMPTY, UNKNOWN).astype(np.int8)
    occupied[site, frames[row]] = SEEN
    occupied[~known] = UNKNOWN

    seen = (occupied == SEEN).sum(axis=1)
    least = np.minimum(settings.min_seen, np.count_nonzero(used))
    least = np.maximum(least, settings.min_occurrence * known.sum(axis=1))
    kept = np.flatnonzero(known.any(axis=1) & (seen >= least))
    kept = kept[np.lexsort(places_A[kept].T)]
    return Sites(places_A[kept], occupied[kept])


def density_maxima(positions_A: np.ndarray, min_distance_A: float) -> np.ndarray:
    """Find the local maxima of the density of columns, (S, 2) in Å, to a pixel of the density.

    Of maxima closer than ``min_distance_A`` only the highest counts.
    """
    if len(positions_A) == 0:
        return np.zeros((0, 2))
    sigma_px = _DENSITY_SIGMA_A / _DENSITY_PIXEL_A
    reach_px = min_distance_A / _DENSITY_PIXEL_A
    margin = int(np.ceil(max(reach_px, 4 * sigma_px)))
    corner_A = positions_A.min(axis=0) - margin * _DENSITY_PIXEL_A
    column, row = np.round((positions_A - corner_A) / _DENSITY_PIXEL_A).astype(int).T
    density = np.zeros((row.max() + margin + 1, column.max() + margin + 1), np.float32)
    np.add.at(density, (row, column), 1)
    density = ndimage.gaussian_filter(density, sigma_px, mode="constant")
    steps = np.arange(-int(reach_px), int(reach_px) + 1)
    places = peak_local_max(
        density,
        min_distance=max(1, int(reach_px)),
        p_norm=2,
        footprint=np.hypot(*np.meshgrid(steps, steps)) <= reach_px,
        threshold_abs=0,
        exclude_border=False,
    )
    return places[:, ::-1] * _DENSITY_PIXEL_A + corner_A


def assign_columns(
    positions_A: np.ndarray, frames: np.ndarray, places_A: np.ndarray, radius_A: float
) -> tuple[np.ndarray, np.ndarray]:
    """Assign every column to its nearest site, and of several in one frame only the nearest.

    The result are pairs, indexes of sites and of columns (N, 2) of all frames in the coordinates of
    the reference.
    """
    if len(places_A) == 0 or len(positions_A) == 0:
        return np.zeros(0, int), np.zeros(0, int)
    distance, site = KDTree(places_A).query(positions_A)
    order = np.lexsort((distance, frames, site))
    order = order[distance[order] <= radius_A]
    pairs = np.stack([site[order], frames[order]])
    is_first = np.ones(len(order), bool)
    is_first[1:] = (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)
    chosen = order[is_first]
    return site[chosen], chosen


def _means(positions_A: np.ndarray, site: np.ndarray, places_A: np.ndarray) -> np.ndarray:
    """Mean position of the columns of every site; a site without columns stays where it is."""
    counts = np.bincount(site, minlength=len(places_A))[:, None]
    sums = [np.bincount(site, along, minlength=len(places_A)) for along in positions_A.T]
    return np.where(counts > 0, np.stack(sums, axis=1) / np.maximum(counts, 1), places_A)


def in_view(
    places_A: np.ndarray, shifts_A: np.ndarray, view_A: np.ndarray, border_A: float
) -> np.ndarray:
    """Tell in which frames sites are in view, shape (S, F).

    ``shifts_A`` (F, 2) is NaN where the drift is not known; ``view_A`` is the last position
    ``(x, y)`` inside a frame, the first is zero. Within ``border_A`` of the border a site is not in
    view.
    """
    inside = [
        (along >= border_A) & (along <= view - border_A)
        for along, view in zip(
            (np.add.outer(places_A[:, axis], shifts_A[:, axis]) for axis in (0, 1)),
            view_A,
            strict=True,
        )
    ]
    return inside[0] & inside[1]


def site_table(sites: Sites) -> pd.DataFrame:
    """Count how often sites are occupied and how often that changes.

    ``occurrence`` is seen / in view, ``events`` are changes between successive frames in both of
    which the site is in view, ``event_rate`` is events / number of such pairs, NaN without any.
    """
    known = sites.occupied != UNKNOWN
    seen = (sites.occupied == SEEN).sum(axis=1)
    pairs = known[:, 1:] & known[:, :-1]
    changes = pairs & (sites.occupied[:, 1:] != sites.occupied[:, :-1])
    pair_counts = pairs.sum(axis=1)
    return pd.DataFrame(
        {
            "site": np.arange(len(seen)),
            "x_A": sites.positions_A[:, 0],
            "y_A": sites.positions_A[:, 1],
            "frames_in_view": known.sum(axis=1),
            "frames_seen": seen,
            "occurrence": seen / known.sum(axis=1),
            "events": changes.sum(axis=1),
            "event_rate": changes.sum(axis=1) / np.where(pair_counts > 0, pair_counts, np.nan),
        }
    )
