"""Blank parts of images: behind an aperture's edge, a mask, a scale bar, the rim of a detector.

The local normalisation amplifies what little there is at their border, and a network that never
saw one finds atoms along it.
"""

import keras
import numpy as np
from keras import ops

#: A blank area shows at most this, in units of the mean intensity.
_HIGHEST_LEVEL = 2.0

#: Least and greatest edge of a blank rectangle, as a share of the image.
_RECTANGLE = (0.1, 0.6)


def draw(examples: int, size: int, share: float, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Choose which parts of images are blank: all beyond a straight line, or a rectangle.

    ``share`` is the share of the B images or focal series that have a blank area. Gives ``blank``,
    bool of shape (B, size, size), and ``blank_level``, float32 of shape (B,): the intensity there
    in units of the mean, black in half of the images.
    """
    blank = np.zeros((examples, size, size), bool)
    for index in np.flatnonzero(rng.random(examples) < share):
        make = beyond_a_line if rng.random() < 0.5 else rectangle
        blank[index] = make(size, rng)
    level = rng.uniform(0, _HIGHEST_LEVEL, examples) * (rng.random(examples) < 0.5)
    return {"blank": blank, "blank_level": level.astype("float32")}


def beyond_a_line(size: int, rng: np.random.Generator) -> np.ndarray:
    """Choose the pixels on the far side of a random straight line.

    At least a tenth of the image's edge stays on the near side.
    """
    angle = rng.uniform(0, 2 * np.pi)
    place = np.linspace(-0.5, 0.5, size)
    along = np.cos(angle) * place[None, :] + np.sin(angle) * place[:, None]
    return along > rng.uniform(-0.4, 0.5)


def rectangle(size: int, rng: np.random.Generator) -> np.ndarray:
    """Choose the pixels in a random upright rectangle that may reach over the image's edge."""
    place = np.linspace(0, 1, size)
    middle, edges = rng.uniform(0, 1, 2), rng.uniform(*_RECTANGLE, 2)
    rows, columns = (np.abs(place - middle[axis]) < edges[axis] / 2 for axis in (0, 1))
    return rows[:, None] & columns[None, :]


def blank_images(
    images: keras.KerasTensor, blank: keras.KerasTensor, level: keras.KerasTensor
) -> keras.KerasTensor:
    """Show one intensity in the blank parts of images (B, F, H, W), the same in all of a series."""
    return ops.where(blank[:, None], level[:, None, None, None], images)


def blank_truth(truth: keras.KerasTensor, blank: keras.KerasTensor) -> keras.KerasTensor:
    """Leave only background in the blank parts of class maps (B, H, W, C)."""
    background = np.eye(1, truth.shape[-1], dtype="float32")[0]
    return ops.where(blank[..., None], background, truth)
