"""What a model finds in one image, read as the workflow reads it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atomsight import models, settings
from atomsight.segmentation import SegmentationSettings, locate_atoms

if TYPE_CHECKING:
    import keras

#: From an image to the positions found in it, shape (N, 2) [Å].
Finder = Callable[[np.ndarray], np.ndarray]


def find_sites(
    network: "keras.Model",
    card: models.ModelCard,
    image: np.ndarray,
    pixel_size_A: float,
    reading: dict,
    contrast: str = "auto",
) -> np.ndarray:
    """Find the atoms or columns of one image, as the workflow does.

    Parameters
    ----------
    network : keras.Model
        The network.
    card : ModelCard
        Its card.
    image : ndarray of shape (H, W)
        Counts.
    pixel_size_A : float
        Size of a pixel [Å].
    reading : dict
        The section ``inference`` of the configuration.
    contrast : str
        How they look in the image: ``bright``, ``dark``, or ``auto`` to let the network choose.

    Returns
    -------
    ndarray of shape (N, 2)
        Positions ``(x, y)`` [Å].
    """
    from atomsight.inference import chosen_sign, normalise_frames, read_image

    normalised = normalise_frames(image[None], card.window_A / pixel_size_A)
    sign = chosen_sign(network, normalised, card.contrast, contrast)
    maps = read_image(network, sign * normalised, **reading)
    thresholds = settings.load(card.thresholds, "segmentation", SegmentationSettings)
    sites = locate_atoms(maps, pixel_size_A, card.class_names, card.site_sigma_A, thresholds)
    return sites[["x_A", "y_A"]].to_numpy(float)


def finder(
    folder: Path | str, pixel_size_A: float, reading: dict, contrast: str, where: str
) -> Finder:
    """Load a model, to read images that are alike.

    Parameters
    ----------
    folder : path
        The folder of the model.
    pixel_size_A, reading, contrast
        As in :func:`find_sites`.
    where : str
        What the size of the pixels comes from, for the message.

    Returns
    -------
    callable
        From an image to the positions found in it.

    Raises
    ------
    InputError
        If there is no such model, or it does not read such pixels.
    """
    network, card = models.load_network(folder)
    models.check_pixel_size(card, pixel_size_A, where)
    return lambda image: find_sites(network, card, image, pixel_size_A, reading, contrast)
