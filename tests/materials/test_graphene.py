"""The distribution of random graphene-like sheets."""

import numpy as np
import pytest
from made_inputs import order, pairs_within

from atomsight.materials import graphene

#: Few coordination defects: what is stated is of the lattice between them.
FEW_DEFECTS = graphene.Settings(max_defects=0.01)
SETTINGS = FEW_DEFECTS.but(grain_share=0.0)
GRAINS = FEW_DEFECTS.but(grain_share=1.0)
#: Nothing but the network: no strain, no hole, no atom added, merged or taken out.
WHOLE = {"density_variation": 0.0, "max_defects": 0.0, "max_holes": 0}
SIZE_A = SETTINGS.size_A
#: Where the orientational correlation g6 is stated [Å].
G6_A = (3, 6, 10, 15)


def make(seed, settings=SETTINGS, **changes):
    return graphene.make_structure(settings.but(**changes), np.random.default_rng(seed))


def neighbour_counts(sheet, reach_A=1.25 * graphene.BOND_A):
    pairs, _ = pairs_within(sheet.sites, reach_A, SIZE_A)
    return np.bincount(pairs.ravel(), minlength=len(sheet.sites))


@pytest.fixture(scope="module", params=[SETTINGS, GRAINS], ids=["disordered", "grains"])
def sheets(request):
    return [make(seed, request.param) for seed in range(10)]


def test_bonds_are_those_of_graphene(sheets):
    lengths = np.concatenate([pairs_within(sheet.sites, 1.9, SIZE_A)[1] for sheet in sheets])
    assert 1.41 <= np.median(lengths) <= 1.46
    assert np.mean((lengths > 1.2) & (lengths < 1.65)) >= 0.97
    assert lengths.min() > 1.0


def test_directions_of_bonds_are_correlated_in_grains_and_not_in_disordered_sheets():
    disordered = order(
        [make(seed, lloyd_steps=(5, 10)) for seed in range(6)], G6_A, graphene.BOND_A
    )
    grains = order([make(seed, GRAINS) for seed in range(24)], G6_A, graphene.BOND_A)
    assert (np.abs(disordered) < [0.3, 0.1, 0.05, 0.05]).all()
    assert (grains > [0.6, 0.5, 0.4, 0.3]).all()


def test_one_grain_is_a_crystal_and_many_are_small():
    one, two, eight = (
        order(
            [make(seed, GRAINS, grains=(count, count), **WHOLE) for seed in range(8)],
            G6_A,
            graphene.BOND_A,
        )
        for count in (1, 2, 8)
    )
    assert (one > 0.95).all()
    assert (two[2:] > eight[2:] + 0.2).all()
    assert eight[3] < 0.2


def test_a_crystal_fits_its_box_strained_by_little_and_lies_in_any_direction():
    crystals = [make(seed, GRAINS, grains=(1, 1), **WHOLE).sites for seed in range(12)]
    azimuths = []
    for sites in crystals:
        pairs, lengths_A = pairs_within(sites, 1.9, SIZE_A)
        assert (np.bincount(pairs.ravel()) == 3).all()
        assert (np.abs(lengths_A / graphene.BOND_A - 1) < 0.03).all()
        bond = np.diff(sites[pairs[0]], axis=0)[0]
        bond -= SIZE_A * np.round(bond / SIZE_A)
        azimuths.append(np.rad2deg(np.arctan2(*bond)) % 60)
    assert np.ptp(azimuths) > 30


@pytest.mark.parametrize("size_A", [20.0, SIZE_A])
def test_grain_boundaries_are_closed_and_relaxed(size_A):
    made = [make(seed, GRAINS, grains=(2, 8), size_A=size_A, **WHOLE).sites for seed in range(12)]
    found = [pairs_within(sites, 1.9, size_A) for sites in made]
    lengths_A = np.concatenate([lengths for _, lengths in found])
    assert lengths_A.mean() == pytest.approx(1.42, abs=0.015)
    assert lengths_A.std() < 0.035
    assert lengths_A.min() > 1.15
    held = np.concatenate([np.bincount(pairs.ravel()) for pairs, _ in found])
    assert np.mean(held == 3) > 0.995


def test_boundaries_of_grains_are_rings_of_five_and_seven():
    sizes = []
    for seed in range(8):
        settings = GRAINS.but(grains=(2, 8))
        rings = graphene.ring_centres(settings, np.random.default_rng(seed))
        _, members = graphene.periodic_triangles(rings, SIZE_A)
        sizes.append(np.bincount(members.ravel()))
    shares = np.bincount(np.concatenate(sizes), minlength=12) / len(np.concatenate(sizes))
    assert shares[6] > 0.8
    assert shares[5] > 0.03
    assert shares[7] > 0.03
    assert shares[5:8].sum() > 0.995


def test_as_many_sheets_are_of_grains_as_asked():
    def share(settings):
        generators = map(np.random.default_rng, range(400))
        return np.mean([graphene.is_of_grains(settings, rng) for rng in generators])

    assert share(SETTINGS) == 0
    assert share(GRAINS) == 1
    # Between a third and a half unless told otherwise: low doses need the order, defects do not.
    assert 1 / 3 < share(graphene.Settings()) < 1 / 2


def test_density_of_grains_varies_for_strain():
    made = [make(seed, GRAINS, max_defects=0.0, max_holes=0).sites for seed in range(16)]
    lengths_A = [np.mean(pairs_within(sites, 1.9, SIZE_A)[1]) for sites in made]
    assert 0.015 < np.ptp(lengths_A) / graphene.BOND_A < 0.06


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


def test_the_fewer_bonds_an_atom_has_the_shorter_and_wider_apart_they_are():
    lengths_A, angles_deg = {2: [], 3: [], 4: []}, {2: [], 3: [], 4: []}
    for seed in range(8):
        sites = make(seed, FEW_DEFECTS, density_variation=0.0).sites
        pairs, _ = pairs_within(sites, 1.25 * graphene.BOND_A, SIZE_A)
        ends = np.concatenate([pairs, pairs[:, ::-1]])
        ends = ends[np.argsort(ends[:, 0], kind="stable")]
        bonds = sites[ends[:, 1]] - sites[ends[:, 0]]
        bonds -= SIZE_A * np.round(bonds / SIZE_A)
        for count in lengths_A:
            around = bonds[np.bincount(ends[:, 0])[ends[:, 0]] == count].reshape(-1, count, 2)
            lengths = np.linalg.norm(around, axis=2, keepdims=True)
            cosines = np.clip(np.einsum("aik,ajk->aij", around / lengths, around / lengths), -1, 1)
            lengths_A[count].extend(lengths.ravel())
            angles_deg[count].extend(np.rad2deg(np.arccos(cosines[:, *np.triu_indices(count, 1)])))
    # Edges of graphene and the two hybridisations of carbon: sp2 in the sheet, towards sp3 at four.
    low, median, high = np.quantile(lengths_A[2], [0.1, 0.5, 0.9])
    assert low < 1.25 < median < 1.40 < 1.43 < high
    assert np.median(lengths_A[3]) == pytest.approx(1.42, abs=0.01)
    assert np.median(lengths_A[4]) > 1.5
    # Carbon of two bonds may be as far as sp: no angle is so rare that a network would not see it.
    low, median, high = np.quantile(np.concatenate(angles_deg[2]), [0.1, 0.5, 0.9])
    assert low < 118 < 125 < median < 145 < 155 < high
    assert np.median(np.concatenate(angles_deg[3])) == pytest.approx(120, abs=0.5)


def test_no_two_atoms_are_crowded(sheets):
    nearest_A = min(pairs_within(sheet.sites, 2.0, SIZE_A)[1].min() for sheet in sheets)
    assert nearest_A >= graphene.SHORTEST_BOND_A
