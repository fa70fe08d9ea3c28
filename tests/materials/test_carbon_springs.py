"""Springs that pull atoms to the distances of carbon."""

import numpy as np
from numpy.testing import assert_allclose

from atomsight.materials.building import carbon_springs


def test_second_neighbours_share_one_neighbour():
    def found(bonds, count, angle_deg):
        bonds = np.array(bonds)
        lengths_A = np.full(len(bonds), carbon_springs.BOND_A)
        return carbon_springs.second_neighbours(
            bonds, lengths_A, np.deg2rad(np.full(count, angle_deg))
        )

    chain = [[0, 1], [1, 2], [2, 3]]
    pairs, distances_A = found(chain, 4, 120)
    assert pairs.tolist() == [[0, 2], [1, 3]]
    assert_allclose(distances_A, np.sqrt(3) * carbon_springs.BOND_A)
    assert_allclose(found(chain, 4, 180)[1], 2 * carbon_springs.BOND_A)
    square, distances_A = found([[0, 1], [1, 2], [2, 3], [0, 3]], 4, 90)
    assert square.tolist() == [[0, 2], [1, 3]]
    assert_allclose(distances_A, np.sqrt(2) * carbon_springs.BOND_A)
    triangle, _ = found([[0, 1], [1, 2], [0, 2]], 3, 60)
    assert len(triangle) == 0


def test_an_atom_of_two_bonds_bends_where_its_neighbours_stay():
    count = 400
    middle = np.column_stack([np.full(count, 20.0), 10.0 * np.arange(count)])
    atoms = np.concatenate(
        [middle + np.array(corner) for corner in ((0, 0.5), (-1.2, 0), (1.2, 0))]
    )
    apex = np.arange(count)
    bonds = np.concatenate([np.column_stack([apex, apex + count * side]) for side in (1, 2)])
    moved = carbon_springs.bend_twofold(atoms, bonds, 1e4, np.random.default_rng(1))
    assert_allclose(moved[count:], atoms[count:])
    arms = [moved[count:].reshape(2, count, 2)[side] - moved[:count] for side in (0, 1)]
    cosines = np.sum(arms[0] * arms[1], axis=1) / np.prod(np.linalg.norm(arms, axis=2), axis=0)
    assert_allclose(moved[:count, 0], 20.0)
    assert (moved[:count, 1] > middle[:, 1]).all()
    low, median, high = np.quantile(np.rad2deg(np.arccos(cosines)), [0.1, 0.5, 0.9])
    assert low < 124 < 140 < median < 150 < 166 < high
