"""Local normalisation: brightness and contrast of the recording must not matter."""

import numpy as np
import pytest
from scipy import ndimage

from atomsight.imaging.normalisation import normalise
from atomsight.reading.inference import normalise_frames


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    return 5 + ndimage.gaussian_filter(rng.normal(size=(3, 96, 112)), (0, 1.5, 1.5))


def test_it_is_the_papers_formula(frames):
    def window(image):
        return ndimage.gaussian_filter(image, 12, mode="constant", truncate=8)

    def blur(image):
        return window(image) / window(np.ones_like(image))

    contrast = frames - blur(frames.mean(axis=0))
    scale = np.mean([np.sqrt(blur(frame**2)) for frame in contrast], axis=0)
    expected = np.moveaxis(contrast / scale, 0, -1)
    np.testing.assert_allclose(normalise_frames(frames, 12.0), expected, atol=2e-4)


def test_gain_and_offset_do_not_matter(frames):
    once = normalise_frames(frames, 12.0)
    np.testing.assert_allclose(normalise_frames(7 * frames + 30, 12.0), once, atol=1e-3)


def test_slow_illumination_does_not_matter(frames):
    slope = np.linspace(1, 1.02, frames.shape[2])
    inner = np.s_[20:-20, 20:-20]
    flat, uneven = normalise_frames(frames, 6.0), normalise_frames(frames * slope, 6.0)
    assert np.abs(uneven[inner] - flat[inner]).max() < 0.1


def test_a_frame_without_contrast_stays_finite():
    assert np.isfinite(normalise_frames(np.full((1, 64, 64), 3.0), 8.0)).all()


def test_a_large_image_is_normalised_as_in_the_training():
    """A block of rows at a time, the window cut far out."""
    frames = np.random.default_rng(1).normal(3, 1, (2, 530, 610)).astype("float32")
    learned = np.asarray(normalise(frames[None] / frames.max(), np.array([9.0], "float32")))[0]
    np.testing.assert_allclose(normalise_frames(frames, 9.0), learned.transpose(1, 2, 0), atol=1e-3)
