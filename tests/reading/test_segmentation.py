"""From maps to atoms."""

import numpy as np
import pytest

from atomsight.config.reading import SegmentationSettings
from atomsight.reading.segmentation import locate_atoms

PIXEL_A = 0.12
SIGMA_A = 0.4
SETTINGS = SegmentationSettings(background_limit=0.995, min_existence=0.5)
CLASSES = ("background", "metal", "pair", "single")


def maps_of(*sites, shares=(1, 0, 0)):
    """Maps of sites, with the probabilities of their classes."""
    y, x = np.indices((120, 160, 1))[:2] * PIXEL_A
    maps = np.zeros((120, 160, 3))
    for (site_x, site_y), share in zip(sites, np.resize(shares, (len(sites), 3)), strict=True):
        square = (x - site_x) ** 2 + (y - site_y) ** 2
        maps += share * np.exp(-square / (2 * SIGMA_A**2))
    return np.concatenate([1 - maps.sum(axis=-1, keepdims=True), maps], axis=-1).astype("float32")


def atoms_of(maps, settings=SETTINGS):
    return locate_atoms(maps, PIXEL_A, CLASSES, SIGMA_A, settings)


def test_an_atom_between_pixels_is_found_where_it_is():
    sites = [(4.037, 7.951), (9.9, 3.333), (13.21, 11.07)]
    atoms = atoms_of(maps_of(*sites))
    found = atoms[["x_A", "y_A"]].to_numpy()
    np.testing.assert_allclose(found[np.argsort(found[:, 0])], sites, atol=0.002)
    np.testing.assert_allclose(atoms["p_exists"], 1, atol=0.02)


def test_neighbours_in_graphene_are_told_apart():
    atoms = atoms_of(maps_of((8.0, 7.0), (9.42, 7.0)))
    np.testing.assert_allclose(np.sort(atoms["x_A"]), [8.0, 9.42], atol=0.02)


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
