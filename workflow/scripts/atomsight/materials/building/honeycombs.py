"""Sheets of two sublattices that form a honeycomb when seen along the beam, flat and whole.

A sheet is one crystal that fits its periodic box, or several grains: the Voronoi cells, with wavy
borders, of random points. Where grains meet, crowded sites go and springs between neighbours close
the ranks. Before that, either sublattice alone is a sheet of triangular lattices. Sites are
positions ``(x, y)`` of shape (S, 2) in a periodic square [Å]; ``is_first``
tells those of the first sublattice.
"""

import numpy as np
import scipy

from atomsight.materials.building.periodic_waves import PeriodicWaves

#: Making and relaxing a sheet, for every atom [s].
RELAXATION_S = 4e-5

#: Grains reach this much farther from their centre than to their border [Å].
_OVERLAP_A = 2.0

#: Bonds are up to this long, distances of second neighbours up to that [lattice constants].
_BOND_REACH, _SECOND_REACH = 0.77, 1.2

#: Stiffness of the spring between second neighbours, relative to a bond.
_SECOND_STIFFNESS = 0.2

#: Lattice vectors as columns, and the second site in units of them.
_UNIT_CELL = np.array([[1, 0.5], [0, np.sqrt(3) / 2]])
_SECOND_SITE = np.array([1, 1]) / 3

#: A single crystal is strained by at most this to fit the box, if one of so many trials allows it.
_FIT_STRAIN, _FIT_TRIALS = 0.025, 200

#: Borders of grains wander by about this much [Å].
_BORDER_WAVE_A = 1.0


def grain_count(fewest_and_most: tuple[int, int], rng: np.random.Generator) -> int:
    """Draw a number of grains from a log-uniform distribution: few more often than many."""
    fewest, most = fewest_and_most
    return min(int(np.exp(rng.uniform(np.log(fewest), np.log(most + 1)))), most)


def random_sheet(
    size: float,
    lattice_A: float,
    grains: int,
    crowded_A: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Sites and sublattices of :func:`unrelaxed_sheet`, relaxed."""
    sites, is_first = unrelaxed_sheet(size, lattice_A, grains, crowded_A, rng)
    return relax_springs(sites, is_first, size, lattice_A), is_first


def unrelaxed_sheet(
    size: float,
    lattice_A: float,
    grains: int,
    crowded_A: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Sites and sublattices of a sheet of one or more grains.

    Where two grains meet, sites of two sublattices are at least ``crowded_A[0]`` apart, those of
    one ``crowded_A[1]``.
    """
    if grains == 1:
        return single_crystal(size, lattice_A, rng)
    return polycrystal(size, lattice_A, grains, crowded_A, rng)


def honeycomb(
    vectors: np.ndarray, cells: np.ndarray, origin: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sites of a perfect sheet, those of the first sublattice first.

    ``vectors`` are the lattice vectors as columns [Å], ``cells`` unit cells in units of them, shape
    (K, 2); the first site of cell (0, 0) lies at the origin.
    """
    sites = np.concatenate([cells, cells + _SECOND_SITE]) @ vectors.T + origin
    return sites, np.arange(len(sites)) < len(cells)


def single_crystal(
    size: float, lattice_A: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A crystal in a random orientation, strained a little so that it fits the periodic box."""
    free = lattice_A * _turned(rng.uniform(0, 2 * np.pi / 3, _FIT_TRIALS))
    periods = np.round(size * np.linalg.inv(free))
    fitted = size * np.linalg.inv(periods)
    change = fitted @ np.linalg.inv(free) - np.eye(2)
    strain = np.abs(np.linalg.eigvalsh((change + change.transpose(0, 2, 1)) / 2)).max(axis=1)
    chosen = np.argmin(np.maximum(strain, _FIT_STRAIN))
    cells = _cells(1.5 * size / lattice_A)
    places = cells @ fitted[chosen].T / size
    inside = ((places > -1e-6) & (places < 1 - 1e-6)).all(axis=1)
    sites, is_first = honeycomb(fitted[chosen], cells[inside], rng.uniform(0, size, 2))
    return sites % size, is_first


def polycrystal(
    size: float,
    lattice_A: float,
    grains: int,
    crowded_A: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Grains in random orientations, not yet relaxed; crowded sites between them are left out."""
    centres = rng.uniform(0, size, (grains, 2))
    shifts = size * np.array([(x, y) for x in (0, -1, 1) for y in (0, -1, 1)])
    owners = scipy.spatial.cKDTree((shifts[:, None] + centres).reshape(-1, 2))
    wave = PeriodicWaves.draw(size, 2, rng)
    cells = _cells(0.95 * size / lattice_A)
    parts = []
    for grain, vectors in enumerate(lattice_A * _turned(rng.uniform(0, 2 * np.pi / 3, grains))):
        sites, is_first = honeycomb(vectors, cells, centres[grain])
        moved = sites + _BORDER_WAVE_A * wave.values(sites)
        beyond = np.linalg.norm(moved - centres[grain], axis=1) - owners.query(moved)[0]
        inside = beyond < _OVERLAP_A
        parts.append((beyond[inside], sites[inside] % size, is_first[inside]))
    beyond, sites, is_first = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(beyond, kind="stable")
    sites, is_first = sites[order], is_first[order]
    apart = uncrowded(sites, is_first, size, crowded_A)
    return sites[apart], is_first[apart]


def _turned(angles: np.ndarray) -> np.ndarray:
    """Lattice vectors of length one, turned from x towards y, shape (A, 2, 2)."""
    cos, sin = np.cos(angles), np.sin(angles)
    return np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1) @ _UNIT_CELL


def _cells(radius: float) -> np.ndarray:
    """Unit cells that cover a circle about the origin, its radius in lattice constants."""
    reach = np.arange(-int(1.2 * radius) - 2, int(1.2 * radius) + 3)
    return np.stack(np.meshgrid(reach, reach), axis=-1).reshape(-1, 2)


def uncrowded(
    sites: np.ndarray, is_first: np.ndarray, size: float, min_A: tuple[float, float]
) -> np.ndarray:
    """Mark the sites that stay where others are too close: the first of two.

    ``min_A`` is the least distance of sites of two sublattices, and of one [Å].
    """
    pairs, _, distance = _pairs(sites, size, max(min_A))
    alike = is_first[pairs[:, 0]] == is_first[pairs[:, 1]]
    pairs = pairs[distance < np.where(alike, min_A[1], min_A[0])]
    stays = np.ones(len(sites), dtype=bool)
    while len(pairs):
        unbeaten = ~np.isin(pairs[:, 0], pairs[:, 1])
        stays[pairs[unbeaten, 1]] = False
        pairs = pairs[stays[pairs].all(axis=1)]
    return stays


def _pairs(sites: np.ndarray, size: float, reach: float) -> tuple[np.ndarray, ...]:
    """Pairs of sites within reach, the vectors between them and their lengths."""
    pairs = scipy.spatial.cKDTree(sites % size, boxsize=size).query_pairs(
        reach, output_type="ndarray"
    )
    apart = sites[pairs[:, 1]] - sites[pairs[:, 0]]
    apart -= size * np.round(apart / size)
    return pairs, apart, np.linalg.norm(apart, axis=1)


def bonded_sites(
    sites: np.ndarray, is_first: np.ndarray, size: float, lattice_A: float
) -> np.ndarray:
    """Indices of the sites that stay when those with fewer than two bonds go, again and again."""
    kept = np.arange(len(sites))
    while (loose := bond_counts(sites[kept], is_first[kept], size, lattice_A) < 2).any():
        kept = kept[~loose]
    return kept


def bond_counts(
    sites: np.ndarray, is_first: np.ndarray, size: float, lattice_A: float
) -> np.ndarray:
    """Number of neighbours of the other sublattice, seen along the beam."""
    pairs, _, _ = _pairs(sites, size, _BOND_REACH * lattice_A)
    bonds = pairs[is_first[pairs[:, 0]] != is_first[pairs[:, 1]]]
    return np.bincount(bonds.ravel(), minlength=len(sites))


def relax_springs(
    sites: np.ndarray, is_first: np.ndarray, size: float, lattice_A: float
) -> np.ndarray:
    """Pull neighbours and second neighbours to the distances of the perfect sheet."""

    pairs, _, start = _pairs(sites, size, _SECOND_REACH * lattice_A)
    alike = is_first[pairs[:, 0]] == is_first[pairs[:, 1]]
    springs = alike | (start < _BOND_REACH * lattice_A)
    pairs, alike = pairs[springs], alike[springs]
    lengths = lattice_A * np.where(alike, 1, 1 / np.sqrt(3))
    stiffness = np.where(alike, _SECOND_STIFFNESS, 1.0)

    def energy(flat: np.ndarray) -> tuple[float, np.ndarray]:
        apart = np.diff(flat.reshape(-1, 2)[pairs], axis=1)[:, 0]
        apart -= size * np.round(apart / size)
        distance = np.linalg.norm(apart, axis=1)
        stretch = distance - lengths
        force = (stiffness * stretch / distance)[:, None] * apart
        gradient = [
            np.bincount(pairs[:, 1], force[:, axis], minlength=len(sites))
            - np.bincount(pairs[:, 0], force[:, axis], minlength=len(sites))
            for axis in (0, 1)
        ]
        return 0.5 * float(np.sum(stiffness * stretch**2)), np.stack(gradient, axis=1).ravel()

    found = scipy.optimize.minimize(
        energy, sites.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 40}
    )
    return found.x.reshape(-1, 2)
