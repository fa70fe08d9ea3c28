"""What lies on a sheet: it hides sites, and never displaces an atom of the sheet."""

import numpy as np
import pytest
from made_inputs import neighbours_A
from scipy.spatial import cKDTree

from atomsight.materials import graphene
from atomsight.materials.building import covers

BOTH = (graphene.Settings(covered_share=1.0), graphene.Settings())


@pytest.fixture(scope="module")
def pairs():
    """Sheets with and without their cover."""
    return [
        [graphene.make_structure(chosen, np.random.default_rng(seed)) for chosen in BOTH]
        for seed in range(8)
    ]


def test_the_sheet_is_the_same_under_its_cover(pairs):
    for covered, bare in pairs:
        atoms = covered.positions[: len(bare.positions)]
        np.testing.assert_allclose(atoms[:, :2], bare.positions[:, :2])
        np.testing.assert_allclose(np.diff(atoms[:, 2]), np.diff(bare.positions[:, 2]))


def test_sites_under_the_cover_are_gone_and_the_others_stay(pairs):
    for covered, bare in pairs:
        lost = 1 - len(covered.sites) / len(bare.sites)
        assert 0 < lost < 0.7
        distance, _ = cKDTree(bare.sites).query(covered.sites)
        np.testing.assert_allclose(distance, 0)
        others = covered.positions[len(bare.positions) :, :2]
        size = bare.cell_A[0]
        apart, _ = cKDTree(others % size, boxsize=size).query(covered.sites)
        assert np.mean(apart > 0.3) > 0.95


def test_cover_and_sheet_keep_their_distance_and_stay_in_the_box(pairs):
    for covered, bare in pairs:
        count = len(bare.positions)
        sheet, other = covered.positions[:count, 2], covered.positions[count:, 2]
        gap = max(other.min() - sheet.max(), sheet.min() - other.max())
        assert gap >= 2.4
        assert covered.positions[:, 2].min() > 0
        assert covered.positions[:, 2].max() < covered.cell_A[2]


def test_the_cover_comes_before_or_behind_the_sheet(pairs):
    behind = [covered.positions[-1, 2] > covered.positions[0, 2] for covered, _ in pairs]
    assert 0 < sum(behind) < len(behind)


def test_a_patch_is_periodic_and_takes_its_share():
    inside = covers.smooth_patch(40.0, 0.3, np.random.default_rng(1))
    points = np.random.default_rng(2).uniform(0, 40, (20000, 2))
    assert inside(points).mean() == pytest.approx(0.3, abs=0.03)
    np.testing.assert_array_equal(inside(points), inside(np.add(points, [40.0, -80.0])))


def test_layers_of_graphite_have_the_density_of_graphene():
    atoms, numbers = covers.graphite(60.0, 2, np.random.default_rng(0))
    assert set(numbers) == {6}
    assert len(atoms) / 60.0**2 == pytest.approx(2 * 0.3818, rel=0.02)
    for height in np.unique(atoms[:, 2]):
        nearest = neighbours_A(atoms[atoms[:, 2] == height, :2])
        assert np.median(nearest) == pytest.approx(1.42)
