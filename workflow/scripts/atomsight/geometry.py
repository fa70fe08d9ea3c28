"""Conventions of the whole project, and the few formulas that follow from them.

Units
    Length Å, energy eV, angle rad, dose e/Å², reciprocal length 1/Å. A name carries its unit
    where it is not the default: ``pixel_size_A``, ``cs_um``, ``energy_eV``.
Images
    Arrays are indexed ``[row, column]``, which is ``[y, x]``; several images stand as
    ``[frame, row, column]``. abTEM's arrays are ``[x, y]`` and are transposed once, in
    :mod:`atomsight.imaging.waves`.
Positions
    ``x`` runs along the columns and ``y`` along the rows, in Å, from the centre of the first
    pixel. Tables have the columns ``x_A, y_A``; arrays of positions have the shape (N, 2) and hold
    ``(x, y)``.
Aberrations
    Defocus has the microscopist's sign: underfocus is positive, ``defocus = -C10``. The phase of
    the transfer function is ``exp(-i chi)`` with the chi of
    :func:`atomsight.imaging.microscope.aberration_basis`.
Focal spread
    The 1/e half-width of the distribution of defocus, as in abTEM and in Kirkland's book. Its
    standard deviation is smaller by √2.
"""

import numpy as np
import scipy


def electron_wavelength_A(energy_eV: float) -> float:
    """Relativistic de Broglie wavelength of electrons of that kinetic energy."""
    constants = scipy.constants
    rest_energy_eV = constants.m_e * constants.c**2 / constants.e
    momentum_eV = np.sqrt(energy_eV * (energy_eV + 2 * rest_energy_eV))
    return float(constants.h * constants.c / constants.e / momentum_eV / constants.angstrom)


def beam_orders(orders: int) -> np.ndarray:
    """Signed orders ``-(orders // 2) ... orders // 2`` of a centred, band-limited spectrum.

    ``orders`` is odd, so that the spectrum is symmetric about zero.
    """
    half = orders // 2
    return np.arange(-half, half + 1)


def rotate(positions: np.ndarray, angle_rad: float) -> np.ndarray:
    """Rotate positions ``(x, y)`` of shape (N, 2) about the origin, from x towards y."""
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    return positions @ np.array([[cosine, sine], [-sine, cosine]])
