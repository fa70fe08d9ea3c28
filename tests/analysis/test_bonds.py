"""Bonds and rings of sheets whose counts are known."""

import numpy as np
import pytest
from made_lattices import BOND_A, sheet, square, stone_wales

from atomsight.analysis.bonds import (
    bond_lengths,
    find_bonds,
    find_rings,
    orientational_correlation,
    typical_bond_length,
)
from atomsight.geometry import rotate

REACH = 3**0.25


def hexagons(cells: int) -> int:
    """Hexagons in the sheet by Euler's formula: the border cuts 3n - 1 of its 3n² bonds."""
    return (cells - 1) * (cells - 2)


def bonds_and_rings(positions, **more):
    bonds = find_bonds(positions, 3, REACH)
    return bonds, find_rings(positions, bonds, **more)


def test_pristine_patch_has_hexagons_only():
    positions = sheet(7)
    bonds, rings = bonds_and_rings(positions)
    assert len(rings.sizes) == hexagons(7) == 1 - len(positions) + len(bonds)
    np.testing.assert_array_equal(rings.sizes, 6)
    np.testing.assert_allclose(bond_lengths(positions, bonds), BOND_A, rtol=1e-12)
    nearest = np.linalg.norm(rings.centres[:, None] - positions, axis=2)
    np.testing.assert_allclose(np.sort(nearest, axis=1)[:, :6], BOND_A, rtol=1e-10)


def test_bonds_come_once_and_in_order():
    bonds, _ = bonds_and_rings(sheet(5))
    assert (bonds[:, 0] < bonds[:, 1]).all()
    assert len(np.unique(bonds, axis=0)) == len(bonds)
    np.testing.assert_array_equal(bonds, bonds[np.lexsort(bonds.T[::-1])])


def test_stone_wales_defect_has_two_pentagons_and_two_heptagons():
    positions, _ = stone_wales(sheet(12))
    _, rings = bonds_and_rings(positions)
    assert np.bincount(rings.sizes).tolist() == [0, 0, 0, 0, 0, 2, hexagons(12) - 4, 2]
    pentagons = rings.centres[rings.sizes == 5]
    heptagons = rings.centres[rings.sizes == 7]
    np.testing.assert_allclose(pentagons.mean(axis=0), heptagons.mean(axis=0), atol=1e-9)


def test_vacancy_is_a_ring_of_twelve_and_a_larger_hole_is_none():
    positions = sheet(10)
    middle = np.linalg.norm(positions, axis=1)
    vacancy = np.delete(positions, middle.argmin(), axis=0)
    assert (bonds_and_rings(vacancy)[1].sizes == 12).sum() == 1
    assert bonds_and_rings(vacancy, largest=11)[1].sizes.max() == 6
    hole = positions[middle > 3 * BOND_A]
    assert bonds_and_rings(hole)[1].sizes.max() == 6


def test_dangling_bond_does_not_change_the_ring_around_it():
    octagon = np.exp(2j * np.pi * np.arange(8) / 8) / (2 * np.sin(np.pi / 8))
    spur = octagon[0] * 0.5
    positions = np.stack([z := np.append(octagon, spur), -1j * z], axis=1).real
    bonds = np.array([[i, (i + 1) % 8] for i in range(8)] + [[0, 8]])
    rings = find_rings(positions, bonds)
    assert rings.sizes.tolist() == [8]
    np.testing.assert_allclose(rings.centres, 0, atol=1e-12)
    assert sorted(rings.corner_atoms) == list(range(8))


def test_corners_name_the_atoms_of_every_ring():
    positions = sheet(6)
    _, rings = bonds_and_rings(positions)
    for axis in range(2):
        sums = np.bincount(rings.corner_rings, positions[rings.corner_atoms, axis])
        np.testing.assert_allclose(sums / rings.sizes, rings.centres[:, axis])


def test_bond_length_is_not_moved_by_a_hole():
    positions = sheet(14)
    positions = positions[np.linalg.norm(positions, axis=1) > 8]
    assert typical_bond_length(positions, 3) == pytest.approx(BOND_A)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_atoms_have_neither_bonds_nor_rings(count):
    bonds, rings = bonds_and_rings(sheet(3)[:count])
    assert bonds.shape == rings.centres.shape == (0, 2)
    assert rings.sizes.shape == (0,)


def test_open_chain_has_no_ring():
    bonds, rings = bonds_and_rings(np.arange(8.0)[:, None] * [BOND_A, 0])
    assert (len(bonds), len(rings.sizes)) == (7, 0)


DISTANCES_A = (3, 6, 10)


def test_directions_of_bonds_in_a_crystal_are_the_same_at_all_distances():
    for turn_rad in (0.0, 0.3):
        found = orientational_correlation(rotate(sheet(12), turn_rad), DISTANCES_A, BOND_A)
        np.testing.assert_allclose(found, 1, atol=1e-9)


def test_directions_of_bonds_in_two_crystals_differ_by_six_times_the_angle_between_them():
    turn_rad = np.deg2rad(20)
    shifted = rotate(sheet(6), turn_rad) + np.array([100, 0])
    both = np.concatenate([sheet(6), shifted])
    near, far = orientational_correlation(both, (6, 100), BOND_A, half_width_A=3)
    np.testing.assert_allclose(near, 1, atol=1e-9)
    np.testing.assert_allclose(far, np.cos(6 * turn_rad), atol=1e-9)


def test_directions_of_bonds_go_on_across_the_border_of_a_periodic_box():
    atoms = square(4, 4, corner_A=0) * 2
    # Two atoms along x on every place of the lattice, the last bonded through the box's border.
    bonded = np.concatenate([atoms + np.array([shift_A, 0]) for shift_A in (4.2, 5.6)])
    found = orientational_correlation(bonded, (5,), 1.4, box_A=20.0)
    np.testing.assert_allclose(found, 1, atol=1e-9)


def test_directions_of_bonds_between_random_points_are_not_correlated():
    points = np.random.default_rng(0).uniform(0, 60, (1400, 2))
    found = orientational_correlation(points, (6, 10), BOND_A, box_A=60.0)
    assert (np.abs(found) < 0.02).all()
