"""Pair forces that hold a flat honeycomb of two sublattices together.

Sites of two sublattices attract each other as far as a bond, those of one as far as the lattice
constant, both by Morse's potential, in units of a bond's energy. The perfect sheet and its free
edges are at rest; where grains meet, sites find the bonds that they can. It is no model of the
chemistry. All lengths follow the lattice constant: a potential that is too soft for its lattice
would rather have squares.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.spatial import cKDTree

#: Lattice constant of MoS2, for which lengths are given that follow the lattice constant [Å].
_MOS2_LATTICE_A = 3.165

#: Depth, steepness in MoS2 [1/Å], and where the potential begins and ends to fade, in lattice
#: constants: of two sublattices, and of one.
_DEPTH = np.array([1.0, 0.3])
_STEEPNESS_PER_A = np.array([2.2, 1.8])
_FADE_START, _FADE_END = np.array([0.73, 1.2]), np.array([1.08, 1.65])

#: Energy of a site of the perfect sheet: half of three bonds and six second neighbours.
BULK_ENERGY = -(3 * _DEPTH[0] + 6 * _DEPTH[1]) / 2

#: The list of pairs is made anew after so many steps.
_STEPS_PER_LIST = 25


def length_scale(lattice_A: float) -> float:
    """By how much lengths differ from those of MoS2."""
    return lattice_A / _MOS2_LATTICE_A


def pair_energy(
    sites: np.ndarray, is_first: np.ndarray, lattice_A: float, pairs: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Energy of a sheet, in units of a bond's, and its derivative by the positions [1/Å].

    ``pairs`` of sites that feel each other, shape (P, 2), are found anew if they are not given.
    """
    if pairs is None:
        pairs = near_pairs(sites, lattice_A)
    one, other = pairs.T
    alike = (is_first[one] == is_first[other]).astype(int)
    apart = sites[other] - sites[one]
    distance = np.linalg.norm(apart, axis=1)
    rest = lattice_A * np.array([1 / np.sqrt(3), 1])[alike]
    steepness_per_A = (_STEEPNESS_PER_A / length_scale(lattice_A))[alike]
    decay = np.exp(-steepness_per_A * (distance - rest))
    well = _DEPTH[alike] * (decay**2 - 2 * decay)
    slope = 2 * _DEPTH[alike] * steepness_per_A * (decay - decay**2)

    width = (_FADE_END - _FADE_START)[alike] * lattice_A
    reached = np.clip((distance - _FADE_START[alike] * lattice_A) / width, 0, 1)
    fade = 1 - reached**2 * (3 - 2 * reached)
    fade_slope = -6 * reached * (1 - reached) / width
    force = ((slope * fade + well * fade_slope) / distance)[:, None] * apart
    gradient = [
        np.bincount(other, force[:, axis], len(sites))
        - np.bincount(one, force[:, axis], len(sites))
        for axis in (0, 1)
    ]
    return float(np.sum(well * fade)), np.stack(gradient, axis=1)


def near_pairs(sites: np.ndarray, lattice_A: float) -> np.ndarray:
    """Pairs of sites that feel each other, shape (P, 2)."""
    return cKDTree(sites).query_pairs(_FADE_END[1] * lattice_A, output_type="ndarray")


def relax(sites: np.ndarray, is_first: np.ndarray, lattice_A: float, steps: int) -> np.ndarray:
    """Let a sheet come to rest, in at most so many steps."""

    def energy(flat: np.ndarray, pairs: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = pair_energy(flat.reshape(-1, 2), is_first, lattice_A, pairs)
        return value, gradient.ravel()

    for start in range(0, steps, _STEPS_PER_LIST):
        options = {"maxiter": min(_STEPS_PER_LIST, steps - start)}
        sites = minimize(
            energy,
            sites.ravel(),
            args=(near_pairs(sites, lattice_A),),
            jac=True,
            method="L-BFGS-B",
            options=options,
        ).x.reshape(-1, 2)
    return sites
