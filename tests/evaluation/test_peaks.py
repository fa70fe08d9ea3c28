"""Peak finding: where peaks are, and what the best threshold is."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from atomsight.evaluation import peaks
from atomsight.evaluation.peaks import Filter, Peaks

PIXEL_A = 0.125
FILTER = Filter("laplacian", 0.45)


def spots(positions, shape=(160, 200), sigma_A=0.4, heights=None):
    y, x = np.indices(shape) * PIXEL_A
    heights = np.ones(len(positions)) if heights is None else heights
    squares = [(x - px) ** 2 + (y - py) ** 2 for px, py in positions]
    return 10 + sum(
        h * np.exp(-square / (2 * sigma_A**2)) for h, square in zip(heights, squares, strict=True)
    )


POSITIONS = np.array([[5.03, 6.31], [9.77, 12.0], [18.2, 5.5], [14.9, 14.96], [7.2, 15.1]])


@pytest.mark.parametrize("kind", ["gaussian", "laplacian"])
def test_spots_are_found_between_the_pixels(kind):
    found = peaks.find_peaks(spots(POSITIONS), PIXEL_A, Filter(kind, 0.45))
    best = found.positions[np.argsort(-found.heights)[:5]]
    order = np.lexsort(POSITIONS.T), np.lexsort(np.round(best, 1).T)
    assert np.abs(best[order[1]] - POSITIONS[order[0]]).max() < 0.01


def test_a_flat_image_has_no_peaks_and_dark_spots_are_none():
    assert len(peaks.find_peaks(np.full((60, 60), 7.0), PIXEL_A, FILTER).heights) == 0
    found = peaks.find_peaks(20 - spots(POSITIONS), PIXEL_A, FILTER)
    distances = np.linalg.norm(found.positions[:, None] - POSITIONS, axis=2)
    assert distances.min(initial=9) > 0.5


def test_a_bright_neighbour_hides_a_faint_atom_of_a_sheet_only_in_a_wide_window():
    pair = np.array([[9.0, 9.0], [10.0, 10.0]])  # a bond, turned where a square reaches farthest
    image = spots(pair, heights=[1, 4])
    wide, narrow = (
        len(peaks.find_peaks(image, PIXEL_A, FILTER, min_A).above(0.1))
        for min_A in (peaks.MIN_DISTANCE_A, peaks.MIN_DISTANCE_IN_SHEETS_A)
    )
    assert (wide, narrow) == (1, 2)


def test_higher_spots_have_higher_peaks():
    found = peaks.find_peaks(spots(POSITIONS, heights=[1, 2, 3, 4, 5]), PIXEL_A, FILTER)
    strongest = found.positions[np.argsort(-found.heights)[:5]]
    assert_allclose(strongest, POSITIONS[::-1], atol=0.02)


def test_the_best_threshold_separates_columns_from_noise():
    true = np.array([[0, 0], [5, 5], [9, 0.0]])
    found = Peaks(
        positions=np.array([[0.1, 0], [5, 5.2], [20, 3], [9, 0.1], [30, 30], [0.2, 0.1]]),
        heights=np.array([10.0, 8, 2, 7, 1, 3]),
    )
    threshold, f1 = peaks.best_threshold([found], [true], 0.6)
    assert (threshold, f1) == (7.0, 1.0)
    # A second peak at a column that has one is false.
    threshold, f1 = peaks.best_threshold([Peaks(found.positions[[0, 5]], np.ones(2))], [true], 0.6)
    assert_allclose(f1, 2 / 5)


def test_the_threshold_is_shared_by_all_images():
    true = np.array([[0.0, 0.0]])
    one = Peaks(np.array([[0, 0], [8, 8.0]]), np.array([5.0, 4.0]))
    other = Peaks(np.array([[0, 0], [8, 8.0]]), np.array([3.0, 2.0]))
    threshold, f1 = peaks.best_threshold([one, other], [true, true], 0.6)
    assert threshold == 3.0
    assert_allclose(f1, 2 * 2 / (3 + 2))


def test_nothing_found_is_no_error():
    nothing = Peaks(np.empty((0, 2)), np.empty(0))
    assert peaks.best_threshold([nothing], [np.zeros((1, 2))], 0.6) == (float("inf"), 0.0)


def test_of_several_filters_the_best_is_taken():
    rng = np.random.default_rng(0)
    image = rng.poisson(spots(POSITIONS, heights=np.full(5, 8.0), sigma_A=0.6)).astype(float)
    candidates = {one: peaks.find_peaks(image, PIXEL_A, one) for one in peaks.FILTERS}
    best = peaks.find_best([candidates], [POSITIONS], 0.6)
    scores = {s: peaks.best_threshold([p], [POSITIONS], 0.6)[1] for s, p in candidates.items()}
    assert scores[best.chosen] == max(scores.values())
    assert len(best.found) == 1
    assert_allclose(best.found[0], candidates[best.chosen].above(best.threshold))
