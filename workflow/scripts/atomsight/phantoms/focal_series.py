"""Simulated focal series: several images of one specimen at different defocus.

The exit wave is computed once and imaged at every focus. Between the images the specimen moves a
little; its positions are given where it lies in the images on average, which is where a series lies
once its images are laid over each other. All images share the total dose evenly.
"""

import dataclasses

import abtem
import numpy as np

from atomsight.phantoms import acquisition
from atomsight.phantoms.acquisition import AcquisitionSettings


def focused_on(optics: AcquisitionSettings, height_A: float) -> AcquisitionSettings:
    """Let the focus of a series count from a plane above the lower face of the box.

    Parameters
    ----------
    optics : AcquisitionSettings
        The microscope; its own defocus does not matter.
    height_A : float
        Distance of the plane from the face where the beam leaves the box, such as the ``below_A``
        of a specimen [Å].

    Returns
    -------
    AcquisitionSettings
        The same microscope; an image of focus 0 is focused on the plane.
    """
    return dataclasses.replace(optics, defocus_A=height_A)


def image_series(
    wave: abtem.Waves,
    optics: AcquisitionSettings,
    focus_A: tuple[float, ...],
    shifts_A: np.ndarray,
) -> np.ndarray:
    """Intensities of the images of a focal series of an exit wave, without noise.

    Parameters
    ----------
    wave : abtem.Waves
        What :func:`atomsight.phantoms.acquisition.exit_wave` gives.
    optics : AcquisitionSettings
        The microscope, as :func:`focused_on` gives it: an image has the defocus of the optics plus
        its focus.
    focus_A : tuple of F floats
        Focus of the images, underfocus positive [Å].
    shifts_A : ndarray of shape (F, 2)
        How far ``(x, y)`` the specimen has moved in every image [Å].

    Returns
    -------
    ndarray of shape (F, rows, columns)
        Intensities at the pixels' centres; 1 is the incident beam.

    Raises
    ------
    InputError
        If a field of view does not lie in the box.
    """
    return np.stack(
        [
            acquisition.image_wave(wave, acquisition.focused(optics, focus), (-shift[0], -shift[1]))
            for focus, shift in zip(focus_A, np.asarray(shifts_A, float), strict=True)
        ]
    )


def expose_series(
    intensities: np.ndarray, optics: AcquisitionSettings, rng: np.random.Generator
) -> np.ndarray:
    """Expose the camera for every image of a focal series.

    Parameters
    ----------
    intensities : ndarray of shape (F, H, W)
        Intensities; 1 is the incident beam.
    optics : AcquisitionSettings
        Exposure and camera; the dose is that of all images together, which share it evenly.
    rng : numpy.random.Generator
        Source of the noise.

    Returns
    -------
    ndarray of shape (F, H, W), uint16
        Counts.

    Raises
    ------
    InputError
        If the camera saturates.
    """
    share = dataclasses.replace(optics, dose_e_per_A2=optics.dose_e_per_A2 / len(intensities))
    return np.stack([acquisition.expose(intensity, share, rng) for intensity in intensities])


def draw_shifts(count: int, rms_A: float, rng: np.random.Generator) -> np.ndarray:
    """Draw how far the specimen has moved in the images of a series.

    Parameters
    ----------
    count : int
        Number of images, F.
    rms_A : float
        Root mean square of a shift along each axis, before their mean is taken off [Å].
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (F, 2)
        Shifts ``(x, y)``, zero on average [Å].
    """
    shifts = rng.normal(0, rms_A, (count, 2))
    return shifts - shifts.mean(axis=0)
