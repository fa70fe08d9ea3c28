"""Grains of a flat honeycomb of two elements that meet along straight lines.

The lines run from one point, the lattices are turned against each other by angles at which they
coincide in part. Of several positions of the grains the one that fits best is relaxed.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from atomsight.geometry import rotate
from atomsight.phantoms.honeycomb_forces import BULK_ENERGY, length_scale, pair_energy, relax

#: Misorientations of grains: the mirror twin, and Σ7, Σ13 and Σ19 with and without it [°].
_MISORIENTATIONS_DEG = (60, 21.79, 38.21, 27.80, 32.20, 13.17, 46.83)

#: Positions of the grains that are tried, steps for each, and most steps for the best.
_TRIALS, _TRIAL_STEPS, _RELAXATION_STEPS = 16, 10, 150

#: Grains overlap by this before they are thinned out to no less than these distances, of sites of
#: two sublattices and of one, in MoS2 [Å].
_OVERLAP_A, _NEAREST_A = 0.7, (1.45, 2.1)
#: The sheet ends this far inside its box [Å].
RIM_A = 1.0


@dataclass(frozen=True)
class Grains:
    """Sectors around a point, each with a lattice of its own."""

    junction: np.ndarray  # the point [Å]
    rays_rad: np.ndarray  # azimuth where each sector begins, rising; it ends where the next begins
    turns_rad: np.ndarray  # azimuth of a lattice vector of every grain

    def sector(self, points: np.ndarray) -> np.ndarray:
        """Grain in whose sector points of shape (N, 2) lie, shape (N,)."""
        x, y = (points - self.junction).T
        behind = (np.arctan2(y, x) - self.rays_rad[0]) % (2 * np.pi)
        return np.searchsorted(self.rays_rad - self.rays_rad[0], behind, side="right") - 1

    def distance_A(self, points: np.ndarray) -> np.ndarray:
        """Distance of points of shape (N, 2) from the nearest boundary, shape (N,) [Å]."""
        if len(self.rays_rad) == 1:
            return np.full(len(points), np.inf)
        along, across = np.moveaxis(
            [rotate(points - self.junction, -ray) for ray in self.rays_rad], -1, 0
        )
        return np.hypot(np.minimum(along, 0), across).min(axis=0)


def draw_grains(count: int, size_A: tuple[float, float], rng: np.random.Generator) -> Grains:
    """Lay out grains in a box of such edges; two meet along a straight line, symmetrically."""
    steps = rng.choice([-1, 1], count) * np.deg2rad(rng.choice(_MISORIENTATIONS_DEG, count))
    steps[0] = rng.uniform(0, 2 * np.pi)
    turns = np.cumsum(steps)
    sectors = 2 * np.pi / count * np.arange(count)
    if count > 2:
        sectors += rng.uniform(-0.3, 0.3, count)
    # Mirrored in this line, both elements of one lattice fall on those of the other.
    rays = np.sort(turns[:2].mean() + np.pi / 6 + np.pi / 3 * rng.integers(6) + sectors)
    junction = rng.uniform(0.42, 0.58, 2) * size_A
    return Grains(junction, rays, turns)


def fitting_grains(
    grains: Grains, size_A: tuple[float, float], lattice_A: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Put the grains together in several positions, and relax those that fit best.

    Gives the sites in the box, shape (S, 2) [Å], and which are of the first sublattice.
    """
    best, least = None, np.inf
    for _ in range(1 if len(grains.turns_rad) == 1 else _TRIALS):
        sites, is_first = _assembled(grains, size_A, lattice_A, rng)
        sites = relax(sites, is_first, lattice_A, _TRIAL_STEPS)
        energy = pair_energy(sites, is_first, lattice_A)[0] - BULK_ENERGY * len(sites)
        if energy < least:
            best, least = (sites, is_first), energy
    sites, is_first = best
    return relax(sites, is_first, lattice_A, _RELAXATION_STEPS), is_first


def _assembled(
    grains: Grains, size_A: tuple[float, float], lattice_A: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Fill every sector with a lattice at a random offset, thin out where they overlap."""
    parts = []
    for grain, turn in enumerate(grains.turns_rad):
        sites, is_first = _lattice(size_A, lattice_A, turn, rng)
        own = grains.sector(sites) == grain
        own |= grains.distance_A(sites) < _OVERLAP_A * length_scale(lattice_A)
        parts.append((sites[own], is_first[own]))
    sites, is_first = (np.concatenate(part) for part in zip(*parts, strict=True))
    kept = ~_crowded(sites, is_first, length_scale(lattice_A))
    return sites[kept], is_first[kept]


def _lattice(
    size_A: tuple[float, float], lattice_A: float, turn_rad: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Sites of a perfect sheet that fills the box, at a random offset."""
    vectors = lattice_A * np.array([[1, 0], [0.5, np.sqrt(3) / 2]])
    size_A = np.asarray(size_A)
    reach = int(0.7 * np.hypot(*size_A) / lattice_A) + 4
    cells = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1).T
    cells = cells + rng.uniform(0, 1, 2)
    sites = rotate(np.concatenate([cells, cells + 1 / 3]) @ vectors, turn_rad) + size_A / 2
    is_first = np.repeat([True, False], len(cells))
    inside = ((sites > RIM_A) & (sites < size_A - RIM_A)).all(axis=1)
    return sites[inside], is_first[inside]


def _crowded(sites: np.ndarray, is_first: np.ndarray, scale: float) -> np.ndarray:
    """Mark sites to leave out, those of the nearest pairs first."""
    apart_A = scale * np.array(_NEAREST_A)
    pairs = cKDTree(sites).query_pairs(apart_A.max(), output_type="ndarray")
    distance = np.linalg.norm(np.diff(sites[pairs], axis=1)[:, 0], axis=1)
    alike = is_first[pairs[:, 0]] == is_first[pairs[:, 1]]
    left_out = np.zeros(len(sites), dtype=bool)
    too_near = distance < np.where(alike, apart_A[1], apart_A[0])
    for pair in pairs[too_near][np.argsort(distance[too_near])]:
        # A few pairs along the boundaries, each depending on the one before.
        if not left_out[pair].any():
            left_out[pair[1]] = True
    return left_out
