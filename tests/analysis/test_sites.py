"""Sites: every column belongs to one, and occupancy, events and their rates are counted rightly."""

import time

import numpy as np
import pytest
from made_lattices import columns_of, drift_table, square
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import KDTree

from atomsight.analysis.dynamics.sites import Sites, find_sites, site_table
from atomsight.config.analysis import DynamicsSettings

PIXEL_A = 0.1
SHAPE = (512, 512)


def find(found, shifts_A=None, unused=(), **changed):
    drift = drift_table(np.zeros((len(found), 2)) if shifts_A is None else shifts_A, unused)
    settings = DynamicsSettings().but(**changed)
    return find_sites(columns_of(found, SHAPE, PIXEL_A), drift, settings)


def test_a_lattice_that_drifts_gives_its_sites_by_row_and_column():
    lattice = square(6, 6)
    shifts_A = np.random.default_rng(0).uniform(-5, 5, (12, 2))
    shifts_A[0] = 0
    sites = find([lattice + shift for shift in shifts_A], shifts_A)
    assert_allclose(sites.positions_A, lattice, atol=1e-9)
    assert sites.occupied.dtype == np.int8
    assert (sites.occupied == 1).all()


def test_occupancy_is_found_again_under_noise():
    """Truth is known column by column: 200 frames, 0.2 Å of noise, a tenth of the sites hop."""
    rng = np.random.default_rng(1)
    lattice = square(10, 10)
    truth = rng.random((100, 200)) < np.where(np.arange(100) % 10, 1.0, 0.5)[:, None]
    found = [lattice[here] + rng.normal(0, 0.2, (np.count_nonzero(here), 2)) for here in truth.T]
    sites = find(found)
    assert len(sites.positions_A) == 100
    distance, nearest = KDTree(sites.positions_A).query(lattice)
    assert distance.max() < 0.07
    # 0.2 Å along each axis: 0.2 % of the columns lie beyond the radius of a site.
    assert (sites.occupied[nearest] != truth).mean() < 0.005


def test_dense_columns_of_fcc_111_are_told_apart():
    rng = np.random.default_rng(2)
    steps = np.stack(np.meshgrid(np.arange(8), np.arange(8)), -1).reshape(-1, 2)
    lattice = steps @ (1.665 * np.array([[1, 0], [0.5, np.sqrt(3) / 2]])) + 15
    sites = find([lattice + rng.normal(0, 0.1, lattice.shape) for _ in range(50)])
    assert len(sites.positions_A) == len(lattice)
    assert KDTree(sites.positions_A).query(lattice)[0].max() < 0.06


def test_a_column_counts_once_and_the_nearest_of_two_is_taken():
    pair = np.array([[10.0, 10.0], [10.5, 10.0], [20.0, 20.0]])
    sites = find([pair[[0, 2]]] * 9 + [pair])
    assert_allclose(sites.positions_A, [[10, 10], [20, 20]], atol=1e-9)
    assert (sites.occupied == 1).all()


def test_a_site_out_of_view_is_not_empty_but_unknown():
    lattice = np.array([[3.0, 20.0], [20.0, 20.0]])
    shifts_A = np.array([[0, 0], [-2.5, 0], [-4.0, 0], [0, 0]])
    found = [lattice, lattice[1:] + shifts_A[1], lattice[1:] + shifts_A[2], lattice]
    sites = find(found, shifts_A)
    assert_array_equal(sites.occupied, [[1, -1, -1, 1], [1, 1, 1, 1]])
    table = site_table(sites)
    assert table.loc[0, ["frames_in_view", "frames_seen", "occurrence"]].tolist() == [2, 2, 1]
    assert np.isnan(table.loc[0, "event_rate"])


def test_the_border_is_not_in_view():
    found = [np.array([[0.5, 20.0], [20.0, 20.0], [50.6, 20.0]])] * 3
    assert_allclose(find(found).positions_A, [[20, 20]])
    assert len(find(found, border_A=0.2).positions_A) == 3


def test_frames_that_are_not_used_are_unknown_and_break_the_pairs():
    lattice = square(3, 3)
    sites = find([lattice, lattice, lattice + 1.1, lattice, lattice], unused=[2])
    assert_array_equal(sites.occupied, [[1, 1, -1, 1, 1]] * 9)


def test_events_are_changes_between_successive_frames_that_are_known():
    changing, often_out, seldom_in = [1, 0, 1, 1, 0, 0], [1, -1, 0, 0, 1, -1], [1, -1, 1, -1, 0, -1]
    occupied = np.array([changing, often_out, seldom_in, [1] * 6], np.int8)
    table = site_table(Sites(np.zeros((4, 2)), occupied))
    assert table["frames_in_view"].tolist() == [6, 4, 3, 6]
    assert table["frames_seen"].tolist() == [3, 2, 2, 6]
    assert_allclose(table["occurrence"], [3 / 6, 2 / 4, 2 / 3, 1])
    assert table["events"].tolist() == [3, 1, 0, 0]
    assert_allclose(table["event_rate"], [3 / 5, 1 / 2, np.nan, 0])


def test_rare_sites_are_left_out():
    lattice = square(3, 3)
    found = [lattice] * 200
    found[7] = np.concatenate([lattice, [[30.0, 30.0], [35.0, 30.0]]])
    found[90] = np.concatenate([lattice, [[35.0, 30.1]]])
    assert len(find(found).positions_A) == 9
    assert len(find(found, min_occurrence=0.005).positions_A) == 10
    assert len(find(found, min_occurrence=0.005, min_seen=1).positions_A) == 11


def test_a_single_frame_has_all_its_columns_for_sites_and_no_events():
    table = site_table(find([square(6, 6)]))
    assert len(table) == 36
    assert (table["occurrence"] == 1).all()
    assert (table["events"] == 0).all()
    assert table["event_rate"].isna().all()


@pytest.mark.parametrize("empty", [[], [1]])
def test_a_series_without_columns_has_no_sites(empty):
    sites = find([np.empty((0, 2))] * 3, unused=empty)
    assert sites.occupied.shape == (0, 3)
    assert len(site_table(sites)) == 0


def test_columns_in_the_tail_of_the_noise_are_no_sites_of_their_own():
    rng = np.random.default_rng(3)
    lattice = square(6, 6)
    found = [lattice + rng.normal(0, 0.25, lattice.shape) for _ in range(400)]
    assert len(find(found).positions_A) == len(lattice)


def test_a_thousand_frames_of_300_columns_take_seconds():
    rng = np.random.default_rng(4)
    lattice = square(17, 17)
    found = [lattice + rng.normal(0, 0.15, lattice.shape) for _ in range(1000)]
    start = time.perf_counter()
    sites = find(found)
    site_table(sites)
    assert sites.occupied.shape == (289, 1000)
    assert time.perf_counter() - start < 10
