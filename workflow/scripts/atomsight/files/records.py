"""What flows from one step to the next: plain arrays with their names, units and origins."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Structure:
    """Atoms of one specimen in a periodic box, and the sites a network should find in it."""

    positions: np.ndarray  # (N, 3), (x, y, z) [Å]
    numbers: np.ndarray  # (N,), atomic numbers
    cell_A: np.ndarray  # (3,), edges of the box; the specimen is periodic along x and y
    sites: np.ndarray  # (S, 2), projected positions (x, y) of what is to be found [Å]
    classes: np.ndarray  # (S,), classes of the sites, from 1; class 0 is the background


@dataclass(frozen=True)
class Waves:
    """Band-limited exit waves of W structures in boxes of one size, with the sites of each.

    ``spectra`` are Fourier coefficients ``[wave, snapshot, k_y, k_x]``, the zeroth order in the
    middle, scaled so that a wave in vacuum is one at the zeroth order. The images of the P
    frozen-phonon snapshots are to be averaged; there is one snapshot where the potential is blurred
    instead.
    """

    spectra: np.ndarray  # (W, P, orders, orders), complex64
    cell_A: tuple[float, float]  # (x, y)
    energy_eV: float
    sites: tuple[np.ndarray, ...]  # W arrays of shape (S, 2), (x, y) [Å]
    classes: tuple[np.ndarray, ...]  # W arrays of shape (S,), from 1


@dataclass(frozen=True)
class Frames:
    """Micrographs of one series, calibrated.

    The arrays may be HDF5 data sets that are read frame by frame. ``usable`` is False where a pixel
    tells nothing: saturated, not a number, outside the mask.
    """

    images: np.ndarray  # (F, H, W), in any unit
    pixel_size_A: float  # after resampling
    usable: np.ndarray  # (F, H, W), bool
    source_pixel_size_A: float  # as recorded
    names: tuple[str, ...] = ()  # where every frame came from
    #: Defocus of the images of every focal series in the order of the frames, underfocus positive;
    #: empty where every frame stands alone.
    focus_A: tuple[float, ...] = ()

    @property
    def frames_per_specimen(self) -> int:
        """Number of consecutive frames that belong together."""
        return max(1, len(self.focus_A))


@dataclass(frozen=True)
class ClassMaps:
    """Probability of every class in every pixel, as a network gives it."""

    maps: np.ndarray  # (F, H, W, C), sums to one over the last axis
    pixel_size_A: float
    class_names: tuple[str, ...]  # the background first
    site_sigma_A: float  # standard deviation of the Gaussian of one site in the training
    #: Settings of the segmentation that the model asks for.
    thresholds: dict[str, float] = field(default_factory=dict)
