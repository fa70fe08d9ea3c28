"""Drift: a particle is followed over the frames, and what cannot be followed is told."""

import logging

import numpy as np
import pytest
from made_lattices import columns_of, hexagonal, picture

import correct_drift
from atomsight.analysis.dynamics.drift import follow_drift
from atomsight.config.analysis import DynamicsSettings
from atomsight.errors import InputError

PIXEL_A = 0.2
SHAPE = (256, 256)
VIEW_A = 255 * PIXEL_A
SETTINGS = DynamicsSettings()


def lattice_patch(centre_A=(25.0, 25.0), radius_A=13.5, turn_rad=0.3):
    """About a hundred columns 2.5 Å apart."""
    return hexagonal(radius_A, turn_rad=turn_rad) + centre_A


def observe(places_A, rng, noise_A=0.2, missed=0.05, false=5):
    """Columns as a network finds them: with noise, some missed, some where there are none."""
    found = places_A[rng.random(len(places_A)) >= missed]
    found = found + rng.normal(0, noise_A, found.shape)
    found = np.concatenate([found, rng.uniform(0, VIEW_A, (false, 2))])
    return found[((found >= 0) & (found <= VIEW_A)).all(axis=1)]


def recorded(rng, true_A, places_A=None, **errors):
    """A series of columns that drift."""
    places_A = lattice_patch() if places_A is None else places_A
    return [observe(places_A + drift, rng, **errors) for drift in true_A]


def foreground(found_A):
    """The map of a network that is sure of these columns."""
    return np.minimum(picture(found_A, SHAPE, PIXEL_A, 0.4), 1)


def follow(found, **changed):
    columns = columns_of(found, SHAPE, PIXEL_A)
    return follow_drift(lambda frame: foreground(found[frame]), columns, SETTINGS.but(**changed))


def error_A(table, true_A):
    """Root mean square error along one axis over the frames that are used [Å]."""
    used = table["used"].to_numpy()
    return np.sqrt(((table[["x_A", "y_A"]].to_numpy() - true_A)[used] ** 2).mean())


def wander(frames, rng, low_A=0.3, high_A=3.0, reach_A=10.0):
    """Drift with steps of 0.3 to 3 Å in any direction that keeps the particle in view."""
    drift = np.zeros((frames, 2))
    for frame in range(1, frames):
        while True:
            angle = rng.uniform(0, 2 * np.pi)
            step = rng.uniform(low_A, high_A) * np.array([np.cos(angle), np.sin(angle)])
            drift[frame] = drift[frame - 1] + step
            if np.abs(drift[frame]).max() < reach_A:
                break
    return drift


@pytest.mark.parametrize("seed", range(3))
def test_a_wandering_particle_is_followed(seed):
    rng = np.random.default_rng(seed)
    true_A = wander(40, rng)
    particle = lattice_patch(turn_rad=rng.uniform(0, 1))
    assert 90 < len(particle) < 120
    table = follow(recorded(rng, true_A, particle))
    assert list(table) == ["frame", "x_A", "y_A", "columns", "matched", "used"]
    assert table["used"].all()
    assert error_A(table, true_A) < 0.1


@pytest.mark.parametrize("seed", range(3))
def test_frames_that_miss_a_third_of_the_columns_are_followed_where_the_drift_is_slow(seed):
    rng = np.random.default_rng(seed)
    true_A = wander(40, rng, 0.1, 0.5)
    particle = lattice_patch(turn_rad=rng.uniform(0, 1))
    assert error_A(follow(recorded(rng, true_A, particle, missed=0.3, false=10)), true_A) < 0.1


@pytest.mark.parametrize("azimuth_rad", [0.3, 0.3 + np.pi / 6, 2.0])
@pytest.mark.parametrize("jump_A", [2.6, 5.0, 9.0])
def test_a_jump_of_several_lattice_vectors_is_followed(jump_A, azimuth_rad):
    """0.3 is along a row of the lattice, where it fits best one column further."""
    true_A = np.zeros((10, 2))
    true_A[5:] = jump_A * np.array([np.cos(azimuth_rad), np.sin(azimuth_rad)])
    table = follow(recorded(np.random.default_rng(1), true_A))
    assert table["used"].all()
    assert error_A(table, true_A) < 0.1


def test_a_particle_that_half_leaves_the_view_is_followed():
    true_A = np.outer(np.sin(np.linspace(0, np.pi, 21)), [26.0, 3.0])
    found = recorded(np.random.default_rng(2), true_A)
    assert len(found[10]) < 0.6 * len(found[0])
    table = follow(found)
    assert table["used"].all()
    assert error_A(table, true_A) < 0.1


def test_drift_out_of_the_first_view_is_followed_as_long_as_there_is_something_to_see():
    rng = np.random.default_rng(3)
    film = rng.uniform([0, 0], [130, 50], (1500, 2))  # far apart enough not to be a lattice
    true_A = np.outer(np.arange(30), [-2.5, 0.3])
    table = follow(recorded(rng, true_A, film, noise_A=0.1))
    assert table["used"].all()
    assert error_A(table, true_A) < 0.15


def test_a_frame_out_of_view_is_not_used_and_the_next_ones_are_found_again(caplog):
    rng = np.random.default_rng(4)
    true_A = wander(12, rng)
    true_A[5] = [80, 10]
    found = recorded(rng, true_A)
    found[8] = np.empty((0, 2))
    table = follow(found)
    assert np.flatnonzero(~table["used"]).tolist() == [5, 8]
    assert table.loc[[5, 8], ["x_A", "y_A"]].isna().all(axis=None)
    assert table.loc[8, ["columns", "matched"]].tolist() == [0, 0]
    assert error_A(table, true_A) < 0.1
    with caplog.at_level(logging.INFO):
        correct_drift.report(table)
    first, second, last = caplog.messages
    assert first.startswith("frame 5 is not used: ")
    assert second == "frame 8 has no columns and is not used"
    assert last.startswith("10 of 12 frames are used; the drift reaches ")


def test_a_frame_of_another_particle_is_not_used():
    rng = np.random.default_rng(5)
    found = recorded(rng, np.zeros((6, 2)))
    found[3] = observe(lattice_patch((18, 30), 9, turn_rad=0.9), rng)
    table = follow(found, min_matched=0.4)
    assert np.flatnonzero(~table["used"]).tolist() == [3]


@pytest.mark.parametrize("first", [0, 1])
def test_a_series_that_begins_with_odd_frames_starts_where_it_holds_together(first):
    """Frame 0 shows nothing but a few false columns, or another particle."""
    rng = np.random.default_rng(6)
    true_A = wander(8, rng)
    found = recorded(rng, true_A)
    odd = lattice_patch((18, 30), 12, turn_rad=0.9) if first else lattice_patch()[:0]
    found[0] = observe(odd, rng)
    table = follow(found, min_matched=0.4)
    assert table["used"].tolist() == [False] + 7 * [True]
    assert table.loc[1, ["x_A", "y_A"]].tolist() == [0, 0]
    assert error_A(table, true_A - true_A[1]) < 0.1


def test_one_frame_has_no_drift():
    table = follow(recorded(np.random.default_rng(7), np.zeros((1, 2))))
    assert table.loc[0, ["x_A", "y_A"]].tolist() == [0, 0]
    assert table["used"].all()
    assert table.loc[0, "matched"] == table.loc[0, "columns"]


def test_a_series_without_columns_is_refused():
    with pytest.raises(InputError, match="no column is found in any frame"):
        follow([np.empty((0, 2))] * 3)


def test_maps_are_asked_for_one_by_one_and_only_a_few_times():
    """Time is linear in the frames, and no more than a few maps are held at once."""
    found = recorded(np.random.default_rng(8), np.zeros((30, 2)))
    asked = []

    def ask(frame):
        asked.append(frame)
        return foreground(found[frame])

    follow_drift(ask, columns_of(found, SHAPE, PIXEL_A), SETTINGS)
    assert len(asked) <= 2.5 * len(found)
