"""Centres of Gaussians from their sum."""

import numpy as np
import pytest

from atomsight.reading.gaussian_fit import fit_centres

SIGMA = 3.3
CENTRES = np.array([[8.3, 9.1], [17.2, 12.4], [30.0, -1.0], [29.6, 38.9]])
AMPLITUDES = np.array([1.0, 0.7, 0.9, 0.4])


def sum_of_gaussians(shape, centres, amplitudes, sigma):
    along_y, along_x = (
        np.exp(-(((np.arange(size)[:, None] - centre) / sigma) ** 2) / 2)
        for size, centre in zip(shape, centres.T, strict=True)
    )
    return (amplitudes * along_y) @ along_x.T


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


def test_a_sheet_is_fitted_as_its_atoms_are():
    """More atoms than are stepped together, each drawn by six neighbours at 3 σ."""
    down, right = np.indices((70, 70)).reshape(2, -1)
    centres = 5 + 10.0 * np.stack([down * 0.75**0.5, right + down % 2 / 2], axis=1)
    density = np.minimum(sum_of_gaussians((610, 710), centres, 1, SIGMA), 1)
    moved = centres + np.random.default_rng(0).uniform(-0.8, 0.8, centres.shape)
    np.testing.assert_allclose(fit_centres(density, moved, SIGMA), centres, atol=0.01)
