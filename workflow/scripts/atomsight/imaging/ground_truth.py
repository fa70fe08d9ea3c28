"""Ground truth: the class maps that a perfect network would give for an image."""

import keras
from keras import ops


def gaussian_profiles(
    pixels: keras.KerasTensor, sites: keras.KerasTensor, sigma_A: float, period_A: object
) -> keras.KerasTensor:
    """Gaussians of amplitude one around sites along one axis, shape (B, P, S).

    Every site counts where its periodic image nearest to the middle of the pixels lies, so the
    pixels must span less than a period.
    """
    middle = ops.mean(pixels, axis=-1, keepdims=True)
    apart = sites - middle
    apart = apart - period_A * ops.round(apart / period_A)
    scale = 0.5**0.5 / sigma_A
    distance = (scale * (pixels - middle))[:, :, None] - (scale * apart)[:, None, :]
    return ops.exp(-ops.square(distance))


def class_maps(
    rows: keras.KerasTensor,
    columns: keras.KerasTensor,
    sites: keras.KerasTensor,
    site_classes: keras.KerasTensor,
    sigma_A: float,
    cell_A: tuple,
) -> keras.KerasTensor:
    """Probability of every class in every pixel.

    Parameters
    ----------
    rows, columns : tensors of shape (B, H) and (B, W)
        Positions of the pixels [Å].
    sites : tensor of shape (B, S, 2)
        Positions ``(x, y)`` of the sites [Å], padded to equal numbers.
    site_classes : tensor of shape (B, S, C - 1)
        One where a site is of a class (from class 1 on), zero elsewhere; a row of zeros is padding.
    sigma_A : float
        Standard deviation of the Gaussian of a site.
    cell_A : tuple
        Periods ``(x, y)``: numbers, or tensors of shape (B, 1).

    Returns
    -------
    tensor of shape (B, H, W, C)
        Sums of Gaussians, one class after another, and first the background that is left. Where the
        Gaussians of neighbours sum to more than one they are scaled, so that all classes sum to one
        everywhere.
    """
    along_y = gaussian_profiles(rows, sites[..., 1], sigma_A, cell_A[1])
    along_x = gaussian_profiles(columns, sites[..., 0], sigma_A, cell_A[0])
    weighted = along_y[:, None] * ops.transpose(site_classes, (0, 2, 1))[:, :, None, :]
    sums = ops.matmul(weighted, ops.swapaxes(along_x, 1, 2)[:, None])
    total = ops.sum(sums, axis=1, keepdims=True)
    sums = sums / ops.maximum(total, 1.0)
    maps = ops.concatenate([1.0 - ops.minimum(total, 1.0), sums], axis=1)
    return ops.transpose(maps, (0, 2, 3, 1))
