"""Pixel sizes: which of several counts, and to which one frames are brought."""

import warnings

import numpy as np

from atomsight.errors import InputError
from atomsight.reading.micrographs.recordings import Header

#: Relative difference of two pixel sizes above which they are not the same.
SIZE_TOLERANCE = 1e-3
#: Relative difference between sheet and file above which the user is warned.
SHEET_TOLERANCE = 0.02
#: How much longer than wide a pixel may be.
MAX_ANISOTROPY = 2.0
#: How much coarser or finer than a model's range an image may be.
MAX_COARSER, MAX_FINER = 2.0, 20.0
#: The target lies this far inside a model's range, as a share of its width.
RANGE_INSET = 0.05


def same_size(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two sizes of a pixel are the same, up to rounding."""
    return bool(np.allclose(one, other, rtol=SIZE_TOLERANCE, atol=0))


def size_in_words(sizes_A: tuple[float, float]) -> str:
    """Write the size of a pixel, ``0.12 Å`` or ``0.12 × 0.1 Å`` if it is not square."""
    height, width = sizes_A
    return (
        f"{width:.5g} Å" if same_size(sizes_A, (width, width)) else f"{height:.5g} × {width:.5g} Å"
    )


def recorded_sizes_A(
    headers: list[Header], sheet_A: float | None, series: str
) -> tuple[float, float]:
    """Settle the size of a recorded pixel along y and x [Å]: the sheet wins over the file.

    The two numbers are equal if the pixels are square. InputError if neither the sheet nor a file
    has a size, or the file's pixels are far from square.
    """
    if sheet_A is not None:
        known = next((header for header in headers if header.scale_A), None)
        if known and not np.allclose(known.scale_A, sheet_A, rtol=SHEET_TOLERANCE, atol=0):
            warnings.warn(
                f"the pixel size of series {series} is {sheet_A:.5g} Å in the sheet and "
                f"{size_in_words(known.scale_A)} in {known.path}; the sheet's is taken",
                stacklevel=3,
            )
        return sheet_A, sheet_A
    missing = next((header for header in headers if header.scale_A is None), None)
    if missing:
        raise InputError(
            f"no pixel size in {missing.path} nor in the sheet; fill in the column pixel_size_A of "
            f"series {series}"
        )
    sizes = headers[0].scale_A
    if max(sizes) > MAX_ANISOTROPY * min(sizes):
        raise InputError(
            f"{headers[0].path}: its pixels are {size_in_words(sizes)}, more than "
            f"{MAX_ANISOTROPY:g} times as long as wide; if they are square, fill in the column "
            f"pixel_size_A of series {series}"
        )
    if same_size(sizes, sizes[::-1]):
        mean = float(np.mean(sizes))
        return mean, mean
    return sizes


def target_pixel_size_A(
    sizes_A: tuple[float, float], model_range_A: tuple[float, float], where: str
) -> float:
    """Choose the pixel size to which frames are resampled, so that a model can read them.

    It is the recorded size (the geometric mean of y and x) if that lies in the model's range, else
    a size just inside the nearer end. InputError if the pixels are more than twice as coarse as the
    model reads, because the information is not there, or more than 20 times as fine, because the
    unit must be wrong.
    """
    low, high = model_range_A
    if max(sizes_A) > MAX_COARSER * high or min(sizes_A) < low / MAX_FINER:
        raise InputError(
            f"{where}: pixel size {size_in_words(sizes_A)} is outside what the model can read "
            f"({low:g} to {high:g} Å); correct pixel_size_A or choose another model"
        )
    inset = RANGE_INSET * (high - low)
    size = float(np.sqrt(sizes_A[0] * sizes_A[1]))
    return size if low <= size <= high else float(np.clip(size, low + inset, high - inset))
