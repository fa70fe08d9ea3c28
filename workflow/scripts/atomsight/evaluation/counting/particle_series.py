"""A simulated particle whose exit wave is imaged as a focal series, again and again."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from atomsight.config.phantoms import AcquisitionSettings, ParticleSettings
from atomsight.evaluation.columns import RIM_A
from atomsight.phantoms import acquisition, focal_series, particles

if TYPE_CHECKING:
    import abtem

#: An image is a multiple of this many pixels wide, and its square box of this length [Å]: planning
#: the Fourier transforms of a new size takes as long as an exit wave.
_IMAGE_STEP_PX = 16
_BOX_STEP_A = 8.0


@dataclass(frozen=True)
class ParticleWave:
    """The exit wave of a particle, and its columns.

    The field of view of ``optics`` is as large as the particle and its margin, and focus counts
    from the lower side of the particle. ``columns`` has ``x_A, y_A`` from the centre of the first
    pixel [Å], ``atoms``, ``region``; ``rotation_rad`` is the angle about the zone axis.
    """

    wave: "abtem.Waves"
    optics: AcquisitionSettings
    columns: pd.DataFrame
    rotation_rad: float

    @property
    def positions(self) -> np.ndarray:
        """Positions ``(x, y)`` of the columns, shape (C, 2) [Å]."""
        return self.columns[["x_A", "y_A"]].to_numpy(float)

    def images(self, focus_A: tuple[float, ...], shifts_A: np.ndarray | float = 0.0) -> np.ndarray:
        """Intensities of a focal series without noise, shape (F, H, W); 1 is the incident beam.

        Underfocus is positive; the specimen has moved by ``shifts_A``, shape (F, 2).
        """
        shifts_A = np.broadcast_to(shifts_A, (len(focus_A), 2))
        return focal_series.image_series(self.wave, self.optics, focus_A, shifts_A)


def simulate_particle(
    settings: ParticleSettings, optics: AcquisitionSettings, rng: np.random.Generator
) -> ParticleWave:
    """Make a random particle and compute its exit wave; the image is as large as it needs."""
    particle_rng, support_rng = rng.spawn(2)
    particle = particles.make_particle(settings, particle_rng)
    wanted_A = particles.extent_A(particle) + 2 * settings.margin_A + particles.lift_A(settings)
    columns, rows = _multiple(wanted_A / optics.pixel_size_A, _IMAGE_STEP_PX).astype(int).tolist()
    view_A = np.array([columns, rows]) * optics.pixel_size_A
    edge_A = _multiple(view_A.max() + RIM_A, _BOX_STEP_A)
    specimen = particles.put_into_box(particle, settings, (edge_A, edge_A), support_rng)
    optics = focal_series.focused_on(optics.but(rows=rows, columns=columns), specimen.below_A)
    table = specimen.columns.copy()
    table[["x_A", "y_A"]] -= acquisition.view_origin(specimen.structure, optics)
    wave = acquisition.exit_wave(specimen.structure, optics)
    return ParticleWave(wave, optics, table, particle.rotation_rad)


def _multiple(length: np.ndarray | float, step: float) -> np.ndarray:
    return step * np.ceil(length / step)


def in_units_of_the_beam(counts: np.ndarray, optics: AcquisitionSettings) -> np.ndarray:
    """Turn counts of a focal series into intensities: 1 is the incident beam.

    The dose is that of all images together.
    """
    electrons_per_pixel = optics.dose_e_per_A2 * optics.pixel_size_A**2 / len(counts)
    return (counts - optics.offset) / (optics.gain * electrons_per_pixel)
