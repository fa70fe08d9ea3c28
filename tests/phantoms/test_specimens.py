"""Evaluation specimens: their geometry and their truth."""

import time

import h5py
import numpy as np
import pytest
from made_inputs import neighbours_A, run, settings
from numpy.testing import assert_allclose
from scipy.spatial import cKDTree

from atomsight.config.phantoms import PolycrystalSettings, PristineSettings, StrainedSettings
from atomsight.errors import InputError
from atomsight.files import layout
from atomsight.phantoms import specimens
from atomsight.phantoms.specimens import BOND_A

SMALL = (50.0, 40.0)


def bonds_of(structure, of):
    """Vectors from these sites to the three nearest to them."""
    _, nearest = cKDTree(structure.sites).query(structure.sites[of], k=4)
    return structure.sites[nearest[:, 1:]] - structure.sites[of, None]


def test_pristine_sheet_has_graphenes_bonds_and_density():
    structure, truth = specimens.pristine_sheet(PristineSettings(size_A=SMALL))
    inner = truth.region == "grain"
    assert_allclose(neighbours_A(structure.sites, 3)[inner], BOND_A, atol=1e-9)
    hexagon_A2 = 3 * np.sqrt(3) / 2 * BOND_A**2
    sheet_A2 = (SMALL[0] - 2) * (SMALL[1] - 2)
    assert_allclose(len(structure.sites), 2 * sheet_A2 / hexagon_A2, rtol=0.03)
    assert_allclose(truth.strain, 0)


def test_ripples_have_the_height_asked_for_and_fit_in_the_box():
    structure, _ = specimens.pristine_sheet(PristineSettings(size_A=(150, 150), ripple_A=0.3))
    heights = structure.positions[:, 2]
    assert_allclose(heights.std(), 0.3, rtol=0.4)
    assert heights.min() > 1
    assert heights.max() < structure.cell_A[2] - 1


def test_rotation_turns_the_lattice_from_x_towards_y():
    turned = PristineSettings(size_A=SMALL, rotation_rad=0.2)
    structure, truth = specimens.pristine_sheet(turned)
    bonds = bonds_of(structure, truth.region == "grain")
    # Unrotated, a bond points along ±y, and the others are 60° apart.
    azimuths = np.arctan2(bonds[..., 1], bonds[..., 0])
    assert_allclose(np.exp(6j * azimuths), np.exp(6j * (np.pi / 2 + 0.2)), atol=1e-6)


def test_gradient_of_the_displacement_is_its_finite_difference():
    rng = np.random.default_rng(1)
    field = specimens.random_displacement_field(SMALL, 0.03, rng)
    points = rng.uniform(0, 40, (200, 2))
    step = 1e-4
    differences = [
        (field.displacement(points + shift) - field.displacement(points - shift)) / (2 * step)
        for shift in step * np.eye(2)
    ]
    assert_allclose(field.gradient(points), np.stack(differences, axis=-1), atol=1e-9)


def test_left_strain_ignores_rotation_and_keeps_the_axes_of_the_image():
    turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    stretch = np.array([[1.02, 0.005], [0.005, 0.99]])
    assert_allclose(specimens.left_strain((stretch @ turn)[None]), [[0.02, -0.01, 0.005]])


def test_true_strain_is_that_of_the_bonds():
    """Where the strain varies slowly, an affine fit to the neighbours gives the table."""
    flat = StrainedSettings(size_A=(80, 80), rotation_rad=0.0, planar_strain=0.03, hole_radius_A=6)
    structure, truth = specimens.strained_sheet(flat)
    inner = (truth.region == "grain") & (np.abs(structure.sites - 40) < 30).all(axis=1)
    bonds = bonds_of(structure, inner)
    # Shape tensor of the nearest neighbours' shell: F·Fᵀ·(3/2) b² for three bonds.
    bonds -= bonds.mean(axis=1, keepdims=True)
    stretch_squared = np.einsum("nbi,nbj->nij", bonds, bonds) / (1.5 * BOND_A**2)
    planar = np.sqrt(np.linalg.det(stretch_squared)) ** 0.5 - 1
    expected = truth.strain[inner, :2].mean(axis=1)
    assert_allclose(np.abs(expected).max(), 0.03, rtol=0.35)
    assert np.median(np.abs(planar - expected)) < 2e-3
    assert np.corrcoef(planar, expected)[0, 1] > 0.99


def test_hole_has_edges_and_no_loose_atoms():
    holed = StrainedSettings(size_A=(80, 80), hole_radius_A=10)
    structure, truth = specimens.strained_sheet(holed)
    whole, _ = specimens.strained_sheet(holed.but(hole_radius_A=0))
    missing_A2 = (len(whole.sites) - len(structure.sites)) * 3 * np.sqrt(3) / 4 * BOND_A**2
    assert_allclose(missing_A2, np.pi * 10**2, rtol=0.5)
    middle = (np.abs(structure.sites - 40) < 25).all(axis=1)
    assert (truth.region[middle] == "edge").sum() > 15
    assert neighbours_A(structure.sites, 2).max() < specimens.BOND_REACH_A


def test_same_seed_gives_the_same_sheet():
    chosen = StrainedSettings(size_A=SMALL, hole_radius_A=5)
    one, same, other = (
        specimens.strained_sheet(chosen.but(seed=seed))[0].positions for seed in (4, 4, 5)
    )
    assert_allclose(one, same)
    assert len(one) != len(other) or not np.allclose(one, other)


@pytest.fixture(scope="module")
def grains():
    three = PolycrystalSettings(size_A=(40.0, 34.0), grain_count=3, relaxation_steps=100, seed=2)
    return specimens.polycrystal(three)


def test_polycrystals_bonds_and_neighbours_are_sane(grains):
    structure, _ = grains
    size_A = structure.cell_A[:2]
    distances_A = neighbours_A(structure.positions, 6, box_A=(*size_A, 0))
    bonded = distances_A < specimens.BOND_REACH_A
    coordination = bonded.sum(axis=1)
    assert_allclose(np.median(distances_A[bonded]), BOND_A, atol=0.02)
    assert distances_A.min() > 1.15
    assert coordination.min() >= 2
    assert coordination.max() <= 5
    assert (coordination == 3).mean() > 0.9
    assert (structure.sites >= 0).all()
    assert (structure.sites < size_A).all()


def test_polycrystal_has_grains_and_boundaries_of_unknown_strain(grains):
    _, truth = grains
    shares = {name: (truth.region == name).mean() for name in ("grain", "boundary", "edge")}
    assert_allclose(sum(shares.values()), 1)
    assert 0.05 < shares["boundary"] < 0.7
    assert np.isnan(truth.strain).all()


def test_a_specimen_survives_its_file(tmp_path):
    path = tmp_path / "specimen.h5"
    structure, truth = specimens.strained_sheet(StrainedSettings(size_A=SMALL, hole_radius_A=4))
    specimens.write_specimen(path, structure, truth, {})
    structure_read, truth_read = specimens.read_specimen(path)
    assert_allclose(structure_read.positions, structure.positions)
    assert_allclose(truth_read.strain, truth.strain)
    assert (truth_read.region == truth.region).all()


def test_any_file_of_structures_is_a_specimen_of_unknown_truth(tmp_path):
    path = tmp_path / "structures.h5"
    structure, _ = specimens.pristine_sheet(PristineSettings(size_A=SMALL))
    layout.write_structures(path, [(7, structure)], {})
    _, truth = specimens.read_specimen(path)
    assert set(truth.region) == {"unknown"}
    assert np.isnan(truth.strain).all()


def test_a_file_without_structures_is_refused(tmp_path):
    path = tmp_path / "empty.h5"
    layout.write_structures(path, [], {})
    with pytest.raises(InputError, match="no structure"):
        specimens.read_specimen(path)


def test_script_writes_a_specimen_that_says_what_made_it(tmp_path):
    chosen = settings(kind="pristine", size_A=[40, 30], seed=5)
    assert run(f"simulate specimen specimen.h5 {chosen}", tmp_path) == 0
    with h5py.File(tmp_path / "specimen.h5") as file:
        assert file.attrs["made_by"] == "simulate.py specimen"
        assert file.attrs["seed"] == 5
    structure, _ = specimens.read_specimen(tmp_path / "specimen.h5")
    assert_allclose(structure.cell_A[:2], [40, 30])


def test_a_specimen_made_a_second_later_has_the_same_bytes(tmp_path):
    """HDF5 would stamp its newer kinds of groups with the time."""
    settings = PristineSettings(size_A=(10, 10))
    for name in ("one.h5", "other.h5"):
        specimens.write_specimen(tmp_path / name, *specimens.pristine_sheet(settings), {})
        time.sleep(1.1)
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "other.h5").read_bytes()
