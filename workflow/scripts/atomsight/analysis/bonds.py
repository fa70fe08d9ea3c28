"""Bonds between atoms, and the rings they close, in one image.

The bonds of a sheet seen along its normal make a planar graph. Its faces are the rings: hexagons in
graphene, pentagons and heptagons at defects and grain boundaries.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

#: Bonds of the orientational correlation are up to this long [bond lengths].
_REACH = 1.25


@dataclass(frozen=True)
class Rings:
    """The rings of one image, and the atoms at their corners."""

    sizes: np.ndarray  # atoms in every ring
    centres: np.ndarray  # (R, 2), mean position (x, y) of its atoms [Å]
    corner_rings: np.ndarray  # indexes of a ring ...
    corner_atoms: np.ndarray  # ... and of an atom in it, one pair per corner


def typical_bond_length(positions: np.ndarray, coordination: int) -> float:
    """Median distance of atoms to their nearest neighbours [Å], robust to holes and borders.

    ``coordination`` is the number of bonds of an atom in the perfect lattice, here and below; there
    must be more atoms.
    """
    distances, _ = KDTree(positions).query(positions, k=coordination + 1)
    return float(np.median(distances[:, 1:]))


def find_bonds(positions: np.ndarray, coordination: int, reach: float) -> np.ndarray:
    """Find the pairs of atoms (N, 2) that are nearest neighbours: indexes (B, 2), sorted.

    ``reach`` is the longest bond, in units of :func:`typical_bond_length`. There are no bonds where
    there are too few atoms for a single complete neighbourhood.
    """
    if len(positions) <= coordination:
        return np.empty((0, 2), dtype=np.intp)
    longest_A = reach * typical_bond_length(positions, coordination)
    pairs = KDTree(positions).query_pairs(longest_A, output_type="ndarray")
    pairs = np.sort(pairs, axis=1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def bond_lengths(positions: np.ndarray, bonds: np.ndarray) -> np.ndarray:
    return np.linalg.norm(positions[bonds[:, 1]] - positions[bonds[:, 0]], axis=1)


def orientational_correlation(
    positions: np.ndarray,
    distances_A: Sequence[float],
    bond_A: float,
    box_A: float | None = None,
    half_width_A: float = 0.5,
) -> np.ndarray:
    """Correlation g6(r) = Re⟨ψ6*(0) ψ6(r)⟩ of the directions of bonds at some distances r.

    ψ6 of an atom is the mean of exp(6iθ) over its bonds of azimuth θ (D. R. Nelson and B. I.
    Halperin, Phys. Rev. B 19, 2457 (1979)). The average is over all pairs of atoms (N, 2) whose
    distance is within the half-width of r, across the borders of a square box that is periodic, if
    one is given. A perfect lattice has 1 at all distances; a disordered sheet falls to 0.
    """
    bonds, arms = _pairs(positions, _REACH * bond_A, box_A)
    sixfold = (arms / np.abs(arms)) ** 6
    sums = np.zeros(len(positions), complex)
    for ends in bonds.T:
        np.add.at(sums, ends, sixfold)
    psi6 = sums / np.maximum(np.bincount(bonds.ravel(), minlength=len(positions)), 1)

    pairs, apart = _pairs(positions, max(distances_A) + half_width_A, box_A)
    products = (psi6[pairs[:, 0]].conj() * psi6[pairs[:, 1]]).real
    near = np.abs(np.abs(apart) - np.reshape(distances_A, (-1, 1))) <= half_width_A
    return near @ products / near.sum(axis=1)


def _pairs(
    positions: np.ndarray, reach_A: float, box_A: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of atoms within reach, and the vectors x + iy between them."""
    tree = KDTree(positions if box_A is None else positions % box_A, boxsize=box_A)
    pairs = tree.query_pairs(reach_A, output_type="ndarray")
    apart = positions[pairs[:, 1]] - positions[pairs[:, 0]]
    if box_A is not None:
        apart -= box_A * np.round(apart / box_A)
    return pairs, apart @ (1, 1j)


def find_rings(positions: np.ndarray, bonds: np.ndarray, largest: int = 12) -> Rings:
    """Find the rings that the bonds (B, 2) of atoms (N, 2) close; what is larger is a hole.

    Every bond counts as two half-edges of opposite direction. A walk that turns at every atom into
    the next bond clockwise goes round one face of the planar graph (de Berg et al.,
    *Computational Geometry*, 3rd ed., section 2.2). The face outside the sheet is walked round the
    other way, so that its area is negative, and is no ring. Bonds that lead into a face and end
    there do not count for its size.
    """
    if len(bonds) == 0:
        return Rings(
            np.empty(0, np.intp), np.empty((0, 2)), np.empty(0, np.intp), np.empty(0, np.intp)
        )
    start, end, twin = _half_edges(positions, bonds)
    face = _faces(start, twin)
    (x1, y1), (x2, y2) = positions[start].T, positions[end].T
    areas_A2 = np.bincount(face, x1 * y2 - x2 * y1) / 2

    on_boundary = face != face[twin]
    sizes = np.bincount(face[on_boundary], minlength=len(areas_A2))
    is_ring = (areas_A2 > 0) & (sizes <= largest)

    is_corner = on_boundary & is_ring[face]
    ring_of_face = np.cumsum(is_ring) - 1
    corner_rings, corner_atoms = ring_of_face[face[is_corner]], start[is_corner]
    sums = [np.bincount(corner_rings, axis, is_ring.sum()) for axis in positions[corner_atoms].T]
    centres = np.stack(sums, axis=1) / sizes[is_ring, None]
    return Rings(sizes[is_ring], centres, corner_rings, corner_atoms)


def _half_edges(
    positions: np.ndarray, bonds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start, end and opposite of every half-edge, sorted by start and then by azimuth."""
    start = np.concatenate([bonds[:, 0], bonds[:, 1]])
    end = np.concatenate([bonds[:, 1], bonds[:, 0]])
    dx, dy = (positions[end] - positions[start]).T
    # One key is sorted faster than two: the azimuth adds less than half the step between atoms.
    order = np.argsort(start + np.arctan2(dy, dx) / 7)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    twin = place[(order + len(bonds)) % len(order)]
    return start[order], end[order], twin


def _faces(start: np.ndarray, twin: np.ndarray) -> np.ndarray:
    """Number the faces on the left of the half-edges."""
    here = np.arange(len(start))
    first = np.searchsorted(start, start, "left")
    last = np.searchsorted(start, start, "right") - 1
    clockwise = np.where(here == first, last, here - 1)
    following = clockwise[twin]
    walks = coo_array((np.ones(len(here)), (here, following)), shape=(len(here), len(here)))
    return connected_components(walks, directed=False)[1]
