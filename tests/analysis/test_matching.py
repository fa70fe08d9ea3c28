"""Pairs of what was found and what is true, on cases small enough to see."""

import numpy as np
from numpy.testing import assert_allclose

from atomsight.analysis.matching import match_atoms


def test_nearest_of_two_candidates_is_paired():
    found = np.array([[5.3, 5.0], [5.1, 5.0]])
    assert_allclose(match_atoms(found, np.array([[5.0, 5.0]]), 0.48), ([1], [0]))


def test_as_many_pairs_as_possible_are_made():
    """Greedy pairing would take the middle pair and leave the outer atoms alone."""
    found = np.array([[0.0, 0.0], [0.5, 0.0]])
    true = np.array([[0.4, 0.0], [0.9, 0.0]])
    assert_allclose(match_atoms(found, true, 0.48), [[0, 1], [0, 1]])


def test_radius_bounds_a_pair():
    found, true = np.array([[5.0, 5.0]]), np.array([[5.0, 5.5]])
    assert len(match_atoms(found, true, radius_A=0.48)[0]) == 0
    assert len(match_atoms(found, true, radius_A=0.52)[0]) == 1


def test_atoms_found_exactly_are_paired():
    positions = np.random.default_rng(0).uniform(0, 50, (300, 2))
    found_index, true_index = match_atoms(positions, positions, 0.48)
    assert_allclose(found_index, true_index)
    assert len(found_index) == 300


def test_nothing_has_no_partner():
    nothing, atoms = np.empty((0, 2)), np.array([[5.0, 5.0]])
    for found, true in ((nothing, atoms), (atoms, nothing)):
        assert all(len(index) == 0 for index in match_atoms(found, true, 0.48))
