"""Rough nanoparticles: how they grow, and what their columns are."""

import numpy as np
import pytest
from ase.data import atomic_numbers
from made_inputs import neighbours_A
from scipy.spatial import cKDTree

from atomsight.errors import InputError
from atomsight.materials import nanoparticle
from atomsight.materials.building import support
from atomsight.materials.building.support import SupportSettings
from atomsight.materials.nanoparticle import Settings

GOLD_A = nanoparticle.lattice_constant_A("Au")
LAYER_A = GOLD_A / np.sqrt(3)
FREE = SupportSettings(amorphous_share=0, crystalline_share=0)
PERFECT = {"lattice_variation": 0, "static_displacement_A": (0, 0), "elongation": (1, 1)}
SETTINGS = Settings(size_A=52, radius_A=(6, 16), tilt_deg=(0, 0), support=FREE, **PERFECT)


def make(seed, **changes):
    return nanoparticle.make_structure(SETTINGS.but(**changes), np.random.default_rng(seed))


def seed_crystal():
    """A crystal in which three atoms are occupied: free sites have one, two or three neighbours."""
    crystal = nanoparticle.fcc_points(2.1 * GOLD_A, GOLD_A)
    neighbours = nanoparticle.neighbour_table(crystal, GOLD_A)
    middle = int(np.linalg.norm(crystal, axis=1).argmin())
    second = neighbours[middle][0]
    third = np.intersect1d(neighbours[middle], neighbours[second])[0]
    occupied = np.zeros(len(crystal), dtype=bool)
    occupied[[middle, second, third]] = True
    return occupied, neighbours


def first_additions(temperature, repeats):
    """How often an atom is added with n neighbours, and how many free sites have n."""
    occupied, neighbours = seed_crystal()
    padded = np.append(occupied, False)
    coordination = np.where(occupied, 0, padded[neighbours].sum(axis=1))
    rng = np.random.default_rng(5)
    taken = []
    for _ in range(repeats):
        after = nanoparticle.grow(occupied, neighbours, 1, temperature, rng)
        taken.append(coordination[np.flatnonzero(after & ~occupied)[0]])
    most = coordination.max() + 1
    return np.bincount(taken, minlength=most), np.bincount(coordination, minlength=most)


@pytest.mark.parametrize("temperature", [1.5, 0.01, 1e6])
def test_growth_follows_equation_9(temperature):
    """The free sites of a small crystal, enumerated: p(n) ∝ sites(n) exp(n / T), n ≥ 1.

    A cold surface fills its best sites only, a hot one takes every site alike.
    """
    repeats = 4000
    taken, sites = first_additions(temperature, repeats)
    share = sites * np.exp(np.arange(len(sites)) / temperature)
    share[0] = 0
    share /= share.sum()
    assert (sites[1:4] > [10, 5, 0]).all()
    deviation = np.sqrt(repeats * share * (1 - share))
    assert (np.abs(taken - repeats * share) <= 4 * deviation + 1e-6).all()


@pytest.mark.parametrize("temperature", [1.0, 1e-4], ids=["warm", "all weights vanish"])
def test_growth_adds_the_atoms_asked_for_and_stops_when_the_crystal_is_full(temperature):
    occupied, neighbours = seed_crystal()
    rng = np.random.default_rng(0)
    grown = nanoparticle.grow(occupied, neighbours, 20, temperature, rng)
    assert np.count_nonzero(grown) == 23
    assert (grown >= occupied).all()
    assert nanoparticle.grow(occupied, neighbours, 10_000, temperature, rng).all()


@pytest.mark.parametrize("seed", range(6))
def test_columns_of_an_untilted_particle_are_exact(seed):
    """Every atom of a column stands on the site, and every site on its own lattice place."""
    structure = make(seed)
    distance, owner = cKDTree(structure.sites).query(structure.positions[:, :2])
    assert distance.max() < 1e-6
    np.testing.assert_array_equal(np.bincount(owner), structure.classes)
    nearest = np.median(neighbours_A(structure.sites))
    of_110, of_111 = GOLD_A * np.sqrt(3 / 8), GOLD_A / np.sqrt(6)
    assert min(abs(nearest - of_110), abs(nearest - of_111)) < 1e-6


def test_the_site_of_a_tilted_column_is_the_mean_of_its_atoms():
    upright, tilted = make(3), make(3, tilt_deg=(4, 4))
    np.testing.assert_array_equal(tilted.classes, upright.classes)
    means = (tilted.sites * tilted.classes[:, None]).sum(axis=0) / tilted.classes.sum()
    np.testing.assert_allclose(means, tilted.positions[:, :2].mean(axis=0))
    spread = cKDTree(tilted.sites).query(tilted.positions[:, :2])[0]
    assert spread.max() > 0.1


def tilt_deg(structure):
    """Angle between the longest columns and the beam."""
    tree = cKDTree(structure.sites)
    column = structure.positions[
        tree.query(structure.positions[:, :2])[1] == structure.classes.argmax()
    ]
    along = np.linalg.svd(column - column.mean(axis=0))[2][0]
    return np.degrees(np.arccos(abs(along[2])))


def test_tilts_are_drawn_evenly():
    """Squares of even numbers, once drawn, left 29 % beyond half the range; it is imaged evenly."""
    drawn = [
        tilt_deg(make(seed, tilt_deg=(0, 4), radius_A=(8, 9), max_added=0, zone_axes=("110",)))
        for seed in range(60)
    ]
    assert max(drawn) < 4.2
    assert np.mean(np.array(drawn) > 2) == pytest.approx(0.5, abs=0.15)


def test_atoms_are_displaced_and_lattices_differ_as_much_as_they_are_told_to():
    few = {"radius_A": (9, 10), "max_added": 0}
    still = [make(seed, **few) for seed in range(8)]
    moved = [make(seed, **few, static_displacement_A=(0.04, 0.05)) for seed in range(8)]
    for one, other in zip(still, moved, strict=True):
        apart = other.positions - one.positions
        assert 0.036 < (apart - apart.mean(axis=0)).std() < 0.054
        means = cKDTree(other.sites).query(other.positions[:, :2])[0]
        assert 0 < means.mean() < 0.1, "sites are where the displaced atoms are on average"
    bonds = [
        np.median(neighbours_A(make(seed, **few, lattice_variation=0.01).positions))
        for seed in range(8)
    ]
    bonds = np.array(bonds) * np.sqrt(2) / GOLD_A
    assert 0.99 <= bonds.min() < 0.998
    assert 1.002 < bonds.max() <= 1.01


@pytest.mark.parametrize("axis", ["110", "111"])
def test_a_particle_is_as_high_for_its_width_as_it_is_told_to_be(axis):
    """Height once followed from the width, and was told from it where particles are not so."""

    def shape(elongation):
        chosen = {"radius_A": (10, 10), "max_added": 0, "zone_axes": (axis,)}
        made = [make(seed, elongation=(elongation,) * 2, **chosen) for seed in range(12)]
        return np.mean([np.ptp(one.positions, axis=0) for one in made], axis=0) + LAYER_A

    as_high = shape(1)
    for elongation in (0.6, 1.6):
        width, depth, height = shape(elongation) / as_high
        assert height == pytest.approx(elongation, rel=0.1)
        assert (width + depth) / 2 == pytest.approx(1, rel=0.08)


@pytest.mark.parametrize("axis", ["100", "110", "111"])
def test_a_zone_axis_points_along_the_beam(axis):
    basis = nanoparticle.zone_axis_basis(axis)
    direction = np.array([int(index) for index in axis], float)
    np.testing.assert_allclose(basis @ basis.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(basis) == pytest.approx(1)
    np.testing.assert_allclose(direction / np.linalg.norm(direction) @ basis, [0, 0, 1], atol=1e-12)


def test_a_tilt_has_its_angle():
    tilt = nanoparticle.random_tilt(np.radians(3.0), np.random.default_rng(1))
    np.testing.assert_allclose(tilt @ tilt.T, np.eye(3), atol=1e-12)
    assert np.degrees(np.arccos(tilt[2, 2])) == pytest.approx(3.0)


@pytest.mark.parametrize("metal", ["Au", "Pt", "Pd", "Ag", "Cu", "Ni"])
def test_any_fcc_metal_makes_a_particle_with_its_own_distances(metal):
    structure = make(0, metal=metal, max_added=0)
    assert set(structure.numbers) == {atomic_numbers[metal]}
    bond = nanoparticle.lattice_constant_A(metal) / np.sqrt(2)
    np.testing.assert_allclose(neighbours_A(structure.positions), bond, rtol=1e-6)


@pytest.mark.parametrize("metal", ["Fe", "Xx"])
def test_what_is_no_fcc_metal_is_named(metal):
    with pytest.raises(InputError, match=f"'{metal}' is not an fcc metal; known are .*Au"):
        nanoparticle.lattice_constant_A(metal)


def test_a_particle_too_large_for_its_box_is_refused():
    with pytest.raises(InputError, match="into a box of 30 Å; size_A must be at least 51"):
        make(0, size_A=30, radius_A=(16, 16))


@pytest.mark.parametrize("tilt_deg", [0, 10])
def test_growth_stays_in_the_box_at_any_temperature(tilt_deg):
    """Hot surfaces grow chains, which once reached over the edge of the box."""
    tall = {"elongation": (1.6, 1.6), "tilt_deg": (tilt_deg,) * 2}
    for seed in range(5):
        wild = make(seed, roughening_temperature=(50, 50), radius_A=(16, 16), **tall)
        across = wild.positions[:, :2]
        assert across.min() >= nanoparticle.VACUUM_A
        assert across.max() <= SETTINGS.size_A - nanoparticle.VACUUM_A


@pytest.mark.parametrize("seed", range(8))
def test_supports_keep_their_distance_and_are_no_sites(seed):
    either = FREE.but(amorphous_share=0.5, crystalline_share=0.5, thickness_A=(10, 20))
    structure = make(seed, support=either)
    metal = structure.numbers == atomic_numbers["Au"]
    assert np.count_nonzero(~metal) > 100
    assert structure.classes.sum() == np.count_nonzero(metal)
    distance, _ = cKDTree(structure.positions[metal]).query(structure.positions[~metal])
    assert 2.2 <= distance.min() < 4
    assert structure.positions[:, 2].min() > 1
    assert structure.positions[:, 2].max() < structure.cell_A[2] - 1
    assert (structure.positions[metal, :2] >= nanoparticle.VACUUM_A).all()
    assert (structure.positions[metal, :2] <= structure.cell_A[:2] - nanoparticle.VACUUM_A).all()


@pytest.mark.parametrize("seed", range(3))
def test_an_amorphous_film_has_its_density_and_no_close_pairs(seed):
    edges = (40.0, 40.0, 20.0)
    positions, numbers = support.amorphous_slab(edges, np.random.default_rng(seed))
    matter = next(m for m in support.AMORPHOUS if atomic_numbers[m.symbols[0]] in numbers)
    assert len(positions) == pytest.approx(matter.atoms_per_A3 * np.prod(edges), rel=0.03)
    assert not cKDTree(positions).query_pairs(matter.closest_A - 1e-9)


@pytest.mark.parametrize(("seed", "number", "bond_A"), [(0, 12, 4.21 / 2), (2, 22, 3.905 / 2)])
def test_crystals_have_six_oxygen_atoms_around_magnesium_and_titanium(seed, number, bond_A):
    seeds = (np.random.default_rng(n) for n in range(seed, 100))
    slabs = (support.crystalline_slab((30.0, 30.0, 20.0), rng) for rng in seeds)
    positions, numbers = next(slab for slab in slabs if number in slab[1])
    oxygen = cKDTree(positions[numbers == 8])
    centres = positions[numbers == number]
    inner = np.abs(centres).max(axis=1) < 7
    distance, _ = oxygen.query(centres[inner], k=6)
    np.testing.assert_allclose(distance, bond_A, rtol=1e-9)


def test_a_crystal_fills_its_box():
    for seed in range(4):
        edges = (30.0, 30.0, 20.0)
        positions, numbers = support.crystalline_slab(edges, np.random.default_rng(seed))
        crystal = next(c for c in support.CRYSTALS if atomic_numbers[c.symbols[0]] in numbers)
        wanted = np.prod(edges) * len(crystal.symbols) / crystal.lattice_A**3
        assert len(positions) == pytest.approx(wanted, rel=0.03)


def test_shares_of_supports_are_those_asked_for():
    shares = FREE.but(amorphous_share=0.3, crystalline_share=0.2, thickness_A=(5, 6))
    metal = np.zeros((1, 3))
    rng = np.random.default_rng(0)
    kinds = [frozenset(support.add(shares, metal, 20.0, rng)[1].tolist()) for _ in range(200)]
    free = sum(not kind for kind in kinds)
    crystals = sum(bool({12, 38, 22} & kind) for kind in kinds)
    assert free == pytest.approx(100, abs=30)
    assert crystals == pytest.approx(40, abs=22)
