"""Local normalisation (the paper, eq 2 and 3): the network sees contrast, not brightness."""

import keras
from keras import ops

#: Keeps a frame without any contrast from being divided by zero.
_SMALLEST_CONTRAST = 1e-6


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

    def blur(image: keras.KerasTensor) -> keras.KerasTensor:
        return ops.matmul(ops.matmul(rows, image), columns)

    contrast = images - blur(ops.mean(images, axis=1, keepdims=True))
    scale = ops.mean(ops.sqrt(blur(ops.square(contrast))), axis=1, keepdims=True)
    return contrast / ops.maximum(scale, _SMALLEST_CONTRAST)
