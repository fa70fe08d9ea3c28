"""Counting by the most similar of simulated columns.

The library holds columns of particles of the same kind as those to be counted, but other ones:
every height in many surroundings, along the beam and tilted as far. They are imaged by the same
microscope at the very focus of the series. A column has the height of the library's column whose
images differ from its own least, by the sum of squares over the stack.

The method is shown at its best. It is told where the columns are, how the crystal is turned, the
focus, and what particles may occur; how much of the image around a column is compared is chosen
with the truth in hand. Seen along ⟨110⟩ a crystal is its own mirror image, so every
column is compared in four ways.
"""

from dataclasses import dataclass

import numpy as np
from scipy import fft
from scipy.ndimage import map_coordinates

from atomsight.config.evaluation import LibrarySettings
from atomsight.config.phantoms import AcquisitionSettings, ParticleSettings
from atomsight.evaluation.counting.particle_series import ParticleWave, simulate_particle
from atomsight.geometry import rotate
from atomsight.phantoms import acquisition


@dataclass(frozen=True)
class ColumnImages:
    """Patches of :func:`cut_patches` without noise and heights of the columns of a library."""

    patches: np.ndarray
    heights: np.ndarray


def simulate_library(
    settings: LibrarySettings,
    particle: ParticleSettings,
    optics: AcquisitionSettings,
    rng: np.random.Generator,
) -> list[ParticleWave]:
    """Compute the exit waves of a library."""
    return [simulate_particle(particle, optics, one) for one in rng.spawn(settings.particles)]


def image_library(
    waves: list[ParticleWave], focus_A: tuple[float, ...], radius_A: float
) -> ColumnImages:
    """Image all columns of a library, as the camera would show them without noise.

    The focus has underfocus positive; ``radius_A`` is half the width of what is kept.
    """
    patches = [
        cut_patches(
            through_camera(one.images(focus_A), one.optics),
            one.positions,
            one.rotation_rad,
            one.optics.pixel_size_A,
            radius_A,
        )
        for one in waves
    ]
    heights = np.concatenate([one.columns["atoms"].to_numpy() for one in waves])
    return ColumnImages(np.concatenate(patches, dtype=np.float32), heights)


def through_camera(images: np.ndarray, optics: AcquisitionSettings) -> np.ndarray:
    """Show images as the camera does on average, shape (F, H, W)."""
    if optics.mtf is None:
        return images
    transfer = acquisition.modulation_transfer(images.shape[1:], optics.mtf)
    return fft.ifft2(fft.fft2(images) * transfer).real


def cut_patches(
    images: np.ndarray,
    positions: np.ndarray,
    rotation_rad: float,
    pixel_size_A: float,
    radius_A: float,
) -> np.ndarray:
    """Cut the images around every column, in the axes of the crystal.

    From images of shape (F, H, W) and C positions [Å], patches of shape (C, F, K, K), a column in
    the middle of each; ``radius_A`` is half their width.
    """
    reach = int(np.floor(radius_A / pixel_size_A))
    v, u = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    offsets = rotate(np.stack([u.ravel(), v.ravel()], axis=1), rotation_rad)
    places = positions[:, None] / pixel_size_A + offsets
    coordinates = places[..., ::-1].reshape(-1, 2).T
    shape = (len(positions), *u.shape)
    return np.stack(
        [map_coordinates(image, coordinates, mode="nearest").reshape(shape) for image in images],
        axis=1,
    )


def count_heights(patches: np.ndarray, library: ColumnImages, radius_px: float) -> np.ndarray:
    """Height of the most similar column of the library, imaged at the same focus."""
    reach = patches.shape[-1] // 2
    v, u = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    compared = np.hypot(u, v) <= radius_px
    mirrored = np.concatenate([patches[..., ::y, ::x] for y in (1, -1) for x in (1, -1)])
    seen, known = (
        stack[..., compared].reshape(len(stack), -1).astype(np.float32)
        for stack in (mirrored, library.patches)
    )
    # What is left out of the sum of squares is the same for all columns of the library.
    distances = (known**2).sum(axis=1) - 2 * seen @ known.T
    nearest = distances.reshape(4, len(patches), -1).min(axis=0).argmin(axis=1)
    return library.heights[nearest]
