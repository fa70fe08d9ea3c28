"""Unusable pixels: saturated, padded, not a number, outside the mask."""

from pathlib import Path

import numpy as np
from scipy import ndimage

from atomsight.errors import InputError
from atomsight.reading.micrographs.recordings import edges_in_words, open_recording

#: A plateau at the maximum means saturation if it holds this share of the pixels ...
PLATEAU_SHARE = 1e-3
#: ... and this many times the pixels of the next lower value; in noise it holds fewer.
PLATEAU_RATIO = 5
#: With fewer grey levels (counted electrons, a threshold) the maximum is a value like the others.
MIN_LEVELS = 16
#: A constant rim is padding if it holds this share of the pixels ...
PADDING_SHARE = 5e-3
#: ... and if elsewhere fewer neighbours than this share are equal, unlike counted electrons ...
MAX_EQUAL_SHARE = 0.2
#: ... and if at its edge the intensity jumps by this many typical steps between neighbours ...
MIN_JUMP = 0.5
#: ... and if what is left are a few pieces, whereas empty counts leave many single pixels.
MAX_PIECES = 4
#: Standard deviation of the local mean that fills unusable pixels [px].
FILL_SIGMA_PX = 4.0


def read_mask(path: Path | str, shape: tuple[int, int]) -> np.ndarray:
    """Read the image of any format that is not zero where micrographs are to be analysed.

    ``shape`` is that of the micrographs as recorded. InputError if the file is missing, has another
    size, several frames or only zeros.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: the mask does not exist; correct the column mask")
    recording = open_recording(path)
    if recording.shape != (1, *shape):
        raise InputError(
            f"{path}: the mask has {edges_in_words(recording.shape[1:])} pixels in "
            f"{recording.shape[0]} frames; it must be one image of {edges_in_words(shape)}, like "
            "the micrographs"
        )
    image = next(recording.read([0]))
    mask = np.nan_to_num(image) != 0
    if not mask.any():
        raise InputError(f"{path}: the mask is zero everywhere; make it nonzero where to analyse")
    return mask


def clean(frame: np.ndarray, mask: np.ndarray | None, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Mark the unusable pixels of a frame and fill them with the mean of their surroundings.

    The frame is as recorded, of any real type. What lies outside the mask keeps its intensity but
    is not usable. InputError if the frame is constant, if more than half of it is saturated or not
    a number, or if the mask leaves nothing but padding.
    """
    with np.errstate(over="ignore"):
        image = frame.astype(np.float32)
    good = np.isfinite(image) & ~saturated(frame)
    shown = ~padded(frame)
    inside = shown if mask is None else shown & mask
    if not inside.any():
        raise InputError(
            f"{where}: the mask shows nothing but a constant border; correct it, or exclude "
            "the frame with the column frames"
        )
    bad_share = 1 - good[inside].mean()
    if bad_share > 0.5:
        raise InputError(
            f"{where}: {bad_share:.0%} of the pixels are saturated or not a number; exclude it "
            "with the column frames"
        )
    if np.ptp(image[good & inside]) == 0:
        raise InputError(
            f"{where}: all pixels have the same value; exclude it with the column frames"
        )
    return fill(image, good & shown), good & inside


def saturated(frame: np.ndarray) -> np.ndarray:
    """Find the pixels at which the camera or the file format reached its maximum.

    These are the pixels at the maximum of an integer type, and a plateau at the maximum of the
    frame: more than 0.1 % of the pixels, and five times those of the next lower value, whereas
    noise thins out towards its maximum. Frames with few grey levels, such as counted electrons,
    have no such pixels.
    """
    none = np.zeros(frame.shape, bool)
    values = frame[np.isfinite(frame)]
    if values.size == 0 or values.dtype.kind == "b":
        return none
    highest = values.max()
    at_highest = np.count_nonzero(values == highest)
    next_lower = np.max(values, where=values < highest, initial=values.min())
    at_next = np.count_nonzero(values == next_lower)
    is_plateau = at_highest > PLATEAU_SHARE * frame.size and at_highest > PLATEAU_RATIO * at_next
    is_full = values.dtype.kind in "ui" and highest == np.iinfo(values.dtype).max
    if not (is_plateau or is_full) or len(np.unique(values)) < MIN_LEVELS:
        return none
    return frame == highest


def padded(frame: np.ndarray) -> np.ndarray:
    """Find the constant rim that a correction of drift or a rotation left.

    This is a connected region of exactly equal pixels at the border: more than 0.5 % of the frame,
    no fewer pixels than its shorter edge has, and with a sharp edge towards the picture. Frames
    with few grey levels have such regions by chance: counted electrons, pictures without noise, a
    clipped background. There many neighbours are equal elsewhere too, or single pixels stand out in
    the region, and nothing is marked.
    """
    none = np.zeros(frame.shape, bool)
    border = np.pad(none[1:-1, 1:-1], 1, constant_values=True)
    values, counts = np.unique(frame[border], return_counts=True)
    value = values[counts.argmax()]
    labels, _ = ndimage.label(frame == value)
    sizes = np.bincount(labels[labels > 0], minlength=1)
    at_border = np.isin(np.arange(len(sizes)), labels[border])
    large = sizes > max(PADDING_SHARE * frame.size, min(frame.shape) - 1)
    region = (at_border & large)[labels]
    if not region.any():
        return none
    finite = np.isfinite(frame)
    edge = ndimage.binary_dilation(region) & ~region
    jumps = np.abs(frame[edge & finite].astype(float) - value)
    steps = _steps(frame, finite & ~region)
    if 0 in (len(jumps), len(steps)) or np.mean(steps == 0) > MAX_EQUAL_SHARE:
        return none
    _, pieces = ndimage.label(~region, structure=np.ones((3, 3)))
    is_sharp = np.median(jumps) > MIN_JUMP * np.median(steps)
    return region if is_sharp and pieces <= MAX_PIECES else none


def _steps(frame: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Absolute differences between chosen neighbours, along some 512 lines of either direction."""
    thinning = max(1, min(frame.shape) // 512)
    steps = []
    for values, marks in ((frame, chosen), (frame.T, chosen.T)):
        values, marks = values[:, ::thinning].astype(float), marks[:, ::thinning]
        both = marks[1:] & marks[:-1]
        steps.append(np.abs(values[1:][both] - values[:-1][both]))
    return np.concatenate(steps)


def fill(image: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Fill pixels with the Gaussian mean of the good ones around, or their median far from them."""
    if good.all():
        return image
    median = np.median(image[good])
    contrast = np.where(good, image - median, 0)
    weight = ndimage.gaussian_filter(good.astype(np.float32), FILL_SIGMA_PX)
    total = ndimage.gaussian_filter(contrast, FILL_SIGMA_PX)
    local = np.divide(total, weight, out=np.zeros_like(total), where=weight > 1e-3)
    return np.where(good, image, median + local).astype(np.float32)
