"""Simulated focal series: where the specimen lies in every image, at what focus, at what dose."""

import numpy as np
import pytest
from made_inputs import flat_molecule
from numpy.testing import assert_allclose

from atomsight.config.phantoms import AcquisitionSettings
from atomsight.errors import InputError
from atomsight.phantoms import acquisition, focal_series

OPTICS = AcquisitionSettings(rows=96, columns=128, pixel_size_A=0.12)
FOCUSED = focal_series.focused_on(OPTICS, 2.0)


@pytest.fixture(scope="module")
def structure():
    """Three atoms far apart, in a box that is not square."""
    return flat_molecule([[9.5, 9.0], [14.1, 11.2], [17.2, 14.4]], (25.3, 22.1), number=42)


@pytest.fixture(scope="module")
def wave(structure):
    return acquisition.exit_wave(structure, OPTICS)


def brightest(image):
    return np.array(np.unravel_index(image.argmax(), image.shape))[::-1] * OPTICS.pixel_size_A


def test_focus_counts_from_the_plane_that_is_given(structure, wave):
    (image,) = focal_series.image_series(wave, FOCUSED, (-83.0,), np.zeros((1, 2)))
    same = OPTICS.but(defocus_A=-81.0)
    assert_allclose(image, acquisition.image_intensity(structure, same), atol=1e-9)


def test_images_of_a_series_differ_in_focus_alone(wave):
    focus_A = (-83.0, -18.0, 47.0)
    over, focused, under = focal_series.image_series(wave, FOCUSED, focus_A, np.zeros((3, 2)))
    # Negative spherical aberration: bright atoms overfocused, dark ones underfocused.
    row, column = np.unravel_index(over.argmax(), over.shape)
    assert over[row, column] > 1.2
    assert under[row, column] < 1
    assert over.std() != pytest.approx(focused.std(), rel=0.05)


def test_the_specimen_moves_by_the_shift_and_no_further(structure, wave):
    shifts = np.array([[0.0, 0.0], [0.6, -0.36], [0.07, 0.02]])
    still, moved, sub_pixel = focal_series.image_series(wave, FOCUSED, (-83.0,) * 3, shifts)
    assert_allclose(brightest(moved) - brightest(still), shifts[1], atol=1e-9)
    # Whole pixels: the very image, moved.
    assert_allclose(moved[10:-10, 10:-10], np.roll(still, (-3, 5), (0, 1))[10:-10, 10:-10])
    optics = acquisition.focused(FOCUSED, -83.0)
    offset = acquisition.image_intensity(structure, optics, (-0.07, -0.02))
    assert_allclose(sub_pixel, offset, atol=1e-9)


def test_a_shift_out_of_the_box_is_an_error(wave):
    with pytest.raises(InputError, match="Å off its middle"):
        focal_series.image_series(wave, OPTICS, (0.0,), np.array([[9.0, 0]]))


@pytest.mark.parametrize("count", [1, 3, 5])
def test_all_images_together_get_the_total_dose(count):
    optics = OPTICS.but(dose_e_per_A2=3000, gain=1, offset=0)
    flat, rng = np.ones((count, 96, 128)), np.random.default_rng(1)
    counts = focal_series.expose_series(flat, optics, rng).astype(float)
    electrons_per_pixel = 3000 * 0.12**2 / count
    assert_allclose(counts.mean(axis=(1, 2)), electrons_per_pixel, rtol=0.01)
    # Noise of its own in every image, of Poisson's variance.
    assert_allclose(counts.var(axis=(1, 2)), electrons_per_pixel, rtol=0.05)
    correlation = np.corrcoef(counts.reshape(count, -1))
    assert_allclose(correlation, np.eye(count), atol=0.04)


def test_shifts_are_zero_on_average_and_as_large_as_asked():
    rng = np.random.default_rng(2)
    shifts = np.stack([focal_series.draw_shifts(5, 2.0, rng) for _ in range(400)])
    assert_allclose(shifts.mean(axis=1), 0, atol=1e-12)
    # The mean of five takes a fifth of the variance.
    assert_allclose(shifts.std(axis=(0, 1)), 2.0 * np.sqrt(4 / 5), rtol=0.05)
    assert_allclose(focal_series.draw_shifts(1, 2.0, rng), 0)
