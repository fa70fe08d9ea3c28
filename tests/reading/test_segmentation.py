"""From maps to atoms."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree
from skimage.measure import label
from skimage.morphology import local_minima
from skimage.segmentation import watershed

from atomsight.config.reading import SegmentationSettings
from atomsight.reading import segmentation
from atomsight.reading.segmentation import locate_atoms, segment

PIXEL_A = 0.12
SIGMA_A = 0.4
SETTINGS = SegmentationSettings(background_limit=0.995, min_existence=0.5)
CLASSES = ("background", "metal", "pair", "single")


def maps_of(*sites, shares=(1, 0, 0), pixel_A=PIXEL_A, sigma_A=SIGMA_A, size_A=(14.4, 19.2)):
    """Maps of sites, with the probabilities of their classes, as in the training."""
    rows, columns = (np.arange(round(edge / pixel_A)) * pixel_A for edge in size_A)
    x, y = np.array(sites, dtype=float).reshape(-1, 2).T[..., None]
    along_x, along_y = (
        np.exp(-(((pixels - centre) / sigma_A) ** 2) / 2)
        for pixels, centre in ((columns, x), (rows, y))
    )
    shares = np.resize(shares, (len(sites), 3))
    sums = np.einsum("sc,sh,sw->hwc", shares, along_y, along_x, optimize=True)
    total = sums.sum(axis=-1, keepdims=True)
    maps = [1 - np.minimum(total, 1), sums / np.maximum(total, 1)]
    return np.concatenate(maps, axis=-1).astype("float32")


def atoms_of(maps, settings=SETTINGS, pixel_A=PIXEL_A, sigma_A=SIGMA_A):
    return locate_atoms(maps, pixel_A, CLASSES, sigma_A, settings)


def largest_error_A(atoms, sites):
    """Distance of the site that is farthest from an atom found; there is one atom per site."""
    assert len(atoms) == len(sites)
    return KDTree(atoms[["x_A", "y_A"]]).query(sites)[0].max()


def pairs_of(distance_A, rng):
    """Pairs of sites, far from each other, anywhere on the pixels and in any direction."""
    middles = np.stack(np.mgrid[3:18:5, 3:13:5], axis=-1).reshape(-1, 2)
    middles = middles + rng.uniform(-0.3, 0.3, middles.shape)
    angles = rng.uniform(0, 2 * np.pi, len(middles))
    halves = distance_A / 2 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return np.concatenate([middles - halves, middles + halves])


def test_an_atom_between_pixels_is_found_where_it_is():
    sites = [(4.037, 7.951), (9.9, 3.333), (13.21, 11.07)]
    atoms = atoms_of(maps_of(*sites))
    found = atoms[["x_A", "y_A"]].to_numpy()
    np.testing.assert_allclose(found[np.argsort(found[:, 0])], sites, atol=1e-4)
    np.testing.assert_allclose(atoms["p_exists"], 1, atol=0.02)


@pytest.mark.parametrize("pixel_A", [0.05, 0.12, 0.24])
@pytest.mark.parametrize("sigma_A", [0.4, 0.5])
def test_neighbours_do_not_draw_each_other(pixel_A, sigma_A):
    sites = pairs_of(1.2, np.random.default_rng(0))
    shares = np.eye(3)[np.arange(len(sites)) % 3]
    maps = maps_of(*sites, shares=shares, pixel_A=pixel_A, sigma_A=sigma_A)
    atoms = atoms_of(maps, pixel_A=pixel_A, sigma_A=sigma_A)
    assert largest_error_A(atoms, sites) < 0.001


def test_every_atom_of_a_flake_of_graphene_is_where_it_is():
    cells = np.stack(np.mgrid[-3:4, -3:4], axis=-1).reshape(-1, 2)
    lattice = 1.42 * np.sqrt(3) * cells @ [[1, 0], [0.5, np.sqrt(0.75)]]
    flake = np.concatenate([lattice, lattice + np.array([0, 1.42])])
    sites = flake[(flake**2).sum(axis=1) < 5.5**2] + (9.03, 7.04)
    assert largest_error_A(atoms_of(maps_of(*sites)), sites) < 0.001


@pytest.mark.parametrize("sigma_A", [0.4, 0.6])
def test_an_atom_cut_by_the_border_is_whole_and_where_it_is(sigma_A):
    right, below = 19.2 - PIXEL_A, 14.4 - PIXEL_A
    sites = [(4.03, 0.0), (0.11, 6.0), (right + 0.05, 7.0), (9.0, below - 0.3), (right, below)]
    atoms = atoms_of(maps_of(*sites, sigma_A=sigma_A), sigma_A=sigma_A)
    assert largest_error_A(atoms, sites) < 0.001
    np.testing.assert_allclose(atoms["p_exists"], 1, atol=0.02)


def test_an_atom_beyond_the_border_is_left_out():
    maps = maps_of((-0.1, 6.0), (8.0, 14.4), (8.0, 7.0))
    assert largest_error_A(atoms_of(maps, SETTINGS.but(min_existence=0.0)), [(8.0, 7.0)]) < 0.001


def test_blurred_maps_of_neighbours_are_told_apart():
    """An atom whose place is known to 0.2 Å shows as a wider Gaussian of the same mass."""
    sites = pairs_of(1.42, np.random.default_rng(1))
    width_A = np.hypot(SIGMA_A, 0.2)
    maps = maps_of(*sites, shares=((SIGMA_A / width_A) ** 2, 0, 0), sigma_A=width_A)
    assert largest_error_A(atoms_of(maps), sites) < 0.02


def test_class_probabilities_are_the_shares_of_the_maps():
    atom = atoms_of(maps_of((8.0, 7.0), shares=(0, 0.7, 0.3))).iloc[0]
    assert atom["class"] == "pair"
    assert atom["p_pair"] == atom["p_class"] == pytest.approx(0.7, abs=1e-4)
    assert atom["p_metal"] + atom["p_pair"] + atom["p_single"] == pytest.approx(1)


def test_an_unsure_atom_exists_with_the_probability_of_its_map():
    maps = maps_of((5.0, 5.0), (12.0, 9.0), shares=[[0.9, 0, 0], [0.3, 0, 0]])
    atoms = atoms_of(maps, SETTINGS.but(min_existence=0.0))
    np.testing.assert_allclose(np.sort(atoms["p_exists"]), [0.3, 0.9], atol=0.03)
    assert len(atoms_of(maps)) == 1


def test_a_saturated_top_is_one_atom():
    maps = maps_of((8.0, 7.0))
    maps[..., 1] = np.minimum(2 * maps[..., 1], 1)
    maps[..., 0] = 1 - maps[..., 1]
    assert len(atoms_of(maps)) == 1


def test_nothing_is_found_in_nothing():
    atoms = atoms_of(maps_of())
    assert len(atoms) == 0
    assert list(atoms.columns) == [
        *("atom", "x_A", "y_A", "class", "p_class", "p_exists"),
        *("p_metal", "p_pair", "p_single"),
    ]


def test_segments_are_those_of_a_watershed_that_floods_the_map():
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(150, 170)), 2).astype("float32")
    background = (noise - noise.min()) / np.ptp(noise)
    foreground = background < 0.8
    seeds = label(local_minima(background, connectivity=2) & foreground, connectivity=2)
    flooded = watershed(background, seeds, connectivity=2, mask=foreground)
    segments = segment(background, 0.8)
    assert (segments[~foreground] == 0).all()
    assert (segments == flooded).mean() > 0.99


def test_atoms_do_not_depend_on_how_much_of_the_map_is_worked_on_at_a_time(monkeypatch):
    """Segments reach across the strips, as they must."""
    noise = gaussian_filter(np.random.default_rng(2).normal(size=(151, 170)), 2)
    maps = np.exp(-2 * (noise - noise.min())[..., None] * [1, 3, 2, 2]).astype("float32")
    maps /= maps.sum(axis=-1, keepdims=True)
    whole = atoms_of(maps, SETTINGS.but(min_existence=0.0))
    monkeypatch.setattr(segmentation, "_TOGETHER", 170 * 4)
    in_strips = atoms_of(maps, SETTINGS.but(min_existence=0.0))
    assert len(whole) > 100
    pd.testing.assert_frame_equal(in_strips, whole, rtol=1e-9)


def test_memory_is_less_than_three_times_that_of_the_map(monkeypatch):
    """The map itself included; what grows with the atoms is left out, there being two."""
    monkeypatch.setattr(segmentation, "_TOGETHER", 2**14)
    few = maps_of((30.0, 25.0), (50.0, 60.0), size_A=(122.88, 122.88))[..., :2]
    maps = np.ascontiguousarray(few)
    tracemalloc.start()
    try:
        atoms = locate_atoms(maps, PIXEL_A, CLASSES[:2], SIGMA_A, SETTINGS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(atoms) == 2
    assert peak < 2 * maps.nbytes
