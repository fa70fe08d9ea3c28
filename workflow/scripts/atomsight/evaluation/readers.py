"""What a model finds in one image or focal series, read as the workflow reads it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from atomsight.config.phantoms import OpticsSettings
from atomsight.config.reading import InferenceSettings, SegmentationSettings
from atomsight.errors import InputError
from atomsight.learning import models
from atomsight.reading.micrographs.calibration import target_pixel_size_A
from atomsight.reading.micrographs.resampling import resample
from atomsight.reading.segmentation import locate_atoms

if TYPE_CHECKING:
    import keras

#: From an image to the positions found in it, shape (N, 2) [Å].
Finder = Callable[[np.ndarray], np.ndarray]

#: From the images of one specimen, shape (F, H, W), to the table of its atoms.
AtomReader = Callable[[np.ndarray], pd.DataFrame]


def read_atoms(
    network: "keras.Model",
    card: models.ModelCard,
    images: np.ndarray,
    pixel_size_A: float,
    reading: dict,
    contrast: str = "auto",
) -> pd.DataFrame:
    """Find the atoms or columns of one specimen, as the workflow does.

    Parameters
    ----------
    images : ndarray of shape (F, H, W)
        Counts: one image, or the images of a focal series in the order of the model's steps.
    reading : dict
        The complete section ``inference`` of the configuration.
    contrast : str
        How they look in the images: ``bright``, ``dark``, or ``auto`` to let the network choose.

    Returns
    -------
    DataFrame
        What :func:`atomsight.reading.segmentation.locate_atoms` gives.

    Raises
    ------
    InputError
        If the model does not read so many images together.
    """
    from atomsight.reading.inference import chosen_sign, normalise_frames, read_image

    _check_count(card, len(images))
    normalised = normalise_frames(images, card.window_A / pixel_size_A)
    sign = chosen_sign(network, normalised, card.contrast, contrast)
    maps = read_image(network, sign * normalised, **reading)
    thresholds = SegmentationSettings.parse(card.thresholds, "segmentation")
    return locate_atoms(maps, pixel_size_A, card.class_names, card.site_sigma_A, thresholds)


def atom_reader(
    folder: Path | str,
    optics: OpticsSettings,
    inference: dict,
    contrast: str,
    section: str,
    frames: int | None = None,
) -> AtomReader:
    """Load a model, to read images or focal series that are alike, as :func:`read_atoms`.

    ``inference`` is that section, with or without defaults; ``section`` is the one of the optics,
    to name in an error if the model does not read such pixels. It is also an error if it does not
    read so many images together.
    """
    reading = InferenceSettings.complete(inference, "inference")
    network, card = models.load_reader(folder)
    pixel_size_A = optics.pixel_size_A
    models.check_pixel_size(card, pixel_size_A, f"{section}.acquisition")
    if frames is not None:
        _check_count(card, frames)
    return lambda images: read_atoms(network, card, images, pixel_size_A, reading, contrast)


def finder(
    folder: Path | str, optics: OpticsSettings, inference: dict, contrast: str, section: str
) -> Finder:
    """Load a model, to read single images that are alike, as :func:`atom_reader`."""
    read = atom_reader(folder, optics, inference, contrast, section, frames=1)
    return lambda image: _positions(read(image[None]))


def find_in_any_pixels(
    network: "keras.Model",
    card: models.ModelCard,
    image: np.ndarray,
    pixel_size_A: float,
    reading: dict,
) -> np.ndarray:
    """Find the atoms of one image, resampled first where the model has not learned its pixels.

    It is an error if the pixels are too coarse or too fine even for that.
    """
    target_A = target_pixel_size_A((pixel_size_A,) * 2, card.pixel_size_A, "evaluation")
    step = target_A / pixel_size_A
    image = image if step == 1 else resample(image.astype("float32"), (step, step))
    return _positions(read_atoms(network, card, image[None], target_A, reading))


def _positions(atoms: pd.DataFrame) -> np.ndarray:
    return atoms[["x_A", "y_A"]].to_numpy(float)


def _check_count(card: models.ModelCard, frames: int) -> None:
    if frames != card.frames:
        raise InputError(
            f"the model {card.name} reads {_images(card.frames)} of a specimen together, not "
            f"{_images(frames)}; take another model or another number of images"
        )


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"
