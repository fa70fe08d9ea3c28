"""Centres of Gaussians from their sum."""

import numpy as np
import pytest

from atomsight.reading.gaussian_fit import fit_centres, sum_of_gaussians

SIGMA = 3.3
CENTRES = np.array([[8.3, 9.1], [17.2, 12.4], [30.0, -1.0], [29.6, 38.9]])
AMPLITUDES = np.array([1.0, 0.7, 0.9, 0.4])


def test_gaussians_add_up_also_where_they_are_cut_by_the_border():
    rows, columns = np.indices((32, 40))[..., None]
    square = (rows - CENTRES[:, 0]) ** 2 + (columns - CENTRES[:, 1]) ** 2
    expected = (AMPLITUDES * np.exp(-square / (2 * SIGMA**2))).sum(axis=-1)
    total = sum_of_gaussians((32, 40), CENTRES, AMPLITUDES, SIGMA)
    np.testing.assert_allclose(total, expected, atol=1e-3)


@pytest.mark.parametrize("finer", [1, 3])
def test_centres_are_found_from_about_where_they_are(finer):
    """A finer map says nothing more."""
    shape, centres = (32 * finer, 40 * finer), CENTRES * finer
    density = sum_of_gaussians(shape, centres, AMPLITUDES, SIGMA * finer)
    moved = centres + finer * np.random.default_rng(0).uniform(-1.5, 1.5, centres.shape)
    found = fit_centres(density, moved, SIGMA * finer)
    np.testing.assert_allclose(found, centres, atol=0.01 * finer)


def test_where_the_sum_is_more_than_one_the_map_says_no_more():
    centres = CENTRES[:2]
    density = np.minimum(sum_of_gaussians((32, 40), centres, np.ones(2), SIGMA), 1)
    assert (density == 1).any()
    found = fit_centres(density, centres + np.array([[0.8, -0.5], [-0.4, 0.9]]), SIGMA)
    np.testing.assert_allclose(found, centres, atol=0.01)


def test_without_gaussians_there_is_nothing_to_fit():
    assert fit_centres(np.zeros((20, 20)), np.empty((0, 2)), SIGMA).shape == (0, 2)
