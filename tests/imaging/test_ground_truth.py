"""Ground truth: Gaussians of amplitude one at the sites, and classes that sum to one."""

import keras
import numpy as np

from atomsight.imaging.ground_truth import class_maps

CELL_A = (20.0, 24.0)
PIXELS_A = 0.1 * np.arange(64)


def maps_of(sites, site_classes, rows=PIXELS_A, columns=PIXELS_A):
    given = (np.asarray(one, "float32")[None] for one in (rows, columns, sites, site_classes))
    return keras.ops.convert_to_numpy(class_maps(*given, 0.4, CELL_A))[0]


def test_a_site_is_a_gaussian_of_amplitude_one_at_its_place():
    rows, columns = 5 + 0.1 * np.arange(60), 3 + 0.1 * np.arange(80)
    maps = maps_of([[6.0, 8.0]], [[1.0]], rows, columns)
    square = (rows[:, None] - 8) ** 2 + (columns[None] - 6) ** 2
    np.testing.assert_allclose(maps[..., 1], np.exp(-square / (2 * 0.4**2)), atol=1e-4)


def test_classes_sum_to_one_even_where_sites_crowd():
    rng = np.random.default_rng(1)
    sites = rng.uniform(0, 20, (300, 2))
    site_classes = np.eye(3)[rng.integers(3, size=300)]
    maps = maps_of(sites, site_classes, 2 * PIXELS_A, 2 * PIXELS_A)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, atol=1e-5)
    assert maps.min() >= 0


def test_places_filled_up_and_other_classes_leave_no_trace():
    maps = maps_of([[2, 2], [4, 4], [0, 0]], [[1, 0], [0, 1], [0, 0]])
    assert maps[20, 20, 1] > 0.99
    assert maps[40, 40, 2] > 0.99
    assert maps[0, 0, 0] > 0.99


def test_the_specimen_is_periodic():
    here = maps_of([[1.0, 2.0]], [[1.0]])
    elsewhere = maps_of([[1.0 - 20.0, 2.0 + 48.0]], [[1.0]])
    np.testing.assert_allclose(here, elsewhere, atol=1e-4)
