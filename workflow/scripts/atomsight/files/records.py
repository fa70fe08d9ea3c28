"""What flows from one step to the next: plain arrays with their names, units and origins."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Structure:
    """Atoms of one specimen in a periodic box, and the sites a network should find in it.

    Attributes
    ----------
    positions : ndarray of shape (N, 3)
        Positions ``(x, y, z)`` of the atoms [Å].
    numbers : ndarray of shape (N,)
        Atomic numbers.
    cell_A : ndarray of shape (3,)
        Edges of the box [Å]; the specimen is periodic along x and y.
    sites : ndarray of shape (S, 2)
        Projected positions ``(x, y)`` of the atoms or columns to be found [Å].
    classes : ndarray of shape (S,)
        Class of every site, from 1; class 0 is the background.
    """

    positions: np.ndarray
    numbers: np.ndarray
    cell_A: np.ndarray
    sites: np.ndarray
    classes: np.ndarray


@dataclass(frozen=True)
class Waves:
    """Band-limited exit waves of several structures in boxes of one size.

    Attributes
    ----------
    spectra : ndarray of shape (W, P, orders, orders), complex64
        Fourier coefficients ``[wave, snapshot, k_y, k_x]``, the zeroth order in the middle, scaled
        so that a wave in vacuum is one at the zeroth order. The images of P frozen-phonon
        snapshots are to be averaged; one snapshot where the potential is blurred instead.
    cell_A : tuple of float
        Edges ``(x, y)`` of the periodic box [Å].
    energy_eV : float
        Energy of the electrons [eV].
    sites : tuple of W ndarrays of shape (S, 2)
        Positions ``(x, y)`` of the sites [Å].
    classes : tuple of W ndarrays of shape (S,)
        Classes of the sites, from 1.
    """

    spectra: np.ndarray
    cell_A: tuple[float, float]
    energy_eV: float
    sites: tuple[np.ndarray, ...]
    classes: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Frames:
    """Micrographs of one series, calibrated.

    Attributes
    ----------
    images : array-like of shape (F, H, W)
        Intensities, in any unit. NumPy array, or an HDF5 data set that is read frame by frame.
    pixel_size_A : float
        Size of a pixel after resampling [Å].
    usable : array-like of shape (F, H, W), bool
        False where a pixel tells nothing (saturated, not a number, outside the mask).
    source_pixel_size_A : float
        Size of a pixel as recorded [Å].
    names : tuple of F str
        Where every frame came from.
    focus_A : tuple of float
        Defocus of the images of every focal series in the order of the frames, underfocus positive
        [Å]; empty where every frame stands alone.
    """

    images: np.ndarray
    pixel_size_A: float
    usable: np.ndarray
    source_pixel_size_A: float
    names: tuple[str, ...] = field(default=())
    focus_A: tuple[float, ...] = field(default=())

    @property
    def frames_per_specimen(self) -> int:
        """Number of consecutive frames that belong together."""
        return max(1, len(self.focus_A))


@dataclass(frozen=True)
class ClassMaps:
    """Probability of every class in every pixel, as a network gives it.

    Attributes
    ----------
    maps : array-like of shape (F, H, W, C)
        Probabilities; they sum to one over the last axis. Class 0 is the background.
    pixel_size_A : float
        Size of a pixel [Å].
    class_names : tuple of C str
        Names of the classes, the background first.
    site_sigma_A : float
        Standard deviation of the Gaussian that stands for one site in the training [Å].
    thresholds : dict of str to float
        Settings of the segmentation that the model asks for.
    """

    maps: np.ndarray
    pixel_size_A: float
    class_names: tuple[str, ...]
    site_sigma_A: float
    thresholds: dict[str, float] = field(default_factory=dict)
