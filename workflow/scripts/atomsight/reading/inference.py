"""From frames to class maps: normalised as in the training, read in overlapping tiles.

A pixel of the output depends on the input within the reach of the network
(:data:`atomsight.learning.network.REACH`). Tiles overlap by twice that, and only pixels that
saw all they depend on are kept: the map in tiles is the map in one piece.
"""

from collections.abc import Iterator

import keras
import numpy as np
from keras import ops

from atomsight.imaging.normalisation import normalise
from atomsight.learning.network import REACH, STRIDE

#: Overlap on either side of a tile; a multiple of the stride, so that poolings stay aligned.
HALO = -(-REACH // STRIDE) * STRIDE


def normalise_frames(images: np.ndarray, window_px: float) -> np.ndarray:
    """Normalise the frames of one specimen together, as in the training.

    Parameters
    ----------
    images : ndarray of shape (F, H, W)
        Intensities.
    window_px : float
        Standard deviation of the Gaussian window [pixel].

    Returns
    -------
    ndarray of shape (H, W, F), float32
        What the network reads.
    """
    images = np.asarray(images, "float32")
    # The scale is arbitrary; values near one keep float32 at its best.
    images = images / max(float(np.abs(images).max()), np.finfo("float32").tiny)
    normalised = normalise(images[None], np.array([window_px], "float32"))
    return np.moveaxis(ops.convert_to_numpy(normalised)[0], 0, -1)


def predict_maps(network: keras.Model, image: np.ndarray, tile_px: int) -> np.ndarray:
    """Probability of every class in every pixel.

    Parameters
    ----------
    network : keras.Model
        From normalised images to logits.
    image : ndarray of shape (H, W, F)
        Normalised image.
    tile_px : int
        Largest edge of a piece that goes through the network at once, more than twice
        :data:`HALO`; it bounds the memory.

    Returns
    -------
    ndarray of shape (H, W, C), float32
        Probabilities; they sum to one over the last axis.

    Raises
    ------
    ValueError
        If the tile is not larger than its overlap.
    """
    if tile_px <= 2 * HALO:
        raise ValueError(f"a tile must be larger than {2 * HALO} pixels, twice the overlap")
    height, width = image.shape[:2]
    padding = [(0, -size % STRIDE) for size in (height, width)]
    padded = np.pad(image, [*padding, (0, 0)], mode="reflect")
    maps = np.empty((*padded.shape[:2], network.output_shape[-1]), "float32")
    for rows, kept_rows in tiles(padded.shape[0], tile_px):
        for columns, kept_columns in tiles(padded.shape[1], tile_px):
            logits = network.predict_on_batch(padded[None, rows, columns])[0]
            inner = logits[_relative(kept_rows, rows), _relative(kept_columns, columns)]
            maps[kept_rows, kept_columns] = softmax(inner)
    return maps[:height, :width]


def read_image(
    network: keras.Model, image: np.ndarray, tile_px: int, orientations: int
) -> np.ndarray:
    """Class maps of an image, averaged over several orientations of it.

    A network trained on all orientations alike answers each a little differently; the mean of the
    answers is better than any of them.

    Parameters
    ----------
    network : keras.Model
        From normalised images to logits.
    image : ndarray of shape (H, W, F)
        Normalised image.
    tile_px : int
        Largest edge of a piece that goes through the network at once.
    orientations : int
        1 for the image as it is, 4 for its rotations by 90°, 8 for those of its mirror image too.

    Returns
    -------
    ndarray of shape (H, W, C), float32
        Probabilities; they sum to one over the last axis.
    """
    total = np.zeros((*image.shape[:2], network.output_shape[-1]), "float32")
    for turn in range(orientations):
        seen = np.rot90(image[:, ::-1] if turn >= 4 else image, turn % 4)
        maps = np.rot90(predict_maps(network, np.ascontiguousarray(seen), tile_px), -(turn % 4))
        total += maps[:, ::-1] if turn >= 4 else maps
    return total / orientations


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities from logits.

    Parameters
    ----------
    logits : ndarray of shape (..., C)
        Logits.

    Returns
    -------
    ndarray of shape (..., C)
        Probabilities.
    """
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def tiles(size: int, tile_px: int) -> Iterator[tuple[slice, slice]]:
    """Cut an axis into tiles of one size, the last flush with the end.

    Parameters
    ----------
    size : int
        Pixels along the axis, a multiple of the network's stride.
    tile_px : int
        Largest size of a tile.

    Yields
    ------
    read, keep : slice
        What to read, and the part of it whose answer is to be kept. The parts to keep cover the
        axis once.
    """
    tile_px = min(size, tile_px - tile_px % STRIDE)
    kept = 0
    while kept < size:
        start = max(0, min(kept - HALO, size - tile_px))
        stop = start + tile_px
        end = size if stop == size else stop - HALO
        yield slice(start, stop), slice(kept, end)
        kept = end


def _relative(inner: slice, outer: slice) -> slice:
    return slice(inner.start - outer.start, inner.stop - outer.start)


def chosen_sign(network: keras.Model, image: np.ndarray, trained: str, contrast: str) -> int:
    """Factor that turns the contrast of an image into the one that a model knows.

    Parameters
    ----------
    network : keras.Model
        From normalised images to logits.
    image : ndarray of shape (H, W, F)
        Normalised image.
    trained : str
        How atoms look to the model: ``bright``, ``dark`` or ``either``.
    contrast : str
        How atoms look in the image: ``bright``, ``dark``, or ``auto`` to try both on the middle of
        the image and take the one of which the network is surer.

    Returns
    -------
    int
        1, or -1 where the image is to be inverted.
    """
    if trained == "either" or contrast == trained:
        return 1
    if contrast != "auto":
        return -1
    middle = image[tuple(_middle(size, _TRIAL_PX) for size in image.shape[:2])]
    as_is, inverted = (certainty(predict_maps(network, sign * middle, 1024)) for sign in (1, -1))
    return 1 if as_is >= inverted else -1


#: Edge of the part of an image on which both signs of contrast are tried [pixel].
_TRIAL_PX = 512


def _middle(size: int, wanted: int) -> slice:
    start = max(0, (size - wanted) // 2)
    return slice(start, start + min(size, wanted))


def certainty(maps: np.ndarray) -> float:
    """How sure a network is of what it says.

    Parameters
    ----------
    maps : ndarray of shape (H, W, C)
        Probabilities.

    Returns
    -------
    float
        Variance of the background's probability over the image.
    """
    return float(maps[..., 0].var())
