"""The simulated acquisition: where atoms appear, how bright, and with what noise."""

import json

import h5py
import numpy as np
import pytest
import rsciio.tiff
from numpy.testing import assert_allclose
from scipy.ndimage import map_coordinates

import simulate
from atomsight.config.microscope import CameraSettings
from atomsight.config.phantoms import AcquisitionSettings, PristineSettings
from atomsight.errors import InputError
from atomsight.files import provenance
from atomsight.files.records import Structure
from atomsight.phantoms import acquisition, specimens
from atomsight.phantoms.specimens import SpecimenTruth

SMALL = AcquisitionSettings(rows=96, columns=128, pixel_size_A=0.12)


def few_atoms():
    """Six atoms far apart, without any symmetry, in a box that is not square."""
    sites = np.array([[8, 9], [14.03, 11], [11.5, 14.27], [17.2, 15.4], [7.3, 15.9], [12.6, 7.21]])
    positions = np.column_stack([sites, np.full(6, 2.0)])
    return Structure(positions, np.full(6, 6), np.array([25.3, 22.1, 4]), sites, np.ones(6, int))


def unknown(structure):
    count = len(structure.sites)
    return SpecimenTruth(np.full(count, "unknown"), np.full((count, 3), np.nan))


def sheet():
    return specimens.pristine_sheet(PristineSettings(size_A=(30, 26)))[0]


def intensity_at(image, positions, pixel_size_A):
    rows, columns = positions[:, 1] / pixel_size_A, positions[:, 0] / pixel_size_A
    return map_coordinates(image, [rows, columns], order=3)


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
    image = acquisition.image_intensity(structure, SMALL)
    truth = acquisition.truth_in_view(structure, unknown(structure), SMALL)
    positions = truth.atoms[["x_A", "y_A"]].to_numpy()
    assert len(positions) == 6
    peaks = np.array([brightest_near(image, one, SMALL.pixel_size_A) for one in positions])
    assert np.abs(peaks - positions).max() < 0.05


def test_golden_condition_gives_bright_atoms():
    """80 kV, Cs −11.5 µm, C10 +83 Å, that is 83 Å of overfocus."""
    structure = sheet()
    image = acquisition.image_intensity(structure, SMALL)
    truth = acquisition.truth_in_view(structure, unknown(structure), SMALL)
    positions = truth.atoms[["x_A", "y_A"]].to_numpy()
    shown = ((positions > 0.5) & (positions < np.array(SMALL.field_of_view_A) - 0.5)).all(axis=1)
    atoms = intensity_at(image, positions[shown], SMALL.pixel_size_A)
    assert atoms.min() > np.percentile(image, 75)

    reverse = SMALL.but(defocus_A=83.0, cs_um=11.5)
    image = acquisition.image_intensity(structure, reverse)
    atoms = intensity_at(image, positions[shown], SMALL.pixel_size_A)
    assert atoms.max() < np.percentile(image, 50)


def test_pixels_sample_the_same_intensity_whatever_their_size():
    coarse = SMALL.but(rows=33, columns=41, pixel_size_A=0.34)
    fine = SMALL.but(rows=65, columns=81, pixel_size_A=0.17)
    structure = few_atoms()
    assert_allclose(
        acquisition.image_intensity(structure, fine)[::2, ::2],
        acquisition.image_intensity(structure, coarse),
        atol=1e-9,
    )


def test_atoms_images_are_round_without_astigmatism_and_not_with_it():
    structure = few_atoms()
    site = structure.sites[0] - acquisition.view_origin(structure, SMALL)
    offsets = {"x": [0.6, 0], "y": [0, 0.6]}

    def profile(settings):
        image = acquisition.image_intensity(structure, settings)
        points = site + np.array(list(offsets.values()))
        return intensity_at(image, points, settings.pixel_size_A) - image.mean()

    along_x, along_y = profile(SMALL)
    assert_allclose(along_x, along_y, rtol=0.15)
    along_x, along_y = profile(SMALL.but(astigmatism_A=80.0))
    assert abs(along_x - along_y) > 0.3 * max(abs(along_x), abs(along_y))


def test_vibration_takes_contrast_and_no_electrons():
    structure = sheet()
    view = SMALL.but(rows=200, columns=240)
    still = acquisition.image_intensity(structure, view)
    shaken = acquisition.image_intensity(structure, view.but(vibration_A=0.25))
    assert_allclose(shaken.mean(), still.mean(), rtol=1e-2)
    # The first ring of graphene's reflections, at 1 / 2.13 Å, keeps exp(−2π²σ²k²) = 0.76.
    assert 0.6 < shaken.std() / still.std() < 0.78


def test_mean_count_is_gain_times_dose_times_area():
    settings = AcquisitionSettings(dose_e_per_A2=500.0, gain=4.0, offset=30.0)
    counts = acquisition.expose(np.ones((300, 200)), settings)
    assert_allclose(counts.mean() - 30, 4 * 500 * 0.12**2, rtol=5e-3)
    image = acquisition.record(sheet(), settings.but(rows=200, columns=200))
    assert_allclose(image.mean() - 30, 4 * 500 * 0.12**2, rtol=2e-2)


@pytest.mark.parametrize("dose_e_per_A2", [10.0, 3000.0])
def test_noise_is_poisson(dose_e_per_A2):
    settings = AcquisitionSettings(dose_e_per_A2=dose_e_per_A2, gain=2.0, offset=0.0)
    electrons = acquisition.expose(np.ones((400, 400)), settings) / 2
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
    settings = AcquisitionSettings(
        dose_e_per_A2=1e5, gain=20.0, mtf=CameraSettings(c1=0, c2=0.4, c3=3)
    )
    counts = acquisition.expose(np.ones((256, 256)), settings) - settings.offset
    electrons_per_pixel = 1e5 * 0.12**2
    power = np.abs(np.fft.fft2(counts)) ** 2 / counts.size / (20**2 * electrons_per_pixel)
    expected = acquisition.modulation_transfer((256, 256), settings.mtf) ** 2
    q = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256))
    for low, high in ((0.02, 0.1), (0.2, 0.25), (0.4, 0.5)):
        ring = (q > low) & (q < high)
        assert_allclose(power[ring].mean(), expected[ring].mean(), rtol=0.06)


def test_saturation_is_an_error():
    with pytest.raises(InputError, match="saturates"):
        acquisition.expose(np.ones((8, 8)), AcquisitionSettings(dose_e_per_A2=1e6, gain=50.0))


def test_a_field_of_view_larger_than_the_box_is_an_error():
    with pytest.raises(InputError, match="does not fit"):
        acquisition.record(few_atoms(), SMALL.but(rows=300))


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
    structure, known = specimens.pristine_sheet(PristineSettings(size_A=(30, 26)))
    truth = acquisition.truth_in_view(structure, known, SMALL)
    acquisition.write_truth(tmp_path / "truth.h5", truth, provenance.made_by("test", {}))
    read = acquisition.read_truth(tmp_path / "truth.h5")
    assert read.field_of_view_A == SMALL.field_of_view_A
    assert read.atoms["region"].tolist() == truth.atoms["region"].tolist()
    columns = ["x_A", "y_A", "e_xx", "e_yy", "e_xy", "planar"]
    assert_allclose(read.atoms[columns], truth.atoms[columns])


def test_script_images_one_specimen_at_several_doses(tmp_path):
    structure, known = specimens.pristine_sheet(PristineSettings(size_A=(30, 26)))
    specimen = tmp_path / "specimen.h5"
    specimens.write_specimen(
        specimen, structure, known, provenance.made_by("simulate.py specimen", {})
    )
    for dose in (100, 10_000):
        section = {"rows": 96, "columns": 128, "dose_e_per_A2": dose, "offset": 0}
        outputs = [str(tmp_path / f"{dose}.tif"), str(tmp_path / f"{dose}.h5")]
        text = json.dumps({"acquisition": section})
        assert (
            simulate.main(
                ["acquisition", *outputs, "--specimen", str(specimen), "--settings", text]
            )
            == 0
        )
    images = [
        rsciio.tiff.file_reader(tmp_path / f"{dose}.tif")[0]["data"] for dose in (100, 10_000)
    ]
    assert images[0].shape == (96, 128)
    assert_allclose(images[1].mean() / images[0].mean(), 100, rtol=0.02)
    with h5py.File(tmp_path / "100.h5") as file:
        assert json.loads(file.attrs["specimen"]) == "specimen.h5"
        assert file.attrs["seed"] == 0
    atoms = [acquisition.read_truth(tmp_path / f"{dose}.h5").atoms for dose in (100, 10_000)]
    assert_allclose(atoms[0][["x_A", "y_A"]], atoms[1][["x_A", "y_A"]])
