"""Local normalisation (the paper, eq 2 and 3): the network sees contrast, not brightness."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

#: Keeps a frame without any contrast from being divided by zero.
_SMALLEST_CONTRAST = 1e-6

#: A window ends this far from its middle [standard deviations].
_REACH = 5.0

#: Rows of a large image that are blurred together.
_BLOCK = 512


def gaussian_window(size: int, sigma: keras.KerasTensor) -> keras.KerasTensor:
    """Matrices (B, size, size) that take the Gaussian-weighted mean along an axis.

    ``sigma`` of shape (B,) is the width of the window [pixel]. Rows sum to one, at the border too.
    """
    position = ops.arange(size, dtype="float32")
    apart = (position[:, None] - position[None, :])[None] / sigma[:, None, None]
    weight = ops.exp(-0.5 * ops.square(apart))
    return weight / ops.sum(weight, axis=-1, keepdims=True)


def normalise(images: keras.KerasTensor, window_px: keras.KerasTensor) -> keras.KerasTensor:
    """Subtract the local mean and divide by the local contrast.

    Parameters
    ----------
    images : tensor of shape (B, F, H, W)
        Intensities of F frames of one specimen.
    window_px : tensor of shape (B,)
        Standard deviation of the Gaussian window.

    Returns
    -------
    tensor of shape (B, F, H, W)
        ``G / mean_k √(window * G_k²)`` with ``G = I - mean_k(window * I_k)``, the means over the
        frames. (Eq 3 as printed differs by √F from the mean used here.)
    """
    rows = gaussian_window(images.shape[-2], window_px)[:, None]
    columns = ops.swapaxes(gaussian_window(images.shape[-1], window_px), -1, -2)[:, None]
    return _normalise(images, lambda image: ops.matmul(ops.matmul(rows, image), columns))


def normalise_image(images: keras.KerasTensor, window_px: float) -> keras.KerasTensor:
    """As :func:`normalise`, of an image of any size (F, H, W), in time proportional to its pixels.

    The window ends where it is 4e-6 of its middle.
    """

    def blur(image: keras.KerasTensor) -> keras.KerasTensor:
        columns = _blur_columns(image, window_px)
        return ops.swapaxes(_blur_columns(ops.swapaxes(columns, -1, -2), window_px), -1, -2)

    return _normalise(images[None], blur)[0]


def _normalise(images: keras.KerasTensor, blur: Callable) -> keras.KerasTensor:
    contrast = images - blur(ops.mean(images, axis=1, keepdims=True))
    scale = ops.mean(ops.sqrt(blur(ops.square(contrast))), axis=1, keepdims=True)
    return contrast / ops.maximum(scale, _SMALLEST_CONTRAST)


def _blur_columns(image: keras.KerasTensor, sigma: float) -> keras.KerasTensor:
    """Gaussian-weighted mean along the rows' axis of (..., H, W), a block of rows at a time."""
    size, reach = image.shape[-2], int(np.ceil(_REACH * sigma))
    blocks = []
    for start in range(0, size, _BLOCK):
        near = np.arange(max(0, start - reach), min(size, start + _BLOCK + reach))
        apart = np.arange(start, min(size, start + _BLOCK))[:, None] - near
        weight = np.exp(-0.5 * (apart / sigma) ** 2)
        weight = (weight / weight.sum(axis=1, keepdims=True)).astype("float32")
        blocks.append(ops.matmul(weight, image[..., near[0] : near[-1] + 1, :]))
    return ops.concatenate(blocks, axis=-2)
