"""What a microscope passes: its envelopes, and where they end, the information limit.

Images of different microscopes cannot be equally good. What they lose for good is what the spread
of focus and vibration damp below the noise. The camera is left out on purpose: its modulation
transfer function (the paper, eq 5) multiplies signal and noise alike, so it takes no information
away; nor do the aberrations, which turn contrast over but leave it there.
"""

import numpy as np
from scipy.optimize import brentq

from atomsight.config.phantoms import AcquisitionSettings
from atomsight.geometry import electron_wavelength_A

#: Distance of the lattice planes of graphene that an image shows best, {100} [Å].
PLANES_A = 2.13

#: Frequencies between which an information limit is looked for [1/Å].
_FREQUENCIES_PER_A = (1e-3, 1e3)

#: Directions over which the phase contrast is averaged.
_AZIMUTHS = 180


def envelope(
    frequency_per_A: float | np.ndarray, optics: AcquisitionSettings
) -> float | np.ndarray:
    """Share of the linear contrast that focal spread and vibration leave.

    ``exp[-(½ π λ Δ k²)²] · exp(-2 π² σ² k²)``, with the 1/e half-width Δ of the distribution of
    defocus and the rms vibration σ along one axis. E. J. Kirkland, *Advanced Computing in Electron
    Microscopy*, section 3.2, for the first; the second is the Fourier transform of a Gaussian
    displacement.
    """
    square = np.square(frequency_per_A)
    wavelength_A = electron_wavelength_A(optics.energy_eV)
    temporal = (0.5 * np.pi * wavelength_A * optics.focal_spread_A * square) ** 2
    vibration = 2 * (np.pi * optics.vibration_A) ** 2 * square
    return np.exp(-temporal - vibration)


def information_limit_A(optics: AcquisitionSettings) -> float:
    """Finest distance that a microscope passes: where :func:`envelope` is exp(-2), or two pixels.

    Without vibration this is √(π λ δ / 2) with the standard deviation δ = Δ/√2 of the defocus,
    M. A. O'Keefe, *Ultramicroscopy* 47, 282 (1992).
    """
    sampled_A = 2 * optics.pixel_size_A
    if optics.focal_spread_A == optics.vibration_A == 0:
        return sampled_A

    def excess(logarithm: float) -> float:
        with np.errstate(over="ignore", divide="ignore"):
            return min(-np.log(envelope(np.exp(logarithm), optics)), 1e3) - 2

    root = brentq(excess, *np.log(_FREQUENCIES_PER_A), xtol=1e-10)
    return max(float(np.exp(-root)), sampled_A)


def phase_contrast(distance_A: float, optics: AcquisitionSettings) -> float:
    """Contrast that a weak phase object's planes have in the image, whatever their direction.

    Root mean square of ``sin χ`` over all azimuths, times :func:`envelope`; 0 where the aberrations
    turn all contrast into amplitude, √½ where they are random. Kirkland, eq 2.22 and 3.15;
    underfocus is positive.
    """
    wavelength_A = electron_wavelength_A(optics.energy_eV)
    angle = wavelength_A / distance_A
    azimuths = np.pi * np.arange(_AZIMUTHS) / _AZIMUTHS
    twofold = optics.astigmatism_A * np.cos(2 * (azimuths - optics.astigmatism_angle_rad))
    focus = 0.5 * (twofold - optics.defocus_A) * angle**2
    spherical = 0.25 * optics.cs_um * 1e4 * angle**4 + optics.c5_mm * 1e7 * angle**6 / 6
    phase = 2 * np.pi / wavelength_A * (focus + spherical)
    damping = envelope(1 / distance_A, optics)
    return float(np.sqrt(np.mean(np.sin(phase) ** 2)) * damping)
