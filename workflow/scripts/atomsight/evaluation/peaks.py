"""Classical peak finding beside the network: local maxima of a filtered image.

The image is smoothed with a Gaussian, or goes through a negative Laplacian of one. The local maxima
are the candidates, and those above a threshold are columns. Filter, width and threshold are chosen
with the truth in hand, so this is the best result the method can have, not the one it would have in
practice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_laplace
from scipy.spatial import cKDTree
from skimage.feature import peak_local_max

from atomsight.evaluation import scores

#: Smallest distance of two peaks along either axis [Å], of columns and of atoms of a sheet. In a
#: sheet the flank of a brighter neighbour reaches into a wide window and hides a true peak: 0.8 Å
#: costs a tenth of F1 at 10 000 e/Å², and less than 0.4 Å gains nothing.
MIN_DISTANCE_A = 0.8
MIN_DISTANCE_IN_SHEETS_A = 0.4


@dataclass(frozen=True)
class Filter:
    """A ``gaussian`` or ``laplacian`` filter with the standard deviation of its Gaussian [Å]."""

    kind: str
    sigma_A: float

    def __str__(self) -> str:
        return f"{self.kind} {self.sigma_A:g} Å"


#: Filters among which the best is chosen.
FILTERS = tuple(
    Filter(kind, sigma_A)
    for kind in ("gaussian", "laplacian")
    for sigma_A in (0.3, 0.45, 0.6, 0.8, 1.0)
)


@dataclass(frozen=True)
class Peaks:
    """Local maxima of a filtered image: ``(x, y)`` [Å], and its value at each, in counts."""

    positions: np.ndarray
    heights: np.ndarray

    def above(self, threshold: float) -> np.ndarray:
        return self.positions[self.heights >= threshold]


def find_peaks(
    image: np.ndarray,
    pixel_size_A: float,
    chosen: Filter,
    min_distance_A: float = MIN_DISTANCE_A,
) -> Peaks:
    """Find all bright spots of an image of counts.

    They are the local maxima of the filtered image above zero, or above the median if it is only
    smoothed, each refined to the vertex of a parabola through three pixels along either axis.
    ``min_distance_A`` is the smallest distance of two of them along either axis.
    """
    sigma_px = chosen.sigma_A / pixel_size_A
    image = image.astype(float)
    if chosen.kind == "laplacian":
        response = -(sigma_px**2) * gaussian_laplace(image, sigma_px)
    else:
        response = gaussian_filter(image - np.median(image), sigma_px)
    pixels = peak_local_max(
        response,
        min_distance=max(1, round(min_distance_A / pixel_size_A)),
        threshold_abs=0.0,
        exclude_border=False,
    )
    rows, columns = pixels.T
    padded = np.pad(response, 1, mode="edge")
    # A pixel (row, column) of the response is (row + 1, column + 1) of the padded one.
    along_y = padded[rows[:, None] + np.arange(3), columns[:, None] + 1]
    along_x = padded[rows[:, None] + 1, columns[:, None] + np.arange(3)]
    shifts = np.stack([_vertex(along_x), _vertex(along_y)], axis=1)
    return Peaks((pixels[:, ::-1] + shifts) * pixel_size_A, response[rows, columns])


def _vertex(values: np.ndarray) -> np.ndarray:
    """Where between -½ and ½ the parabola through values at -1, 0 and 1 is highest."""
    left, middle, right = values.T
    bend = left - 2 * middle + right
    return np.clip((left - right) / np.where(bend < 0, 2 * bend, -np.inf), -0.5, 0.5)


def best_threshold(
    peaks: Sequence[Peaks], truths: Sequence[np.ndarray], radius_A: float
) -> tuple[float, float]:
    """Choose the threshold with the highest F1 over several images together, and give both.

    A true column counts once, by its highest peak.
    """
    heights = np.concatenate([one.heights for one in peaks])
    hits = np.concatenate(
        [_hits(one, true, radius_A) for one, true in zip(peaks, truths, strict=True)]
    )
    if not hits.any():
        return float("inf"), 0.0
    order = np.argsort(-heights, kind="stable")
    found = np.arange(1, len(order) + 1)
    f1 = 2 * np.cumsum(hits[order]) / (found + sum(len(true) for true in truths))
    # A threshold takes all peaks of its height.
    last = np.append(np.diff(heights[order]) != 0, True)
    best = int(np.where(last, f1, -1.0).argmax())
    return float(heights[order][best]), float(f1[best])


def _hits(peaks: Peaks, true: np.ndarray, radius_A: float) -> np.ndarray:
    """Whether every peak is the highest of those that are nearest to one true column."""
    distances, column = cKDTree(true).query(peaks.positions)
    order = np.lexsort((-peaks.heights, np.where(distances <= radius_A, column, len(true))))
    sorted_column = np.where(distances <= radius_A, column, len(true))[order]
    first = np.ones(len(order), bool)
    first[1:] = sorted_column[1:] != sorted_column[:-1]
    hits = np.empty(len(order), bool)
    hits[order] = first & (sorted_column < len(true))
    return hits


@dataclass(frozen=True)
class BestPeaks:
    """The best that peak finding can do with several images, and what is found in each [Å]."""

    chosen: Filter
    threshold: float
    found: list[np.ndarray]


def find_best(
    peaks: Sequence[dict[Filter, Peaks]],
    truths: Sequence[np.ndarray],
    radius_A: float = scores.MATCHING_RADIUS_A,
) -> BestPeaks:
    """Choose filter and threshold with the truth in hand, one pair for all images.

    Every image has its peaks by the filter, and the true positions, shape (T, 2) [Å].
    """
    thresholds = {
        one: best_threshold([image[one] for image in peaks], truths, radius_A) for one in peaks[0]
    }
    chosen = max(thresholds, key=lambda one: thresholds[one][1])
    threshold = thresholds[chosen][0]
    return BestPeaks(chosen, threshold, [image[chosen].above(threshold) for image in peaks])


def find_best_in_sheet(
    image: np.ndarray,
    pixel_size_A: float,
    true: np.ndarray,
    field_of_view_A: tuple[float, float],
) -> tuple[np.ndarray, str]:
    """Bright or dark peaks of a sheet, whichever suit the truth better, and how they are found."""
    both = []
    for sign, look in ((1, "bright"), (-1, "dark")):
        found = {
            one: find_peaks(sign * image, pixel_size_A, one, MIN_DISTANCE_IN_SHEETS_A)
            for one in FILTERS
        }
        best = find_best([found], [true])
        both.append((best.found[0], f"{look}, {best.chosen}"))
    return max(both, key=lambda one: scores.detection_scores(one[0], true, field_of_view_A).f1)
