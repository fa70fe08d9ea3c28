"""Simulated sequences: what hops, how often, and where the particle is in every frame."""

import numpy as np
import pandas as pd
import pytest
from made_inputs import run, settings
from numpy.testing import assert_allclose
from scipy.spatial import cKDTree

from atomsight.config.phantoms import SequenceSettings
from atomsight.files import layout, sealed
from atomsight.phantoms import particles, sequence_truth, sequences

SMALL = {
    "frames": 4,
    "drift_A_per_frame": 0.5,
    "drift_limit_A": 3,
    "particle": {"atoms": [120, 160], "support": "crystalline", "support_thickness_A": [15, 16]},
    "acquisition": {"rows": 256, "columns": 256, "dose_e_per_A2": 1e5, "gain": 1},
}


def load(**changes):
    return SequenceSettings.parse(SMALL | changes, "sequence")


def columns_of(chosen):
    specimen = particles.make_specimen(chosen.particle, (42.0, 42.0))
    return specimen, sequences.hopping_columns(specimen, chosen)


@pytest.fixture(scope="module")
def hopping():
    return load(), *sequences.simulate(load())


def test_the_stack_shows_the_drift_of_the_truth():
    chosen = load(dynamic_share=0, frames=5)
    stack, truth = sequences.simulate(chosen)
    assert_allclose(truth.drift[0], 0)
    assert np.linalg.norm(truth.drift[-1]) > 1
    reference = np.fft.fft2(stack[0] - stack[0].mean())
    for frame in range(1, 5):
        # Cross-correlation, evaluated on a fine grid about the drift of the truth.
        cross = np.fft.fft2(stack[frame] - stack[frame].mean()) * reference.conj()
        q = np.fft.fftfreq(256)
        steps = np.linspace(-0.4, 0.4, 41)
        x, y = ((truth.drift[frame, axis] + steps) / 0.125 for axis in (0, 1))
        wave_y, wave_x = (np.exp(2j * np.pi * np.outer(shift, q)) for shift in (y, x))
        values = (wave_y @ cross @ wave_x.T).real
        row, column = np.unravel_index(values.argmax(), values.shape)
        assert np.hypot(steps[row], steps[column]) < 0.06


def test_columns_are_bright_where_the_truth_says_and_when(hopping):
    chosen, stack, truth = hopping
    sites, pixel_A = truth.sites, chosen.acquisition.pixel_size_A
    here = sites[["x_A", "y_A"]].to_numpy() + truth.drift[:, None]
    rows, columns = (np.round(here[..., axis] / pixel_A).astype(int) for axis in (1, 0))
    counts = stack[np.arange(4)[:, None], rows, columns] - chosen.acquisition.offset
    brightness = counts.T / (1e5 * pixel_A**2)
    tall = (sites["atoms"] >= 2).to_numpy()
    assert np.median(brightness[tall][truth.occupied[tall]]) > 1.4
    gone = brightness[~truth.occupied & sites[["dynamic"]].to_numpy()]
    assert len(gone) > 3
    assert np.median(gone) < 1.15


def test_frames_of_a_static_sequence_differ_by_noise_alone():
    still = load(dynamic_share=0, drift_A_per_frame=0, drift_walk_A=0, frames=3)
    mtf = still.acquisition.but(mtf=None)
    stack, truth = sequences.simulate(still.but(acquisition=mtf))
    assert truth.occupied.all()
    assert not truth.sites["dynamic"].any()
    difference = stack[1].astype(float) - stack[0]
    assert difference.std() > 0
    # The variance of the difference of two Poisson numbers is the sum of their means.
    expected = stack.astype(float).mean(axis=0) - still.acquisition.offset
    blocks = (difference**2 / (2 * expected)).reshape(16, 16, 16, 16).mean(axis=(1, 3))
    assert np.abs(blocks - 1).max() < 0.5
    assert_allclose(blocks.mean(), 1, atol=0.02)


@pytest.mark.parametrize(
    "changes", [{"dynamic_share": 0}, {"p_appear": [0, 0], "p_vanish": [0, 0]}]
)
def test_nothing_hops_without_a_share_or_without_probabilities(changes):
    _, everything = columns_of(load(**changes))
    assert not everything.sites["dynamic"].any()
    assert (everything.sites["region"] != "outside").all()


def test_sites_that_hop_are_at_the_surface_and_away_from_the_support():
    particle = SMALL["particle"] | {"atoms": [400, 450]}
    specimen, everything = columns_of(load(dynamic_share=0.6, particle=particle))
    hopping = everything.sites[everything.sites["dynamic"]]
    assert len(hopping) > 10
    assert set(hopping["region"]) == {"surface", "outside"}
    assert hopping["clear"].all()
    hops = everything.sites["dynamic"].to_numpy()[: len(specimen.columns)]
    labels = specimen.particle.columns.labels
    assert specimen.particle.near(labels[hops], labels[~hops]).min() >= 2


def test_columns_at_empty_sites_are_lattice_columns_of_two_to_six_atoms():
    specimen, everything = columns_of(load())
    added = everything.sites[everything.sites["region"] == "outside"]
    assert 0 < len(added) <= 6
    assert added["atoms"].between(2, 6).all()
    for site in added.itertuples():
        atoms = everything.structure.positions[everything.column == site.site]
        assert len(atoms) == site.atoms
        assert_allclose(atoms[:, :2].mean(axis=0), [site.x_A, site.y_A])
        steps = np.linalg.norm(np.diff(atoms, axis=0), axis=1)
        assert_allclose(steps, specimen.particle.lattice_A / np.sqrt(2), rtol=1e-6)
    here = ["x_A", "y_A"]
    distances, _ = cKDTree(specimen.columns[here]).query(added[here])
    assert (distances > 2).all()
    assert (distances < 4.2).all()


def test_a_column_leaves_with_all_its_atoms_and_nothing_else():
    _, everything = columns_of(load())
    there = np.arange(len(everything.sites)) < len(everything.sites) - 1
    left = sequences._occupied_structure(everything, there)
    gone = len(everything.structure.positions) - len(left.positions)
    assert gone == everything.sites["atoms"].iloc[-1]
    assert (left.numbers == 58).sum() == (everything.structure.numbers == 58).sum()


def test_chains_hop_as_often_as_their_probabilities_say():
    a, b = np.array([0.05, 0.3, 0.2, 0.0]), np.array([0.1, 0.05, 0.6, 0.0])
    rate = sequences.hop_rate(a, b)
    assert_allclose(rate[:3], 2 * (a * b)[:3] / (a + b)[:3])
    assert rate[3] == 0
    sites = pd.DataFrame({"p_appear": a, "p_vanish": b, "dynamic": [True, True, True, False]})
    occupied = sequences.occupancy(sites, 60_000, np.random.default_rng(0))
    changes = (occupied[:, 1:] != occupied[:, :-1]).mean(axis=1)
    assert_allclose(changes, rate, rtol=0.04)
    assert_allclose(occupied.mean(axis=1)[:3], a[:3] / (a + b)[:3], rtol=0.04)
    assert occupied[3].all()


def test_chains_begin_in_their_stationary_state():
    many = pd.DataFrame({"p_appear": 0.02, "p_vanish": 0.06, "dynamic": True}, index=range(20_000))
    occupied = sequences.occupancy(many, 3, np.random.default_rng(1))
    assert_allclose(occupied.mean(axis=0), 0.25, atol=0.012)


def test_another_gas_is_the_same_specimen_with_other_rates():
    _, one = columns_of(load())
    _, other = columns_of(load(p_appear=[0.4, 0.5], seed=9))
    assert_allclose(one.structure.positions, other.structure.positions)
    same = ["x_A", "y_A", "atoms", "dynamic", "p_vanish"]
    pd.testing.assert_frame_equal(one.sites[same], other.sites[same])
    hops = one.sites["dynamic"]
    assert (other.sites.loc[hops, "p_appear"] >= 0.4).all()
    assert (one.sites.loc[hops, "p_appear"] <= 0.3).all()


def test_another_seed_leaves_the_rates_and_changes_events_and_drift(hopping):
    chosen, _, truth = hopping
    drifts = [sequences.drift_path(chosen, np.random.default_rng(seed)) for seed in (0, 1)]
    assert not np.allclose(*drifts)
    chains = [sequences.occupancy(truth.sites, 50, np.random.default_rng(seed)) for seed in (0, 1)]
    assert (chains[0] != chains[1]).any()


def test_drift_is_limited():
    path = sequences.drift_path(load(frames=100, drift_limit_A=4), np.random.default_rng(0))
    assert_allclose(np.ptp(path, axis=0).max(), 4)
    assert_allclose(path[0], 0)


def test_the_script_writes_a_stack_that_the_workflow_reads(tmp_path):
    section = SMALL | {"frames": 2, "acquisition": {"rows": 248, "columns": 264}}
    assert run(f"simulate sequence stack.tif truth.h5 {settings(**section)}", tmp_path) == 0
    assert b"simulated" in (tmp_path / "stack.tif").read_bytes()
    assert run("import_series stack.tif frames.h5", tmp_path) == 0
    with layout.open_frames(tmp_path / "frames.h5") as read:
        assert read.images.shape == (2, 248, 264)
        assert_allclose(read.pixel_size_A, 0.125, rtol=1e-5)
    known = sequence_truth.read_truth(tmp_path / "truth.h5")
    assert known.occupied.shape == (len(known.sites), 2)
    assert known.drift.shape == (2, 2)
    first = ["site", "x_A", "y_A", "atoms", "dynamic", "p_appear", "p_vanish", "hop_rate"]
    assert known.sites.columns[:8].tolist() == first
    assert known.sites["dynamic"].dtype == bool
    with sealed.open_to_read(tmp_path / "truth.h5") as file:
        assert file["occupied"].dtype == np.int8
        assert file.attrs["frame_shape"].tolist() == [2, 248, 264]
        assert file.attrs["dose_e_per_A2"] == 300
        assert_allclose(file.attrs["field_of_view"], [263 * 0.125, 247 * 0.125])
        assert file.attrs["pixel_size_A"] == 0.125
