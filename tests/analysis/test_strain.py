"""Strain fields that are known in closed form come back, and nothing else does."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_lattices import BOND_A, sheet, stone_wales
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import KDTree

from atomsight.analysis import strain
from atomsight.analysis.bonds import find_bonds, find_rings
from atomsight.geometry import rotate

GRAPHENE = strain.honeycomb(BOND_A)
ABSOLUTE = strain.Reference(scale=1.0, orientation_rad=0.0)
TENSOR = ["e_xx", "e_yy", "e_xy"]


def fit(positions, template=GRAPHENE, max_rmsd=0.15):
    bonds = find_bonds(positions, template.shells[0], template.reach)
    return strain.fit_template(positions, bonds, find_rings(positions, bonds), template, max_rmsd)


def absolute_strain(positions, template=GRAPHENE):
    return strain.strain_table(fit(positions, template), ABSOLUTE, template.symmetry_rad)


def relative_strain(positions):
    """Strain against the mean lattice, and that lattice."""
    local = fit(positions)
    reference = strain.series_reference(local.maps, GRAPHENE)
    return strain.strain_table(local, reference, GRAPHENE.symmetry_rad), reference


def rotation_matrix(angle_rad):
    return rotate(np.eye(2), angle_rad).T


def noisy(positions, noise_A, seed):
    return positions + np.random.default_rng(seed).normal(scale=noise_A, size=positions.shape)


def interior(lattice: np.ndarray) -> np.ndarray:
    """Which atoms of an unstrained sheet sit between three whole hexagons."""
    counts = KDTree(lattice).query_ball_point(lattice, 2.01 * BOND_A, return_length=True)
    return counts == 1 + 3 + 6 + 3


def within_60_degrees(angles):
    return (angles + np.pi / 6) % (np.pi / 3) - np.pi / 6


def test_perfect_lattice_has_no_strain_and_no_rotation():
    positions = sheet(10)
    table = absolute_strain(positions)
    inside = interior(positions)
    assert_allclose(table[inside], 0, atol=1e-12)
    assert table[~inside].isna().all(axis=None)


@pytest.mark.parametrize("angle_deg", [0, 7, 29, -31, 90, 163])
@pytest.mark.parametrize(
    ("e_xx", "e_yy", "e_xy"),
    [(0.03, -0.01, 0), (0.1, 0, 0), (0, -0.1, 0), (0, 0, 0.1), (-0.1, 0.1, -0.05), (0.1, 0.1, 0.1)],
)
def test_homogeneous_strain_and_rotation_come_back(e_xx, e_yy, e_xy, angle_deg):
    stretch = np.array([[1 + e_xx, e_xy], [e_xy, 1 + e_yy]])
    turn = rotation_matrix(np.radians(angle_deg))
    positions = sheet(8)
    table = absolute_strain(positions @ (stretch @ turn).T)
    assert_array_equal(table["rmsd"].notna(), interior(positions))
    table = table.dropna()
    assert_allclose(table[TENSOR] - [e_xx, e_yy, e_xy], 0, atol=1e-10)
    assert_allclose(table["planar"], (e_xx + e_yy) / 2, atol=1e-10)
    assert_allclose(within_60_degrees(table["rotation_rad"] - np.radians(angle_deg)), 0, atol=1e-10)


def test_simple_shear_is_half_strain_and_half_rotation():
    shear = 0.02
    table = absolute_strain(sheet(8) @ np.array([[1, shear], [0, 1]]).T).dropna()
    assert_allclose(table["e_xy"], shear / 2, rtol=1e-3)
    assert_allclose(table["rotation_rad"], -np.arctan(shear / 2), rtol=1e-9)


@pytest.mark.parametrize("start_deg", [0, 20])
def test_smooth_strain_field_comes_back_to_1e_4(start_deg):
    """Displacements are u = (sin k·x, cos q·x) Å, with wavelengths of about 300 Å."""
    positions = rotate(sheet(40), np.radians(start_deg))
    k, q = 2 * np.pi / 300 * np.array([[0.8, 0.6], [-0.5, 0.7]])
    phase, other = positions @ k, positions @ q
    gradient = np.stack([np.cos(phase)[:, None] * k, -np.sin(other)[:, None] * q], axis=1)
    table = absolute_strain(positions + np.stack([np.sin(phase), np.cos(other)], axis=1))
    stretch, angle = strain.polar_decomposition(np.eye(2) + gradient)
    matched = table["rmsd"].notna()
    assert_array_equal(matched, interior(positions))
    assert np.ptp(gradient, axis=0).min() > 0.005
    expected = np.stack([stretch[:, 0, 0] - 1, stretch[:, 1, 1] - 1, stretch[:, 0, 1]], axis=1)
    assert_allclose(table[TENSOR][matched], expected[matched], atol=1e-4)
    turned = table["rotation_rad"] - np.radians(start_deg) - angle
    assert_allclose(turned[matched], 0, atol=1e-4)


def test_polar_decomposition_is_a_symmetric_stretch_after_a_rotation():
    maps = np.eye(2) + np.random.default_rng(0).normal(scale=0.2, size=(50, 2, 2))
    stretch, angle = strain.polar_decomposition(maps)
    assert_allclose(stretch, stretch.swapaxes(1, 2), atol=1e-14)
    assert (np.linalg.eigvalsh(stretch) > 0).all()
    back = [part @ rotation_matrix(turn) for part, turn in zip(stretch, angle, strict=True)]
    assert_allclose(back, maps, atol=1e-14)


NOISY = noisy(sheet(7), 0.04, seed=5)


@given(angle=st.floats(-np.pi, np.pi), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_order_of_atoms_and_rotation_of_the_image_do_not_matter(angle, seed):
    before = absolute_strain(NOISY)
    order = np.random.default_rng(seed).permutation(len(NOISY))
    after = absolute_strain(rotate(NOISY[order], angle))
    tensor = before[["e_xx", "e_xy", "e_xy", "e_yy"]].to_numpy()[order].reshape(-1, 2, 2)
    turn = rotation_matrix(angle)
    turned = (turn @ tensor @ turn.T).reshape(-1, 4)
    assert_allclose(after[["e_xx", "e_xy", "e_xy", "e_yy"]], turned, atol=1e-10)
    assert_allclose(after["rmsd"], before["rmsd"].to_numpy()[order], atol=1e-10)
    difference = after["rotation_rad"] - before["rotation_rad"].to_numpy()[order] - angle
    assert_allclose(within_60_degrees(difference.dropna()), 0, atol=1e-9)


def test_atoms_near_a_hole_are_masked_and_all_others_are_exact():
    whole = sheet(20)
    middle = np.linalg.norm(whole, axis=1)
    positions = whole[middle > 7]
    table = absolute_strain(positions)
    kept = interior(whole)[middle > 7]
    rim_A = np.linalg.norm(positions[:, None] - whole[middle <= 7], axis=2).min(axis=1)
    # Rings at an atom reach two bonds away, to the atom opposite in a hexagon.
    matched = kept & (rim_A > 2.01 * BOND_A)
    assert_array_equal(table["rmsd"].notna(), matched)
    assert_allclose(table[matched], 0, atol=1e-12)


def test_false_atom_masks_its_surroundings_only():
    clean = sheet(14)
    false_atom = clean[np.linalg.norm(clean, axis=1).argmin()] + [0.3, 0.5]
    table = absolute_strain(np.vstack([clean, false_atom]))
    matched = table["rmsd"].notna().to_numpy()
    assert not matched[-1]
    lost = interior(clean) & ~matched[:-1]
    assert 1 <= lost.sum() <= 13
    assert np.linalg.norm(clean[lost] - false_atom, axis=1).max() < 3.2 * BOND_A
    assert_allclose(table[matched], 0, atol=1e-12)


def test_atoms_of_the_five_and_seven_rings_of_a_stone_wales_defect_are_masked():
    clean = sheet(16)
    positions, bond = stone_wales(clean)
    rings = find_rings(positions, find_bonds(positions, 3, GRAPHENE.reach))
    table = absolute_strain(positions)
    defective = np.unique(rings.corner_atoms[rings.sizes[rings.corner_rings] != 6])
    assert len(defective) == 16
    assert set(bond) < set(defective)
    assert table.loc[defective].isna().all(axis=None)
    far = interior(clean) & (np.linalg.norm(positions, axis=1) > 8)
    assert_allclose(table[far], 0, atol=1e-12)


def test_noise_scatters_the_strain_as_least_squares_says():
    noise_A = 0.05
    table = absolute_strain(noisy(sheet(45), noise_A, seed=1))
    assert table["rmsd"][interior(sheet(45))].notna().mean() > 0.97
    # Each row of the map scatters by σ / √(Σ x²) over the template's neighbours.
    expected = noise_A / np.sqrt((GRAPHENE.positions[:, 0] ** 2).sum())
    assert table["e_xx"].std() == pytest.approx(expected, rel=0.05)
    assert table["e_yy"].std() == pytest.approx(expected, rel=0.05)
    assert table["e_xy"].std() == pytest.approx(expected / np.sqrt(2), rel=0.05)
    assert table["rotation_rad"].std() == pytest.approx(expected / np.sqrt(2), rel=0.05)
    # Ten points of two coordinates, six of the twenty degrees of freedom fitted.
    assert (table["rmsd"] ** 2).mean() == pytest.approx(14 / 10 * (noise_A / BOND_A) ** 2, rel=0.05)


def test_random_points_hardly_ever_match():
    points = np.random.default_rng(4).uniform(0, 100, size=(3800, 2))
    assert fit(points).matched.mean() < 0.001


def test_a_large_image_is_fitted_atom_by_atom_in_bounded_memory(monkeypatch):
    positions = noisy(sheet(70), 0.03, seed=0)
    bonds = find_bonds(positions, GRAPHENE.shells[0], GRAPHENE.reach)
    rings = find_rings(positions, bonds)
    tracemalloc.start()
    local = strain.fit_template(positions, bonds, rings, GRAPHENE, 0.15)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 600 * len(positions)  # All assignments of all atoms at once take 1300.
    monkeypatch.setattr(strain, "_PIECE", len(positions))
    whole = strain.fit_template(positions, bonds, rings, GRAPHENE, 0.15)
    assert_allclose(local.maps, whole.maps, rtol=1e-12, atol=1e-12)
    assert_allclose(local.rmsd, whole.rmsd, rtol=1e-9)


def test_rejects_by_rmsd():
    positions = noisy(sheet(20), 0.08, seed=2)
    generous, strict = fit(positions, max_rmsd=1), fit(positions, max_rmsd=0.06)
    assert_array_equal(strict.matched, generous.matched & (generous.rmsd <= 0.06))
    assert 0.05 < strict.matched.mean() < 0.9 * generous.matched.mean()


def test_relative_strain_does_not_depend_on_the_pixel_size():
    (right, reference), (wrong, scaled) = relative_strain(NOISY), relative_strain(1.07 * NOISY)
    assert_allclose(right, wrong, atol=1e-12)
    assert scaled.scale == pytest.approx(1.07 * reference.scale)


def test_relative_strain_and_rotation_are_zero_on_average():
    table, reference = relative_strain(noisy(rotate(1.03 * sheet(20), 0.5), 0.03, seed=7))
    planar = np.sort(table["planar"].dropna())
    cut = len(planar) // 10
    assert planar[cut:-cut].mean() == pytest.approx(0, abs=1e-12)
    assert table["rotation_rad"].median() == pytest.approx(0, abs=1e-12)
    assert reference.scale == pytest.approx(1.03, abs=0.002)
    assert reference.orientation_rad == pytest.approx(0.5, abs=0.002)


@pytest.mark.parametrize("angle_deg", [29.9, 30, -30])
def test_relative_rotation_does_not_jump_where_the_symmetry_begins_anew(angle_deg):
    positions = rotate(sheet(20), np.radians(angle_deg))
    table, reference = relative_strain(noisy(positions, 0.03, seed=8))
    assert abs(reference.orientation_rad) <= np.pi / 6
    assert table["rotation_rad"].abs().max() < np.radians(3)


def test_template_reference_takes_the_template_as_it_is():
    assert strain.template_reference(fit(NOISY).maps, GRAPHENE) == ABSOLUTE


@pytest.mark.parametrize("count", [0, 1, 4, 8])
def test_few_atoms_match_nothing_and_have_no_scale(count):
    table, reference = relative_strain(sheet(4)[:count])
    assert np.isnan([reference.scale, reference.orientation_rad]).all()
    assert len(table) == count
    assert table.isna().all(axis=None)


@pytest.mark.parametrize(
    ("cell_A", "symmetry_rad", "reach"),
    [
        ([[1.665, 0], [0.8325, 0.8325 * np.sqrt(3)]], np.pi / 3, 1.3),
        ([[2.04, 1.4425], [0, 2.885]], np.pi, 1.35),
    ],
    ids=["gold 111", "gold 110"],
)
def test_another_lattice_needs_another_template_only(cell_A, symmetry_rad, reach):
    """Six neighbours in a projection with one column per cell."""
    a, b = np.array(cell_A)
    neighbours = np.array([a, b, b - a, -a, -b, a - b])
    template = strain.Template("fcc", neighbours, (6,), reach, 3, symmetry_rad)
    stretch, turn = np.array([[1.03, 0.02], [0.02, 0.96]]), 0.3
    steps = np.mgrid[-6:7, -6:7].reshape(2, -1).T
    positions = steps @ cell_A @ (stretch @ rotation_matrix(turn)).T
    table = absolute_strain(positions, template).dropna()
    assert len(table) == 11**2
    assert_allclose(table[TENSOR] - [0.03, -0.04, 0.02], 0, atol=1e-10)
    assert_allclose(table["rotation_rad"], turn, atol=1e-10)
