"""Registration of focal series: simulated ones with known shifts."""

import numpy as np
import pytest

from atomsight.config.phantoms import AcquisitionSettings, MonolayerSettings, ParticleSettings
from atomsight.errors import InputError
from atomsight.materials import mos2
from atomsight.phantoms import acquisition, monolayers, particles
from atomsight.reading.micrographs.registration import register
from atomsight.reading.micrographs.resampling import displace

PIXEL_A = 0.2
NAMES = ("a.tif[0]", "a.tif[1]", "a.tif[2]", "a.tif[3]", "a.tif[4]")
#: Where the fields of view lie, (x, y): up to a nanometre apart [Å].
VIEWS_A = np.array([[-3.13, 4.4], [0.0, 0.0], [4.61, -4.87], [1.2, 2.3], [-1.77, -0.4]])
OPTICS = AcquisitionSettings(rows=220, columns=210, pixel_size_A=PIXEL_A, focal_spread_A=30.0)


def images_of(structure, optics, focus_A):
    """Images of a specimen without noise, each with its own focus and field of view."""
    wave = acquisition.exit_wave(structure, optics)
    return np.stack(
        [
            acquisition.image_wave(wave, optics.but(defocus_A=focus), tuple(view))
            for focus, view in zip(focus_A, VIEWS_A, strict=False)
        ]
    )


def exposed(images, dose_e_per_A2):
    """Counts; the images share the dose."""
    optics = OPTICS.but(dose_e_per_A2=dose_e_per_A2 / len(images))
    rng = np.random.default_rng(0)
    return np.stack([acquisition.expose(image, optics, rng) for image in images])


def true_shifts_A(count):
    """A field of view that moves one way shows the specimen displaced the other way."""
    return VIEWS_A[:count].mean(axis=0) - VIEWS_A[:count]


def registered(images):
    return register(images, PIXEL_A, NAMES[: len(images)], "series a")


def rms_A(found_A):
    return np.sqrt(np.mean((found_A - true_shifts_A(len(found_A))) ** 2))


def images_of_gold(seed, tilt_deg, focus_A):
    """The focus counts from the lower side of the particle."""
    chosen = ParticleSettings(atoms=(350, 450), zone_axis="110", tilt_deg=tilt_deg, seed=seed)
    specimen = particles.make_specimen(chosen, (56.0, 56.0))
    optics = OPTICS.but(energy_eV=300e3, cs_um=-15.0, thermal_displacement_A=0.085)
    return images_of(specimen.structure, optics, np.array(focus_A) + specimen.below_A)


@pytest.fixture(scope="module")
def gold_images():
    return images_of_gold(1, (0.0, 0.5), [-170.0, -40.0, 90.0])


@pytest.fixture(scope="module")
def sheet_images():
    whole = {"vacancy_shares": {"Mo": 0.0, "S": 0.0, "S2": 0.0}, "edge_vacancy_shares": {"S": 0.0}}
    settings = MonolayerSettings(size_A=(56.0, 56.0), grain_count=1, tilt_deg=0.0, **whole)
    sheet = monolayers.make_monolayer(mos2.HONEYCOMB, settings)
    return images_of(sheet.structure, OPTICS, [-153.0, -83.0, -13.0])


@pytest.mark.parametrize(("dose", "limit_A"), [(1e3, 0.1), (1e4, 0.03), (1e5, 0.02)])
def test_a_gold_particle_is_registered_whatever_the_focus(gold_images, dose, limit_A):
    assert rms_A(registered(exposed(gold_images, dose))) < limit_A


def test_the_images_do_not_correlate_as_they_are(gold_images):
    """Why rings are compared: plain cross-correlation finds another place."""
    first, second = (image - image.mean() for image in exposed(gold_images, 1e5)[:2])
    product = np.conj(np.fft.rfft2(first)) * np.fft.rfft2(second)
    plain = np.fft.irfft2(product, first.shape)
    place = np.array(np.unravel_index(plain.argmax(), plain.shape))
    place -= (place > np.array(plain.shape) // 2) * np.array(plain.shape)
    true_A = np.diff(true_shifts_A(3), axis=0)[0]
    assert np.hypot(*(place[::-1] * PIXEL_A - true_A)) > 1.0


def test_a_sheet_with_a_hole_is_registered(sheet_images):
    assert rms_A(registered(exposed(sheet_images, 1e4))) < 0.03


def test_two_and_five_images_are_registered_too():
    images = images_of_gold(2, (2.0, 3.0), [-170.0, -105.0, -40.0, 25.0, 90.0])
    assert rms_A(registered(exposed(images, 1e4))) < 0.03
    assert rms_A(registered(exposed(images[:2], 1e4))) < 0.03


def test_shifts_are_about_their_mean_and_do_not_depend_on_brightness(gold_images):
    images = exposed(gold_images, 1e4)
    shifts_A = registered(images)
    np.testing.assert_allclose(shifts_A.sum(axis=0), 0, atol=1e-9)
    scaled = images * np.array([1, 30, 0.1])[:, None, None] + np.array([0, -700, 5])[:, None, None]
    np.testing.assert_allclose(registered(scaled), shifts_A, atol=1e-3)


def test_an_image_of_nothing_is_named(gold_images):
    images = exposed(gold_images, 3e4)
    images[1] = np.random.default_rng(0).poisson(images[1].mean(), images[1].shape)
    expected = (
        r"series a: a\.tif\[1\] cannot be registered with the other images of the focal series, "
        r"a\.tif\[0\], a\.tif\[2\]: they have nothing in common above the noise; "
    )
    with pytest.raises(InputError, match=expected):
        registered(images)


@pytest.mark.parametrize("seed", range(3))
def test_noise_and_constant_images_are_refused(seed):
    rng = np.random.default_rng(seed)
    noise = rng.poisson(20, (3, 160, 170)).astype(np.float32)
    with pytest.raises(InputError, match="cannot be registered"):
        registered(noise)
    noise[1] = 20
    with pytest.raises(InputError, match="cannot be registered"):
        registered(noise)


def test_images_of_two_specimens_are_refused(gold_images, sheet_images):
    images = exposed(np.stack([gold_images[0], gold_images[1], sheet_images[1]]), 3e4)
    with pytest.raises(InputError, match=r"a\.tif\[2\] cannot be registered with the other"):
        registered(images)


def test_a_drift_beyond_the_search_is_refused():
    """Blobs that moved by half the image, more than a third of it, which is as far as is looked."""
    rng = np.random.default_rng(2)
    places = rng.uniform(0, 400, (500, 2))
    y, x = np.indices((160, 160))

    def view(left):
        apart = np.hypot(y[..., None] - places[:, 1], x[..., None] + left - places[:, 0])
        return 20 + 20 * np.exp(-(apart**2) / 18).sum(axis=-1)

    images = np.stack([rng.poisson(view(left)) for left in (0, 62)]).astype(np.float32)
    with pytest.raises(InputError, match=r"drifted by|cannot be registered"):
        registered(images)


def wavy(x_px, y_px):
    """A picture of two waves that are well sampled."""
    return (np.cos(0.9 * x_px + 0.4 * y_px) + np.sin(0.3 * x_px - 1.1 * y_px)).astype("f4")


def test_a_displacement_is_taken_out_exactly():
    y_px, x_px = np.indices((64, 80)).astype(float)
    shifted = wavy(x_px - 3.37, y_px + 1.81)
    image, usable = displace(shifted, np.ones((64, 80), bool), np.array([3.37, -1.81]))
    inner = (slice(16, -16),) * 2
    np.testing.assert_allclose(image[inner], wavy(x_px, y_px)[inner], atol=0.03)
    assert usable[2:, :76].all()
    assert not usable[:, 77:].any()
    assert not usable[0].any()


def test_no_displacement_changes_nothing_and_noise_stays_white():
    rng = np.random.default_rng(0)
    noise, usable = rng.normal(size=(96, 90)).astype("f4"), rng.random((96, 90)) < 0.9
    same, marks = displace(noise, usable, np.zeros(2))
    np.testing.assert_allclose(same, noise, atol=1e-5)
    np.testing.assert_array_equal(marks, usable)
    between, _ = displace(noise, usable, np.array([0.5, 0.5]))
    assert between[8:-8, 8:-8].std() == pytest.approx(noise[8:-8, 8:-8].std(), rel=0.02)


def test_marks_move_with_the_image():
    usable = np.ones((40, 50), bool)
    usable[20, 30] = False
    _, marks = displace(np.zeros((40, 50), "f4"), usable, np.array([-4.0, 3.0]))
    assert not marks[17, 34]
    assert marks[1:36, 5:].sum() == 35 * 45 - 1
