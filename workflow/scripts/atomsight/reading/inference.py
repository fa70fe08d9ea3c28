"""From frames to class maps: normalised as in the training, read in overlapping tiles.

A pixel of the output depends on the input within the reach of the network
(:class:`atomsight.learning.networks.parts.Measures`). Tiles overlap by twice that, and only pixels
whose whole input lay in the tile are kept: the map read in tiles equals the map read in one piece.
"""

import functools
import math
from collections.abc import Iterator

import keras
import numpy as np
from keras import ops

from atomsight.imaging.normalisation import normalise_image
from atomsight.learning.networks.parts import Measures

#: Edge of the part of an image on which both signs of contrast are tried [pixel].
_TRIAL_PX = 512

#: Memory of the libraries and of an image beside its tiles [MB].
_BESIDE_MB = 1500


def normalise_frames(images: np.ndarray, window_px: float) -> np.ndarray:
    """Normalise the frames of one specimen together, (F, H, W) to (H, W, F), as in the training.

    ``window_px`` is the standard deviation of the Gaussian window [pixel].
    """
    images = np.asarray(images, "float32")
    # The scale is arbitrary; values near one keep float32 at its best.
    images = images / max(float(np.abs(images).max()), np.finfo("float32").tiny)
    return np.moveaxis(ops.convert_to_numpy(normalise_image(images, window_px)), 0, -1)


def predict_maps(network: keras.Model, images: np.ndarray, tile_px: int) -> np.ndarray:
    """Probability of every class in every pixel of normalised images.

    Parameters
    ----------
    images : ndarray of shape (N, H, W, F)
        They go through the network together, tile by tile.
    tile_px : int
        Largest edge of a tile [pixel]; it bounds the memory. ValueError if it is not more than
        twice the overlap of tiles.

    Returns
    -------
    ndarray of shape (N, H, W, C)
    """
    maps = np.zeros((*images.shape[:3], network.output_shape[-1]), "float32")
    _add_maps(network, images, tile_px, maps)
    return maps


def read_images(
    network: keras.Model, images: np.ndarray, memory_mb: int, orientations: int
) -> np.ndarray:
    """Class maps of images, as :func:`predict_maps`, averaged over several orientations of them.

    A network trained on all orientations alike answers each a little differently; the mean of the
    answers is better than any of them. ``orientations`` is 1 for the images as they are, 4 for
    their rotations by 90°, 8 for those of their mirror images too. Tiles are as large as the memory
    allows (:func:`largest_tile_px`).
    """
    tile_px = largest_tile_px(network.measures, memory_mb, len(images))
    maps = np.zeros((*images.shape[:3], network.output_shape[-1]), "float32")
    for turn in range(orientations):
        seen, found = (
            np.rot90(part[:, :, ::-1] if turn >= 4 else part, turn % 4, axes=(1, 2))
            for part in (images, maps)
        )
        _add_maps(network, seen, tile_px, found)
    maps /= orientations
    return maps


def read_image(
    network: keras.Model, image: np.ndarray, memory_mb: int, orientations: int
) -> np.ndarray:
    """As :func:`read_images`, of one image (H, W, F), giving its maps (H, W, C)."""
    return read_images(network, image[None], memory_mb, orientations)[0]


def largest_tile_px(measures: Measures, memory_mb: int, together: int = 1) -> int:
    """Edge of the largest tile that a network reads in so much memory, of images together [pixel].

    Larger tiles overlap less: of tiles of 1280 pixels, a network that sees 207 pixels far reads
    every pixel twice. A tile is never smaller than three overlaps.
    """
    bytes_of_tiles = max(memory_mb - _BESIDE_MB, 0) * 10**6
    fitting = math.isqrt(bytes_of_tiles // (measures.bytes_per_pixel * together))
    return max(fitting, 3 * overlap_px(measures))


def _add_maps(network: keras.Model, images: np.ndarray, tile_px: int, maps: np.ndarray) -> None:
    """Add the class maps of images, as :func:`predict_maps`, to maps of the same shape."""
    height, width = images.shape[1:3]
    padding = [(0, -size % network.measures.stride) for size in (height, width)]
    if np.any(padding):
        images = np.pad(images, [(0, 0), *padding, (0, 0)], mode="reflect")
    for rows, kept_rows in tiles(images.shape[1], tile_px, network.measures):
        for columns, kept_columns in tiles(images.shape[2], tile_px, network.measures):
            logits = network.predict_on_batch(np.ascontiguousarray(images[:, rows, columns]))
            target = maps[:, kept_rows, kept_columns]
            inner = logits[:, _relative(kept_rows, rows), _relative(kept_columns, columns)]
            target += softmax(inner[:, : target.shape[1], : target.shape[2]])


def softmax(logits: np.ndarray) -> np.ndarray:
    # One class after another: NumPy is slow at sums over a short last axis.
    weights = np.exp(logits - functools.reduce(np.maximum, np.moveaxis(logits, -1, 0))[..., None])
    weights /= functools.reduce(np.add, np.moveaxis(weights, -1, 0))[..., None]
    return weights


def tiles(size: int, tile_px: int, measures: Measures) -> Iterator[tuple[slice, slice]]:
    """Cut an axis into tiles of one size, the last flush with the end: slices to read and to keep.

    The size is a multiple of the network's stride. The parts to keep cover the axis once.
    """
    overlap, stride = overlap_px(measures), measures.stride
    if tile_px <= 2 * overlap:
        raise ValueError(f"a tile must be larger than {2 * overlap} pixels, twice the overlap")
    # As few tiles as can be, and these as small as they can be.
    count = -(-(size - 2 * overlap) // (tile_px - tile_px % stride - 2 * overlap))
    if count > 1:
        edge = -(-(size - 2 * overlap) // count) + 2 * overlap
        edge += -edge % stride
    else:
        edge = size
    kept = 0
    while kept < size:
        start = max(0, min(kept - overlap, size - edge))
        stop = start + edge
        end = size if stop == size else stop - overlap
        yield slice(start, stop), slice(kept, end)
        kept = end


def overlap_px(measures: Measures) -> int:
    """Overlap on either side of a tile, a multiple of the stride: coarse pixels stay aligned."""
    return -(-measures.reach // measures.stride) * measures.stride


def _relative(inner: slice, outer: slice) -> slice:
    return slice(inner.start - outer.start, inner.stop - outer.start)


def chosen_sign(network: keras.Model, image: np.ndarray, trained: str, contrast: str) -> int:
    """Find the factor that turns the contrast of an image into the one that a model knows.

    ``trained`` is how atoms look to the model: ``bright``, ``dark`` or ``either``; ``contrast`` how
    they look in the normalised image: ``bright``, ``dark``, or ``auto`` to try both on its middle
    and take the one in which the network is more confident. -1 inverts the image.
    """
    if trained == "either" or contrast == trained:
        return 1
    if contrast != "auto":
        return -1
    middle = image[tuple(_middle(size, _TRIAL_PX) for size in image.shape[:2])]
    both = predict_maps(network, np.stack([middle, -middle]), 2 * _TRIAL_PX)
    as_is, inverted = both[..., 0].var(axis=(1, 2))
    return 1 if as_is >= inverted else -1


def _middle(size: int, wanted: int) -> slice:
    start = max(0, (size - wanted) // 2)
    return slice(start, start + min(size, wanted))
