"""The distribution of random graphene-like sheets."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from atomsight.materials import graphene

SETTINGS = graphene.Settings()


def neighbours(atoms, size, reach=1.9):
    pairs = cKDTree(atoms, boxsize=size).query_pairs(reach, output_type="ndarray")
    apart = atoms[pairs[:, 0]] - atoms[pairs[:, 1]]
    apart -= size * np.round(apart / size)
    return pairs, np.linalg.norm(apart, axis=1)


@pytest.fixture(scope="module")
def sheets():
    return [graphene.make_structure(SETTINGS, np.random.default_rng(i)) for i in range(10)]


def test_bonds_are_those_of_graphene(sheets):
    lengths = np.concatenate([neighbours(sheet.sites, 43.2)[1] for sheet in sheets])
    assert 1.42 <= np.median(lengths) <= 1.46
    assert np.mean((lengths > 1.2) & (lengths < 1.65)) >= 0.97
    assert lengths.min() > 1.0


def test_interior_atoms_have_three_neighbours():
    whole = SETTINGS.but(max_holes=0)
    threes = []
    for seed in range(8):
        sites = graphene.make_structure(whole, np.random.default_rng(seed)).sites
        pairs, _ = neighbours(sites, 43.2, reach=1.25 * graphene.BOND_A)
        threes += list(np.bincount(pairs.ravel(), minlength=len(sites)) == 3)
    assert np.mean(threes) >= 0.95


def test_rings_are_mostly_of_five_to_eight():
    sizes = []
    for seed in range(5):
        rings = graphene.ring_centres(SETTINGS, np.random.default_rng(seed))
        _, members = graphene.periodic_triangles(rings, 43.2)
        sizes.append(np.bincount(members.ravel()))
    sizes = np.concatenate(sizes)
    assert np.mean((sizes >= 5) & (sizes <= 8)) > 0.97
    assert np.mean(sizes == 6) > 0.5


def test_holes_remove_atoms_and_leave_no_dangling_ones(sheets):
    counts = [len(sheet.sites) for sheet in sheets]
    assert max(counts) > 1.15 * min(counts)
    for sheet in sheets:
        pairs, _ = neighbours(sheet.sites, 43.2, reach=1.25 * graphene.BOND_A)
        assert np.bincount(pairs.ravel(), minlength=len(sheet.sites)).min() >= 2


def test_density_of_rings_varies_as_asked():
    counts = [
        len(graphene.ring_centres(SETTINGS.but(lloyd_steps=(0, 0)), np.random.default_rng(i)))
        for i in range(12)
    ]
    relative = np.array(counts) * graphene.RING_AREA_A2 / 43.2**2
    assert 0.955 < relative.min() < relative.max() < 1.045
    assert np.ptp(relative) > 0.03


def test_coordination_defects_have_two_and_four_neighbours():
    crowded = SETTINGS.but(max_defects=0.03, max_holes=0)
    found = np.zeros(8, dtype=int)
    for seed in range(5):
        sites = graphene.make_structure(crowded, np.random.default_rng(seed)).sites
        pairs, _ = neighbours(sites, 43.2)
        found += np.bincount(np.bincount(pairs.ravel(), minlength=len(sites)), minlength=8)
    assert found[2] > 10
    assert found[4] > 10
    assert found[3] > 0.85 * found.sum()
    assert found[:2].sum() == 0


def test_second_neighbours_share_one_neighbour():
    chain = np.array([[0, 1], [1, 2], [2, 3]])
    assert graphene.second_neighbours(chain, 4).tolist() == [[0, 2], [1, 3]]
    triangle = np.array([[0, 1], [1, 2], [0, 2]])
    assert len(graphene.second_neighbours(triangle, 3)) == 0
