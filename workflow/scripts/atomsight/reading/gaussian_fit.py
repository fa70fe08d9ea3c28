"""Positions in a map that is a sum of equal Gaussians: least squares over all of them at once."""

import numpy as np
from scipy import sparse

#: Rounds of Gauss–Newton. Neighbours at 2.4 σ need the most, as they draw each other.
_ROUNDS = 8

#: What is fitted of a Gaussian lies within this radius [σ]; farther out, neighbours hide it.
_CORE = 1.2

#: A Gaussian counts as zero farther than this from its centre along an axis [σ].
_REACH = 4.0

#: The longest step of one round along an axis [σ].
_LONGEST_STEP = 0.5

#: Smallest and largest amplitude: one is an atom that exists and whose place is known.
_AMPLITUDES = (0.1, 1.0)

#: Pixels per standard deviation that are enough; a finer map is thinned out.
_ENOUGH_PIXELS = 2.5

#: Added to the normal matrix, of order one, so that what no pixel fixes stays where it is.
_DAMPING = 1e-4


def fit_centres(density: np.ndarray, centres: np.ndarray, sigma: float) -> np.ndarray:
    """Fit Gaussians to a map, whose centres (S, 2) are about known, and return their centres.

    ``density`` (H, W) is their sum where it is less than one; where it is one, the sum may be more.
    Centres are rows and columns [pixel], as is the standard deviation ``sigma``. Every Gaussian has
    an amplitude of its own, so that its centre is right though it be wider or hold less than one.

    A round subtracts all Gaussians from the map, and then adjusts each to what is left in its core.
    """
    stride = max(int(sigma / _ENOUGH_PIXELS), 1)
    return stride * _fit_all(density[::stride, ::stride], centres / stride, sigma / stride)


def _fit_all(density: np.ndarray, centres: np.ndarray, sigma: float) -> np.ndarray:
    radius = int(np.ceil(_CORE * sigma))
    core = np.mgrid[-radius : radius + 1, -radius : radius + 1].reshape(2, -1)
    core = core[:, (core**2).sum(axis=0) <= (_CORE * sigma) ** 2]
    # Beyond the border a map says as little as where it is one.
    density = np.pad(density, radius, constant_values=1)
    centres = centres + radius
    last = np.array(density.shape) - 1 - radius
    amplitudes = np.ones(len(centres))
    for _ in range(_ROUNDS):
        rows, columns = (
            np.clip(np.rint(centres).astype(int), radius, last).T[..., None] + core[:, None]
        )
        total = sum_of_gaussians(density.shape, centres, amplitudes, sigma)
        known = density[rows, columns]
        counts = known < 1
        rest = (known - total[rows, columns]) * counts
        down, right = (rows - centres[:, :1]) / sigma, (columns - centres[:, 1:]) / sigma
        unit = np.exp(-0.5 * (down**2 + right**2)) * counts
        gaussian = unit * amplitudes[:, None]
        jacobian = np.stack([unit, gaussian * down, gaussian * right], axis=1)
        normal = jacobian @ jacobian.transpose(0, 2, 1) + _DAMPING * np.eye(3)
        step = np.linalg.solve(normal, jacobian @ rest[..., None])[..., 0]
        amplitudes = np.clip(amplitudes + step[:, 0], *_AMPLITUDES)
        centres = centres + sigma * np.clip(step[:, 1:], -_LONGEST_STEP, _LONGEST_STEP)
    return centres - radius


def sum_of_gaussians(
    shape: tuple[int, int], centres: np.ndarray, amplitudes: np.ndarray, sigma: float
) -> np.ndarray:
    """Sum of Gaussians in the pixels of a map: a product of their sparse profiles along y and x."""
    reach = np.arange(-np.ceil(_REACH * sigma), np.ceil(_REACH * sigma) + 1)
    profiles = []
    for centre, size in zip(centres.T, shape, strict=True):
        pixels = np.rint(centre)[:, None] + reach
        values = np.exp(-0.5 * ((pixels - centre[:, None]) / sigma) ** 2)
        values[(pixels < 0) | (pixels >= size)] = 0
        nearest = np.clip(pixels, 0, size - 1).astype(int).ravel()
        starts = np.arange(len(centre) + 1) * len(reach)
        profiles.append(sparse.csr_array((values.ravel(), nearest, starts), (len(centre), size)))
    along_y, along_x = profiles
    return (along_y.T @ (sparse.diags_array(amplitudes) @ along_x)).toarray()
