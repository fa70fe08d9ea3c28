"""The distribution of random graphene-like sheets."""

import numpy as np
import pytest
from made_inputs import pairs_within

from atomsight.materials import graphene

SETTINGS = graphene.Settings()
SIZE_A = SETTINGS.size_A


def make(seed, **changes):
    return graphene.make_structure(SETTINGS.but(**changes), np.random.default_rng(seed))


def neighbour_counts(sheet, reach_A=1.25 * graphene.BOND_A):
    pairs, _ = pairs_within(sheet.sites, reach_A, SIZE_A)
    return np.bincount(pairs.ravel(), minlength=len(sheet.sites))


@pytest.fixture(scope="module")
def sheets():
    return [make(seed) for seed in range(10)]


def test_bonds_are_those_of_graphene(sheets):
    lengths = np.concatenate([pairs_within(sheet.sites, 1.9, SIZE_A)[1] for sheet in sheets])
    assert 1.42 <= np.median(lengths) <= 1.46
    assert np.mean((lengths > 1.2) & (lengths < 1.65)) >= 0.97
    assert lengths.min() > 1.0


def test_interior_atoms_have_three_neighbours():
    counts = [neighbour_counts(make(seed, max_holes=0)) for seed in range(8)]
    assert np.mean(np.concatenate(counts) == 3) >= 0.95


def test_rings_are_mostly_of_five_to_eight():
    sizes = []
    for seed in range(5):
        rings = graphene.ring_centres(SETTINGS, np.random.default_rng(seed))
        _, members = graphene.periodic_triangles(rings, SIZE_A)
        sizes.append(np.bincount(members.ravel()))
    sizes = np.concatenate(sizes)
    assert np.mean((sizes >= 5) & (sizes <= 8)) > 0.97
    assert np.mean(sizes == 6) > 0.5


def test_holes_remove_atoms_and_leave_no_dangling_ones(sheets):
    counts = [len(sheet.sites) for sheet in sheets]
    assert max(counts) > 1.15 * min(counts)
    assert min(neighbour_counts(sheet).min() for sheet in sheets) >= 2


def test_density_of_rings_varies_as_asked():
    counts = [
        len(graphene.ring_centres(SETTINGS.but(lloyd_steps=(0, 0)), np.random.default_rng(i)))
        for i in range(12)
    ]
    relative = np.array(counts) * graphene.RING_AREA_A2 / SIZE_A**2
    assert 0.955 < relative.min() < relative.max() < 1.045
    assert np.ptp(relative) > 0.03


def test_coordination_defects_have_two_and_four_neighbours():
    crowded = [make(seed, max_defects=0.03, max_holes=0) for seed in range(5)]
    counts = [neighbour_counts(sheet, reach_A=1.9) for sheet in crowded]
    found = np.bincount(np.concatenate(counts), minlength=8)
    assert found[2] > 10
    assert found[4] > 10
    assert found[3] > 0.85 * found.sum()
    assert found[:2].sum() == 0


def test_second_neighbours_share_one_neighbour():
    chain = np.array([[0, 1], [1, 2], [2, 3]])
    assert graphene.second_neighbours(chain, 4).tolist() == [[0, 2], [1, 3]]
    triangle = np.array([[0, 1], [1, 2], [0, 2]])
    assert len(graphene.second_neighbours(triangle, 3)) == 0
