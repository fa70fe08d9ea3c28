"""Resampling to another pixel size, or to pixels between the recorded ones."""

import numpy as np
from scipy import fft, ndimage

#: Largest share of unusable signal in a usable pixel afterwards.
MAX_UNUSABLE_SHARE = 0.1


def resampled_shape(shape: tuple[int, int], step: tuple[float, float]) -> tuple[int, int]:
    """Rows and columns after resampling: no new pixel's centre lies beyond the last old one.

    ``step`` is a new pixel in old pixels, along y and x, here and below.
    """
    rows, columns = (
        int((edge - 1) / along + 1e-9) + 1 for edge, along in zip(shape, step, strict=True)
    )
    return rows, columns


def resample(image: np.ndarray, step: tuple[float, float]) -> np.ndarray:
    """Resample an image by cubic splines, after a Gaussian against aliasing where it shrinks.

    The centre of the first pixel stays where it is, so positions in Å are kept.
    """
    return _resample(image, step, order=3)


def resample_usable(usable: np.ndarray, step: tuple[float, float]) -> np.ndarray:
    """Resample the marks of usable pixels; a new pixel is usable if nearly all under it was."""
    unusable = _resample((~usable).astype(np.float32), step, order=1)
    return unusable <= MAX_UNUSABLE_SHARE


def displace(image: np.ndarray, usable: np.ndarray, shift_px: np.ndarray) -> tuple:
    """Remove a displacement from an image, exactly for what is below the Nyquist frequency.

    ``shift_px`` is the displacement ``(x, y)`` of what the image shows: what was at ``r + shift``
    comes to ``r``, as do the marks of usable pixels. Pixels from outside mirror the image and are
    not usable.
    """
    for axis, pixels in ((1, shift_px[0]), (0, shift_px[1])):
        image = _displace_along(image, float(pixels), axis)
    unusable = ndimage.shift(
        (~usable).astype(np.float32), -np.asarray(shift_px)[::-1], order=1, cval=1.0
    )
    return image.astype(np.float32), unusable <= MAX_UNUSABLE_SHARE


def _resample(image: np.ndarray, step: tuple[float, float], order: int) -> np.ndarray:
    if step == (1.0, 1.0):
        return image
    sigma = [max(along - 1, 0) / 2 for along in step]
    return ndimage.affine_transform(
        ndimage.gaussian_filter(image, sigma, mode="mirror"),
        step,
        output_shape=resampled_shape(image.shape, step),
        order=order,
        mode="mirror",
    )


def _displace_along(image: np.ndarray, pixels: float, axis: int) -> np.ndarray:
    """Shift along an axis; with its mirror image behind it, the image has no edge to ring."""
    count = image.shape[axis]
    doubled = fft.rfft(np.concatenate([image, np.flip(image, axis)], axis), axis=axis)
    phase = np.exp(2j * np.pi * fft.rfftfreq(2 * count) * pixels)
    shifted = fft.irfft(doubled * np.expand_dims(phase, 1 - axis), 2 * count, axis=axis)
    return np.take(shifted, np.arange(count), axis)
