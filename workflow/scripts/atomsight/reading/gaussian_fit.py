"""Positions in a map that is a sum of equal Gaussians: least squares over all of them at once."""

import numpy as np
from scipy.spatial import KDTree

#: Most rounds of Gauss–Newton. Neighbours at 2.4 σ need the most, as they draw each other.
_ROUNDS = 8

#: A Gaussian that moves less than this in a round stays where it is [σ].
_CONVERGED = 2e-4

#: What is fitted of a Gaussian lies within this radius [σ]; farther out, neighbours hide it.
_CORE = 1.2

#: Gaussians whose centre is farther than this from a core are zero there [σ].
_REACH = 4.0

#: Neighbours of a Gaussian that count, the nearest; so many fit into the reach.
_NEIGHBOURS = 24

#: The longest step of one round along an axis [σ].
_LONGEST_STEP = 0.5

#: Smallest and largest amplitude: one is an atom that exists and whose place is known.
_AMPLITUDES = (0.1, 1.0)

#: Pixels per standard deviation that are enough; a finer map is thinned out.
_ENOUGH_PIXELS = 2.5

#: Added to the normal matrix, of order one, so that what no pixel fixes stays where it is.
_DAMPING = 1e-4

#: Gaussians that are stepped together, which bounds the memory.
_TOGETHER = 4096


def fit_centres(density: np.ndarray, centres: np.ndarray, sigma: float) -> np.ndarray:
    """Fit Gaussians to a map, whose centres (S, 2) are about known, and return their centres.

    ``density`` (H, W) is their sum where it is less than one; where it is one, the sum may be more.
    Centres are rows and columns [pixel], as is the standard deviation ``sigma``. Every Gaussian has
    an amplitude of its own, so that its centre is right though it be wider or hold less than one.

    A round subtracts a Gaussian's neighbours from the map in its core, and adjusts it to the rest.
    """
    stride = max(int(sigma / _ENOUGH_PIXELS), 1)
    return stride * _fit_all(density[::stride, ::stride], centres / stride, sigma / stride)


def _fit_all(density: np.ndarray, centres: np.ndarray, sigma: float) -> np.ndarray:
    radius = int(np.ceil(_CORE * sigma))
    neighbours = _neighbours(centres, (_REACH + _CORE) * sigma)
    # One more, that is nowhere, for those that have fewer neighbours.
    centres = np.append(centres, [[0, 0]], axis=0)
    amplitudes = np.append(np.ones(len(centres) - 1), 0)
    moving = np.arange(len(centres) - 1)
    for _ in range(_ROUNDS):
        if len(moving) == 0:
            break
        parts = np.split(moving, range(_TOGETHER, len(moving), _TOGETHER))
        steps = [
            _step(density, centres, amplitudes, part, neighbours[part], radius, sigma)
            for part in parts
        ]
        step = np.concatenate(steps)
        amplitudes[moving] = np.clip(amplitudes[moving] + step[:, 0], *_AMPLITUDES)
        displaced = np.clip(step[:, 1:], -_LONGEST_STEP, _LONGEST_STEP)
        centres[moving] += sigma * displaced
        moving = moving[(np.abs(displaced) > _CONVERGED).any(axis=1)]
    return centres[:-1]


def _neighbours(centres: np.ndarray, reach: float) -> np.ndarray:
    """Indexes (S, K) of the nearest other centres within reach; S where there are fewer."""
    count = len(centres)
    if count == 0:
        return np.empty((0, 0), int)
    _, nearest = KDTree(centres).query(centres, _NEIGHBOURS + 1, distance_upper_bound=reach)
    nearest[nearest == np.arange(count)[:, None]] = count
    nearest.sort(axis=1)
    return nearest[:, (nearest < count).any(axis=0)]


def _step(
    density: np.ndarray,
    centres: np.ndarray,
    amplitudes: np.ndarray,
    chosen: np.ndarray,
    neighbours: np.ndarray,
    radius: int,
    sigma: float,
) -> np.ndarray:
    """Steps (N, 3) of amplitude, row and column [σ] of some Gaussians, the others as they are."""
    last = np.array(density.shape) - 1
    middles = np.clip(np.rint(centres[chosen]).astype(int), 0, last)
    offsets = np.arange(-radius, radius + 1)
    pixels = middles[..., None] + offsets
    rows, columns = np.swapaxes(np.clip(pixels, 0, last[:, None]), 0, 1)
    in_map = ((pixels >= 0) & (pixels <= last[:, None])).swapaxes(0, 1)

    def apart(axis: int, owners: np.ndarray) -> np.ndarray:
        """Distances (N, K, 2 radius + 1) of the pixels along an axis from centres (N, K) [σ]."""
        middle = (middles[:, axis, None] - centres[owners, axis]) / sigma
        return (middle[..., None] + offsets / sigma).astype("float32")

    along_y, along_x = (np.exp(-0.5 * apart(axis, neighbours) ** 2) for axis in (0, 1))
    heights = amplitudes[neighbours][..., None].astype("float32")
    others = np.swapaxes(heights * along_y, 1, 2) @ along_x
    down, right = apart(0, chosen[:, None])[:, 0, :, None], apart(1, chosen[:, None])
    known = density[rows[:, :, None], columns[:, None, :]]
    # Beyond the border a map says as little as where it is one.
    known[~(in_map[0][:, :, None] & in_map[1][:, None, :])] = 1
    in_core = offsets[:, None] ** 2 + offsets**2 <= (_CORE * sigma) ** 2
    own = np.exp(-0.5 * down**2) * np.exp(-0.5 * right**2) * (in_core & (known < 1))
    amplitude = amplitudes[chosen, None, None].astype("float32")
    jacobian = np.stack([own, amplitude * own * down, amplitude * own * right], axis=1)
    rest = known - others - amplitude * own
    jacobian, rest = jacobian.reshape(len(chosen), 3, -1), rest.reshape(len(chosen), -1, 1)
    normal = (jacobian @ jacobian.transpose(0, 2, 1)).astype(float) + _DAMPING * np.eye(3)
    return np.linalg.solve(normal, (jacobian @ rest).astype(float))[..., 0]
