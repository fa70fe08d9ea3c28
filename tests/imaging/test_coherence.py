"""The spread of defocus: coherent modes and the envelope against the sum over defocus."""

import ase
import numpy as np
import pytest
from ase.data import chemical_symbols
from keras.ops import convert_to_numpy

from atomsight.config.phantoms import AcquisitionSettings, ParticleSettings
from atomsight.config.training import WaveSettings
from atomsight.files.records import Structure
from atomsight.geometry import electron_wavelength_A
from atomsight.imaging import coherence
from atomsight.imaging.microscope import Microscope
from atomsight.imaging.waves import simulate_spectra
from atomsight.materials import hbn, mos2
from atomsight.phantoms import acquisition, particles

#: Three images to count columns with, as the paper takes them [Å].
FOCUS_A = (-170, -40, 90)
PIXELS = 250
CS_UM, ENERGY_EV, RMS_A = -15.0, 300e3, 0.085
#: Coherent images of the models of particles.
GOLD_MODES = 5


def optics(cell_A, **other):
    known = {"energy_eV": ENERGY_EV, "cs_um": CS_UM, "thermal_displacement_A": RMS_A}
    grid = {"sampling_A": 0.08, "slice_thickness_A": 2.5, "rows": PIXELS, "columns": PIXELS}
    size_A = float(cell_A[0]) / (PIXELS + 2)
    return AcquisitionSettings(**(known | grid | {"pixel_size_A": size_A} | other))


def summed(structure, settings, focus_A=FOCUS_A):
    """Images without noise that are added over the spread of defocus."""
    wave = acquisition.exit_wave(structure, settings)
    return [acquisition.image_wave(wave, settings.but(defocus_A=focus)) for focus in focus_A]


def trained_on(structure, settings, modes, focus_A=FOCUS_A, **waves):
    """The same images by the microscope of the training."""
    symbols = (chemical_symbols[number] for number in set(structure.numbers))
    rms_A = dict.fromkeys(symbols, (settings.thermal_displacement_A,) * 2)
    chosen = WaveSettings(displacement_A=rms_A, **waves)
    spectra = simulate_spectra(structure, chosen, settings.energy_eV)
    cell_A = tuple(structure.cell_A[:2])
    columns, rows = acquisition.view_origin(structure, settings)[:, None] + (
        settings.pixel_size_A * np.arange(PIXELS)
    )
    images = len(focus_A)
    aberrations = [[-focus, 0, 0, settings.cs_um * 1e4, 0] for focus in focus_A]
    conditions = {
        "spectra": np.stack([spectra.real, spectra.imag], axis=-1)[None],
        "aberrations": np.array([aberrations], "float32"),
        "focal_spread": np.full((1, images), settings.focal_spread_A, "float32"),
        "vibration": np.full((1, images), settings.vibration_A, "float32"),
        "rows": np.tile(rows, (1, images, 1)).astype("float32"),
        "columns": np.tile(columns, (1, images, 1)).astype("float32"),
    }
    microscope = Microscope(spectra.shape[-1], cell_A, settings.energy_eV, coherent_modes=modes)
    return convert_to_numpy(microscope.intensity(conditions))[0]


@pytest.fixture(scope="module")
def particle():
    upright = {"zone_axis": "110", "tilt_deg": (0, 0), "margin_A": 5}
    settings = ParticleSettings(atoms=(700, 700), **upright, seed=1)
    return particles.make_specimen(settings, (40.0, 40.0)).structure


@pytest.fixture(scope="module")
def images(particle):
    return summed(particle, optics(particle.cell_A, focal_spread_A=30))


@pytest.fixture(scope="module")
def modes(particle):
    def take(count, k_max_per_A=2.0, spread_A=30):
        settings = optics(particle.cell_A, focal_spread_A=spread_A)
        grid = {"sampling_A": 0.08, "slice_thickness_A": 2.5, "k_max_per_A": k_max_per_A}
        return trained_on(particle, settings, count, **grid)

    return take


def correlations(ones, others):
    return [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(ones, others, strict=True)]


def test_the_microscope_of_the_training_takes_the_images_of_the_acquisition(images, modes):
    """At -40 Å, near the least contrast, an envelope on the wave gives 0.70."""
    assert min(correlations(modes(GOLD_MODES), images)) > 0.999
    assert min(correlations(modes(1), images)) < 0.8


@pytest.mark.parametrize("spread_A", [20, 40])
def test_the_modes_serve_to_the_ends_of_the_trained_spread(particle, modes, spread_A):
    exact = summed(particle, optics(particle.cell_A, focal_spread_A=spread_A))
    assert min(correlations(modes(GOLD_MODES, spread_A=spread_A), exact)) > 0.999


def test_no_electrons_vanish_behind_a_thick_specimen(images, modes, particle):
    atoms = particle.positions[:, :2] - acquisition.view_origin(particle, optics(particle.cell_A))
    rows, columns = np.round(atoms[:, ::-1] / optics(particle.cell_A).pixel_size_A).astype(int).T
    covered = slice(rows.min(), rows.max()), slice(columns.min(), columns.max())
    for image, exact in zip(modes(GOLD_MODES), images, strict=True):
        assert 0.98 < image.mean() < 1
        assert abs(image[covered].mean() - exact[covered].mean()) < 0.01
    for image in modes(1):
        assert image[covered].mean() < 0.92


def test_a_band_limit_below_the_reach_of_gold_loses_electrons(images, modes):
    """1.4 1/Å is beyond what is transferred, but not beyond what is scattered."""
    assert min(correlations(modes(5, k_max_per_A=1.4), images)) < 0.99


def test_the_envelope_will_do_behind_a_single_layer():
    """The error is a twentieth of the contrast of graphene, or less."""
    x, y = np.meshgrid(np.arange(7) * 2.46, np.arange(4) * 4.26)
    cell = [(0, 0), (1.23, 0.71), (1.23, 2.13), (0, 2.84)]
    sites = np.concatenate([np.stack([x + a, y + b], -1).reshape(-1, 2) for a, b in cell])
    positions = np.column_stack([sites, np.full(len(sites), 2.0)])
    box = np.array([7 * 2.46, 4 * 4.26, 4.0])
    sheet = Structure(positions, np.full(len(sites), 6), box, sites, np.ones(len(sites), int))
    light = {"energy_eV": 80e3, "cs_um": -11.5, "focal_spread_A": 28, "slice_thickness_A": 1.0}
    settings = optics(box[1:], **light)
    focus_A = (-110, -83, -60)  # at which graphene is imaged
    envelope = trained_on(sheet, settings, 1, focus_A)
    for one, other in zip(envelope, summed(sheet, settings, focus_A), strict=True):
        assert np.std(one - other) < 0.05 * np.std(other)
        assert abs(one.mean() - other.mean()) < 0.002


#: Optics of the sheets at 80 kV.
LIGHT = {"energy_eV": 80e3, "cs_um": -11.5, "focal_spread_A": 30, "slice_thickness_A": 0.5}


def sheet_of(material, seed=3, **settings):
    return material.make_structure(material.Settings(**settings), np.random.default_rng(seed))


def lost_contrast(structure, settings, image, exact, pair):
    """By how much the mean difference between the sites of two classes is wrong, as a share."""
    places = structure.sites - acquisition.view_origin(structure, settings)
    x, y = np.round(places / settings.pixel_size_A).astype(int).clip(0, PIXELS - 1).T
    one, other = (structure.classes == number for number in pair)
    wrong, right = (shown[y, x][one].mean() - shown[y, x][other].mean() for shown in (image, exact))
    return abs(1 - wrong / right)


def test_a_layer_of_molybdenum_and_sulfur_needs_more_than_the_envelope():
    """It takes a hundredth of the electrons, and a tenth to a fifth of what S2 and S differ by."""
    whole = {"grains": (1, 1), "max_holes": 0, "edge_share": 0, "max_single_vacancies": 0.5}
    sheet = sheet_of(mos2, 1, size_A=30.0, **whole)
    settings = optics(sheet.cell_A, **LIGHT)
    focus_A = tuple(sheet.cell_A[2] / 2 + focus for focus in (-175, -153, -105, -83, -60, -13, 10))
    exact = summed(sheet, settings, focus_A)
    sulfur = (mos2.SULFUR_PAIR, mos2.SINGLE_SULFUR)
    modes, envelope = (trained_on(sheet, settings, count, focus_A) for count in (4, 1))
    assert min(correlations(modes, exact)) > 0.9995
    assert min(correlations(envelope, exact)) < 0.996
    for one, other in zip(modes, exact, strict=True):
        assert abs(one.mean() - other.mean()) < 0.001
        assert lost_contrast(sheet, settings, one, other, sulfur) < 0.04
    assert max(image.mean() for image in envelope) < 0.991
    pairs = zip(envelope, exact, strict=True)
    assert np.median([lost_contrast(sheet, settings, *pair, sulfur) for pair in pairs]) > 0.1


def test_the_envelope_will_do_behind_a_layer_of_boron_and_nitrogen():
    """It takes a tenth of what they differ by at most."""
    sheet = sheet_of(hbn, size_A=30.0)
    settings = optics(sheet.cell_A, **LIGHT)
    focus_A = tuple(sheet.cell_A[2] / 2 + focus for focus in (-210, -188, -105, -83, -60, 22, 45))
    exact = summed(sheet, settings, focus_A)
    envelope = trained_on(sheet, settings, 1, focus_A)
    assert min(correlations(envelope, exact)) > 0.9995
    for one, other in zip(envelope, exact, strict=True):
        assert abs(one.mean() - other.mean()) < 0.001
        assert lost_contrast(sheet, settings, one, other, (1, 2)) < 0.12


def test_modes_are_a_partition_of_unity_and_together_the_mutual_coherence():
    wavelength_A = electron_wavelength_A(ENERGY_EV)
    square_k = np.linspace(0, 2, 41)[None, :] ** 2
    strong = np.exp(-square_k[0] / 2)  # about the amplitude of a wave behind gold
    for spread_A in (0.0, 20.0, 40.0):
        given = (np.array([spread_A], "float32"), square_k, wavelength_A)
        factors = np.stack(
            [convert_to_numpy(one)[0, 0] for one in coherence.coherent_modes(*given, 8)]
        )
        together = np.einsum("mi,mj->ij", factors, factors)
        apart = 0.5 * np.pi * wavelength_A * (square_k.T - square_k)
        np.testing.assert_allclose(np.diag(together), 1, atol=3e-4)
        error = together - np.exp(-((spread_A * apart) ** 2))
        assert np.abs(strong[:, None] * error * strong).max() < 0.01


def test_a_column_of_gold_is_seen_where_it_stands():
    """No transposition, and the same sign of defocus as the acquisition's."""
    at = (14.0, 9.0)
    atoms = ase.Atoms("Au4", [(*at, 2.0 + 2.9 * n) for n in range(4)], cell=(24, 24, 14))
    structure = Structure(
        atoms.positions, atoms.numbers, np.diag(atoms.cell), np.array([at]), np.array([4])
    )
    settings = optics(structure.cell_A, focal_spread_A=30)
    taken = trained_on(structure, settings, 4, k_max_per_A=2.0, sampling_A=0.08)
    assert min(correlations(taken, summed(structure, settings))) > 0.999
