"""The simulated acquisition: where atoms appear, how bright, and with what noise."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest
import rsciio.tiff
from made_inputs import flat_molecule, intensity_at, run, settings
from numpy.testing import assert_allclose

from atomsight.config.microscope import CameraSettings
from atomsight.config.phantoms import AcquisitionSettings, PristineSettings
from atomsight.errors import InputError
from atomsight.phantoms import acquisition, specimens
from atomsight.phantoms.specimens import SpecimenTruth

SMALL = AcquisitionSettings(rows=96, columns=128, pixel_size_A=0.12)


def few_atoms():
    """Six atoms far apart, without any symmetry, in a box that is not square."""
    sites = [[8, 9], [14.03, 11], [11.5, 14.27], [17.2, 15.4], [7.3, 15.9], [12.6, 7.21]]
    return flat_molecule(sites, (25.3, 22.1))


def sheet():
    return specimens.pristine_sheet(PristineSettings(size_A=(30, 26)))


def places_in_view(structure):
    known = SpecimenTruth(np.full(len(structure.sites), "unknown"), structure.positions)
    return acquisition.truth_in_view(structure, known, SMALL).atoms[["x_A", "y_A"]].to_numpy()


def brightest_near(image, position, pixel_size_A):
    """Vertex of the paraboloid through the 3 × 3 pixels about the brightest near a position."""
    column, row = np.round(position / pixel_size_A).astype(int)
    window = image[row - 4 : row + 5, column - 4 : column + 5]
    peak_row, peak_column = np.unravel_index(window.argmax(), window.shape)
    row, column = row - 4 + peak_row, column - 4 + peak_column
    along_x, along_y = image[row, column - 1 : column + 2], image[row - 1 : row + 2, column]
    shift = [(p[0] - p[2]) / (2 * (p[0] - 2 * p[1] + p[2])) for p in (along_x, along_y)]
    return (np.array([column, row]) + shift) * pixel_size_A


def test_atoms_appear_where_the_truth_says():
    structure = few_atoms()
    image, positions = acquisition.image_intensity(structure, SMALL), places_in_view(structure)
    assert len(positions) == 6
    peaks = np.array([brightest_near(image, one, SMALL.pixel_size_A) for one in positions])
    assert np.abs(peaks - positions).max() < 0.05


def test_golden_condition_gives_bright_atoms():
    """80 kV, Cs −11.5 µm, C10 +83 Å, that is 83 Å of overfocus."""
    structure, _ = sheet()
    sites, end = places_in_view(structure), np.array(SMALL.field_of_view_A)
    shown = sites[((sites > 0.5) & (sites < end - 0.5)).all(axis=1)]
    image = acquisition.image_intensity(structure, SMALL)
    assert intensity_at(image, shown, 0.12).min() > np.percentile(image, 75)
    reverse = acquisition.image_intensity(structure, SMALL.but(defocus_A=83.0, cs_um=11.5))
    assert intensity_at(reverse, shown, 0.12).max() < np.percentile(reverse, 50)


def test_pixels_sample_the_same_intensity_whatever_their_size():
    coarse, fine = (
        acquisition.image_intensity(few_atoms(), SMALL.but(rows=m, columns=n, pixel_size_A=size_A))
        for m, n, size_A in ((33, 41, 0.34), (65, 81, 0.17))
    )
    assert_allclose(fine[::2, ::2], coarse, atol=1e-9)


def test_atoms_images_are_round_without_astigmatism_and_not_with_it():
    structure = few_atoms()
    site = structure.sites[0] - acquisition.view_origin(structure, SMALL)

    def profile(optics):
        image = acquisition.image_intensity(structure, optics)
        return intensity_at(image, site + 0.6 * np.eye(2), 0.12) - image.mean()

    along_x, along_y = profile(SMALL)
    assert_allclose(along_x, along_y, rtol=0.15)
    along_x, along_y = profile(SMALL.but(astigmatism_A=80.0))
    assert abs(along_x - along_y) > 0.3 * max(abs(along_x), abs(along_y))


@pytest.mark.parametrize("spread_A", [0.0, 5.0, 60.0])
def test_the_sum_over_the_spread_of_defocus_is_as_good_as_the_integral(spread_A):
    """At 80 kV, where beams far apart turn quickest; too few terms would make them coherent again.

    The mean of images at 161 values of defocus, weighed by the distribution, is the integral.
    """
    structure = flat_molecule([[3, 4], [4.4, 4]], (9, 8))
    chosen = SMALL.but(rows=32, columns=32, focal_spread_A=spread_A)
    wave = acquisition.exit_wave(structure, chosen)
    shifts = np.linspace(-3, 3, 161)
    weights = np.exp(-(shifts**2)) / np.exp(-(shifts**2)).sum()
    expected = sum(
        weight
        * acquisition.image_wave(
            wave, chosen.but(focal_spread_A=0.0, defocus_A=chosen.defocus_A + spread_A * shift)
        )
        for shift, weight in zip(shifts, weights, strict=True)
    )
    found = acquisition.image_wave(wave, chosen)
    assert_allclose(found, expected, atol=2e-3 * expected.std())


def test_vibration_takes_contrast_and_no_electrons():
    structure, _ = sheet()
    view = SMALL.but(rows=200, columns=240)
    still = acquisition.image_intensity(structure, view)
    shaken = acquisition.image_intensity(structure, view.but(vibration_A=0.25))
    assert_allclose(shaken.mean(), still.mean(), rtol=1e-2)
    # The first ring of graphene's reflections, at 1 / 2.13 Å, keeps exp(−2π²σ²k²) = 0.76.
    assert 0.6 < shaken.std() / still.std() < 0.78


def test_mean_count_is_gain_times_dose_times_area():
    optics = AcquisitionSettings(dose_e_per_A2=500.0, gain=4.0, offset=30.0)
    counts = acquisition.expose(np.ones((300, 200)), optics)
    assert_allclose(counts.mean() - 30, 4 * 500 * 0.12**2, rtol=5e-3)
    image = acquisition.record(sheet()[0], optics.but(rows=200, columns=200))
    assert_allclose(image.mean() - 30, 4 * 500 * 0.12**2, rtol=2e-2)


@pytest.mark.parametrize("dose_e_per_A2", [10.0, 3000.0])
def test_noise_is_poisson(dose_e_per_A2):
    optics = AcquisitionSettings(dose_e_per_A2=dose_e_per_A2, gain=2.0, offset=0.0)
    electrons = acquisition.expose(np.ones((400, 400)), optics) / 2
    assert_allclose(electrons.var(), electrons.mean(), rtol=0.03)


def test_another_seed_gives_other_noise_and_the_same_seed_the_same():
    flat = np.ones((32, 32))
    one, same, other = (acquisition.expose(flat, SMALL.but(seed=seed)) for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


def test_mtf_is_one_at_zero_and_isotropic():
    transfer = acquisition.modulation_transfer((64, 96), CameraSettings())
    assert_allclose(transfer[0, 0], 1)
    # At Nyquist, with c2 = 0.5, the falling part is one half.
    assert_allclose(transfer[32, 0], 0.95 / 2 + 0.05)
    assert_allclose(transfer[32, 0], transfer[0, 48])
    assert_allclose(transfer[32, 48], 0.95 / (1 + np.sqrt(2) ** 2.5) + 0.05)
    # (9, 12) / 192 and (15, 0) / 192 cycles per pixel are equally long.
    assert_allclose(transfer[3, 6], transfer[5, 0])


def test_a_measured_mtf_is_read_between_its_rows_and_kept_beyond_them():
    camera = CameraSettings(table=((0, 1), (0.5, 0.8), (1, 0.2)))
    fraction = np.array([0, 0.25, 0.75, 1, 1.4])
    assert_allclose(acquisition.transfer_at(fraction, camera), [1, 0.9, 0.5, 0.2, 0.2])


def test_mtf_shapes_the_noise_too():
    camera = CameraSettings(c1=0, c2=0.4, c3=3)
    optics = AcquisitionSettings(dose_e_per_A2=1e5, gain=20.0, mtf=camera)
    counts = acquisition.expose(np.ones((256, 256)), optics) - optics.offset
    electrons_per_pixel = 1e5 * 0.12**2
    power = np.abs(np.fft.fft2(counts)) ** 2 / counts.size / (20**2 * electrons_per_pixel)
    expected = acquisition.modulation_transfer((256, 256), camera) ** 2
    q = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256))
    for low, high in ((0.02, 0.1), (0.2, 0.25), (0.4, 0.5)):
        ring = (q > low) & (q < high)
        assert_allclose(power[ring].mean(), expected[ring].mean(), rtol=0.06)


FLAT = AcquisitionSettings(dose_e_per_A2=1.0, pixel_size_A=0.5, gain=100, offset=2000)


def signal(optics, electrons, seed=0):
    """Signal of the pixels in electrons, at so many electrons a pixel on average."""
    intensity = np.full((400, 400), electrons / 0.25)
    counts = acquisition.expose(intensity, optics, np.random.default_rng(seed))
    return (counts.astype(float) - optics.offset) / optics.gain


@pytest.mark.parametrize("electrons", [0.14, 2.0, 40.0])
@pytest.mark.parametrize("spread", [0.3, 1.0])
def test_the_spread_of_the_gain_adds_its_square_to_the_noise_of_every_electron(electrons, spread):
    pixels = signal(FLAT.but(gain_spread=spread), electrons)
    assert_allclose(pixels.mean(), electrons, rtol=0.03)
    assert_allclose(pixels.var(), electrons * (1 + spread**2), rtol=0.05)
    # Pixels without an electron have no signal.
    same_electrons = signal(FLAT, electrons)
    assert (pixels[same_electrons == 0] == 0).all()


def test_readout_noise_is_the_same_with_and_without_electrons():
    for electrons in (0.0, 2.0):
        pixels = signal(FLAT.but(readout_e=3.0), electrons)
        assert_allclose(pixels.mean(), electrons, atol=0.03)
        assert_allclose(pixels.var(), electrons + 9, rtol=0.02)


def test_the_camera_blurs_the_spread_of_the_gain_and_not_the_readout():
    """Noise power of a pixel: MTF² λ (1 + s²) + r²."""
    camera = CameraSettings(c1=0, c2=0.4, c3=3)
    pixels = signal(FLAT.but(mtf=camera, gain_spread=0.7, readout_e=2.0), 20.0)
    power = np.abs(np.fft.fft2(pixels)) ** 2 / pixels.size
    transfer = acquisition.modulation_transfer(pixels.shape, camera)
    expected = transfer**2 * 20 * (1 + 0.7**2) + 2.0**2
    q = np.hypot(np.fft.fftfreq(400)[:, None], np.fft.fftfreq(400))
    for low, high in ((0.02, 0.1), (0.2, 0.25), (0.4, 0.5), (0.6, 0.7)):
        ring = (q > low) & (q < high)
        assert_allclose(power[ring].mean(), expected[ring].mean(), rtol=0.06)


def test_saturation_is_an_error():
    with pytest.raises(InputError, match="saturates"):
        acquisition.expose(np.ones((8, 8)), AcquisitionSettings(dose_e_per_A2=1e6, gain=50.0))


def test_pixel_size_survives_the_tiff(tmp_path):
    path = tmp_path / "image.tif"
    image = np.arange(12 * 20, dtype=np.uint16).reshape(12, 20)
    acquisition.write_acquisition(path, image, 0.1234)
    (read,) = rsciio.tiff.file_reader(path)
    assert (read["data"] == image).all()
    for axis, size in zip(read["axes"], image.shape, strict=True):
        assert axis["size"] == size
        assert axis["units"] == "nm"
        assert_allclose(axis["scale"], 0.01234, rtol=1e-6)


def test_tiff_says_that_it_is_simulated_and_not_when(tmp_path):
    paths = [tmp_path / "one.tif", tmp_path / "other.tif"]
    for path in paths:
        acquisition.write_acquisition(path, np.ones((8, 8), np.uint16), 0.1)
    content = paths[0].read_bytes()
    assert b"simulated" in content
    assert content == paths[1].read_bytes()


def test_truth_survives_its_file(tmp_path):
    truth = acquisition.truth_in_view(*sheet(), SMALL)
    acquisition.write_truth(tmp_path / "truth.h5", truth, {})
    read = acquisition.read_truth(tmp_path / "truth.h5")
    assert read.field_of_view_A == SMALL.field_of_view_A
    pd.testing.assert_frame_equal(read.atoms, truth.atoms, rtol=1e-7)


def test_script_images_one_specimen_at_several_doses(tmp_path):
    specimens.write_specimen(tmp_path / "specimen.h5", *sheet(), {})
    images, atoms = [], []
    for dose in (100, 10_000):
        section = {"rows": 96, "columns": 128, "dose_e_per_A2": dose, "offset": 0}
        line = f"simulate acquisition image.tif {dose}.h5 --specimen specimen.h5"
        assert run(f"{line} {settings(acquisition=section)}", tmp_path) == 0
        images.append(rsciio.tiff.file_reader(tmp_path / "image.tif")[0]["data"])
        atoms.append(acquisition.read_truth(tmp_path / f"{dose}.h5").atoms)
    assert images[0].shape == (96, 128)
    assert_allclose(images[1].mean() / images[0].mean(), 100, rtol=0.02)
    pd.testing.assert_frame_equal(*atoms, rtol=1e-7)
    with h5py.File(tmp_path / "100.h5") as file:
        assert json.loads(file.attrs["specimen"]) == "specimen.h5"
        assert file.attrs["seed"] == 0
