"""Sheets of two elements that form a honeycomb when seen along the beam, flat and whole.

A sheet is one crystal that fits its periodic box, or several grains: the Voronoi cells, with wavy
borders, of random points. Where grains meet, crowded sites go and springs between neighbours close
the ranks. One element is molybdenum, the other sulfur.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.spatial import cKDTree

from atomsight.materials.building.periodic_waves import PeriodicWaves

#: Where two grains meet, sites of two elements are at least this far apart, then those of one [Å].
_CROWDED_A = (1.35, 1.8)

#: Grains reach this much farther from their centre than to their border [Å].
_OVERLAP_A = 2.0

#: Bonds are up to this long, distances of second neighbours up to that [lattice constants].
_BOND_REACH, _SECOND_REACH = 0.77, 1.2

#: Stiffness of the spring between second neighbours, relative to a bond.
_SECOND_STIFFNESS = 0.2

#: Lattice vectors as columns, and the sulfur site in units of them.
_UNIT_CELL = np.array([[1, 0.5], [0, np.sqrt(3) / 2]])
_SULFUR_SITE = np.array([1, 1]) / 3

#: A single crystal is strained by at most this to fit the box, if one of so many trials allows it.
_FIT_STRAIN, _FIT_TRIALS = 0.025, 200

#: Borders of grains wander by about this much [Å].
_BORDER_WAVE_A = 1.0


def honeycomb(
    vectors: np.ndarray, cells: np.ndarray, origin: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sites of a perfect sheet.

    Parameters
    ----------
    vectors : ndarray of shape (2, 2)
        Lattice vectors, as columns [Å].
    cells : ndarray of shape (K, 2)
        Unit cells, in units of the lattice vectors.
    origin : ndarray of shape (2,)
        Position of the molybdenum atom of cell (0, 0) [Å].

    Returns
    -------
    sites : ndarray of shape (2 K, 2)
        Positions, molybdenum first [Å].
    is_first : ndarray of shape (2 K,), bool
        True for molybdenum.
    """
    sites = np.concatenate([cells, cells + _SULFUR_SITE]) @ vectors.T + origin
    return sites, np.arange(len(sites)) < len(cells)


def single_crystal(
    size: float, lattice_A: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A crystal in a random orientation, strained a little so that it fits the periodic box.

    Parameters
    ----------
    size : float
        Edge of the square [Å].
    lattice_A : float
        Lattice constant before the strain [Å].
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    sites : ndarray of shape (S, 2)
        Positions in the square [Å].
    is_first : ndarray of shape (S,), bool
        True for molybdenum.
    """
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
    size: float, lattice_A: float, grains: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Grains in random orientations; where they meet, crowded sites are left out.

    Parameters
    ----------
    size : float
        Edge of the periodic square [Å].
    lattice_A : float
        Lattice constant [Å].
    grains : int
        Number of grains.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    sites : ndarray of shape (S, 2)
        Positions in the square, not yet relaxed [Å].
    is_first : ndarray of shape (S,), bool
        True for molybdenum.
    """
    centres = rng.uniform(0, size, (grains, 2))
    shifts = size * np.array([(x, y) for x in (0, -1, 1) for y in (0, -1, 1)])
    owners = cKDTree((shifts[:, None] + centres).reshape(-1, 2))
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
    apart = uncrowded(sites, is_first, size, _CROWDED_A)
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
    """Leave out sites that are too close to others; of two the first stays.

    Parameters
    ----------
    sites : ndarray of shape (S, 2)
        Positions in the periodic square [Å].
    is_first : ndarray of shape (S,), bool
        True for molybdenum.
    size : float
        Edge of the square [Å].
    min_A : tuple of 2 floats
        Least distance of sites of two elements, and of one element [Å].

    Returns
    -------
    ndarray of shape (S,), bool
        True for the sites that stay.
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
    pairs = cKDTree(sites % size, boxsize=size).query_pairs(reach, output_type="ndarray")
    apart = sites[pairs[:, 1]] - sites[pairs[:, 0]]
    apart -= size * np.round(apart / size)
    return pairs, apart, np.linalg.norm(apart, axis=1)


def held_sites(
    sites: np.ndarray, is_first: np.ndarray, size: float, lattice_A: float
) -> np.ndarray:
    """Leave out the sites with fewer than two bonds, again and again.

    Parameters
    ----------
    sites : ndarray of shape (S, 2)
        Positions in the periodic square [Å].
    is_first : ndarray of shape (S,), bool
        True for molybdenum.
    size : float
        Edge of the square [Å].
    lattice_A : float
        Lattice constant [Å].

    Returns
    -------
    ndarray of ints
        Indices of the sites that stay.
    """
    kept = np.arange(len(sites))
    while (loose := bond_counts(sites[kept], is_first[kept], size, lattice_A) < 2).any():
        kept = kept[~loose]
    return kept


def bond_counts(
    sites: np.ndarray, is_first: np.ndarray, size: float, lattice_A: float
) -> np.ndarray:
    """Number of neighbours of the other element, seen along the beam.

    Parameters
    ----------
    sites : ndarray of shape (S, 2)
        Positions in the periodic square [Å].
    is_first : ndarray of shape (S,), bool
        True for molybdenum.
    size : float
        Edge of the square [Å].
    lattice_A : float
        Lattice constant [Å].

    Returns
    -------
    ndarray of shape (S,), int
        The numbers.
    """
    pairs, _, _ = _pairs(sites, size, _BOND_REACH * lattice_A)
    bonds = pairs[is_first[pairs[:, 0]] != is_first[pairs[:, 1]]]
    return np.bincount(bonds.ravel(), minlength=len(sites))


def relax_springs(
    sites: np.ndarray, is_first: np.ndarray, size: float, lattice_A: float
) -> np.ndarray:
    """Pull neighbours and second neighbours to the distances of the perfect sheet.

    Parameters
    ----------
    sites : ndarray of shape (S, 2)
        Positions in the periodic square [Å].
    is_first : ndarray of shape (S,), bool
        True for molybdenum.
    size : float
        Edge of the square [Å].
    lattice_A : float
        Lattice constant [Å].

    Returns
    -------
    ndarray of shape (S, 2)
        The relaxed positions [Å].
    """
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

    found = minimize(energy, sites.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 40})
    return found.x.reshape(-1, 2)
