"""Simulated focal series: several images of one specimen at different defocus.

The exit wave is computed once and imaged at every focus. Between the images the specimen moves a
little; its positions are given where it lies in the images on average, which is where a series lies
once its images are registered. All images share the total dose evenly.
"""

from typing import TYPE_CHECKING

import numpy as np

from atomsight.config.phantoms import AcquisitionSettings
from atomsight.phantoms import acquisition

if TYPE_CHECKING:
    import abtem


def focused_on(optics: AcquisitionSettings, height_A: float) -> AcquisitionSettings:
    """Let an image of focus 0 be focused on a plane above the face where the beam leaves the box.

    Its height is for example the ``below_A`` of a specimen [Å].
    """
    return optics.but(defocus_A=height_A)


def image_series(
    wave: "abtem.Waves",
    optics: AcquisitionSettings,
    focus_A: tuple[float, ...],
    shifts_A: np.ndarray,
) -> np.ndarray:
    """Intensities of the images of a focal series of an exit wave, without noise.

    The optics are those of :func:`focused_on`: an image has their defocus plus its focus,
    underfocus positive [Å]. ``shifts_A``, shape (F, 2), says how far ``(x, y)`` the specimen has
    moved in every image. Shape (F, rows, columns), at the centres of the pixels; 1 is the incident
    beam.
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
    """Expose the camera for every image of a series: counts, shape (F, H, W), uint16.

    The dose is that of all images together, which share it evenly.
    """
    share = optics.but(dose_e_per_A2=optics.dose_e_per_A2 / len(intensities))
    return np.stack([acquisition.expose(intensity, share, rng) for intensity in intensities])


def draw_shifts(count: int, rms_A: float, rng: np.random.Generator) -> np.ndarray:
    """Draw how far ``(x, y)`` the specimen has moved in every image, zero on average [Å].

    ``rms_A`` is the root mean square along each axis before the mean is taken off.
    """
    shifts = rng.normal(0, rms_A, (count, 2))
    return shifts - shifts.mean(axis=0)
