"""Local strain by structural template matching.

The neighbours of an atom in a perfect lattice, the template, are fitted to the neighbours that
were found around every atom. The affine map that fits best tells how the lattice is stretched and
rotated there (P. M. Larsen, S. Schmidt, J. Schiøtz, *Modelling Simul. Mater. Sci. Eng.* 24, 055007
(2016); in two dimensions J. Madsen et al., *Adv. Theory Simul.* 1, 1800037 (2018)). An atom whose
neighbourhood is not that of the template (at a hole, at the border of the image, in a ring of
another size) has no strain: NaN, never a wrong number.

Components of tensors refer to the axes of the image, x along the columns and y along the rows, and
angles run from x towards y; see :mod:`atomsight.geometry`.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csr_array, eye_array

from atomsight.analysis.bonds import Rings

#: Atoms that are fitted at once, so that what is between stays in the cache.
_PIECE = 1024


@dataclass(frozen=True)
class Template:
    """The neighbourhood of an atom or column in a perfect lattice, at zero strain and rotation.

    Sites that a rotation turns into one another need one template: all rotations are tried. So the
    two sublattices of a honeycomb, which differ by 180°, share one.
    """

    name: str
    #: (K, 2), positions (x, y) of the neighbours seen from the atom [Å], shell after shell.
    positions: np.ndarray
    #: Neighbours in every shell: first the atoms that are bonded to this one, then the further
    #: atoms that are bonded to those, and so on.
    shells: tuple[int, ...]
    reach: float  # longest bond, in units of the usual one
    ring_size: int  # of the rings that the bonds close
    symmetry_rad: float  # the lattice looks the same after a rotation by this angle


def honeycomb(bond_A: float) -> Template:
    """Make the template of a honeycomb: three neighbours and six second ones, zigzag rows along x.

    Bonds reach to the geometric mean of the distances to first and second neighbours, which leaves
    the same room for strain on either side.
    """
    first = np.pi / 2 + 2 * np.pi / 3 * np.arange(3)
    second = np.pi / 3 * np.arange(6)
    azimuths = np.concatenate([first, second])
    distances_A = bond_A * np.repeat([1, np.sqrt(3)], [3, 6])
    return Template(
        name="honeycomb",
        positions=distances_A[:, None] * np.stack([np.cos(azimuths), np.sin(azimuths)], axis=1),
        shells=(3, 6),
        reach=3**0.25,
        ring_size=6,
        symmetry_rad=np.pi / 3,
    )


#: The templates by name, each a function of the bond length [Å].
TEMPLATES = {"honeycomb": honeycomb}


@dataclass(frozen=True)
class LocalMaps:
    """How the template fits at every atom; NaN where it does not."""

    #: (N, 2, 2), matrices that turn vectors of the template into vectors of the image, up to a
    #: rotation of the template that is a symmetry of the lattice.
    maps: np.ndarray
    #: Root mean square distance between the mapped template and the atoms, in units of the atom's
    #: mean bond length.
    rmsd: np.ndarray

    @property
    def matched(self) -> np.ndarray:
        return np.isfinite(self.rmsd)


def fit_template(
    positions: np.ndarray, bonds: np.ndarray, rings: Rings, template: Template, max_rmsd: float
) -> LocalMaps:
    """Fit the template to the neighbourhood of every atom by least squares.

    An atom matches if it has the template's number of neighbours in every shell, lies between rings
    of the template's size only, and its root mean square distance from the template is at most
    ``max_rmsd`` mean bond lengths. Positions (N, 2) in Å, bonds and rings as from
    :mod:`atomsight.analysis.bonds`.
    """
    maps = np.full((len(positions), 2, 2), np.nan)
    rmsd = np.full(len(positions), np.nan)
    atoms, neighbours = _complete_neighbourhoods(positions, bonds, rings, template)
    for first in range(0, len(atoms), _PIECE):
        some, around = atoms[first : first + _PIECE], neighbours[first : first + _PIECE]
        offsets = positions[around] - positions[some, None]
        fitted, deviations_A = _affine_maps(offsets, template)
        bond_A = np.linalg.norm(offsets[:, : template.shells[0]], axis=2).mean(axis=1)
        matches = (deviations_A <= max_rmsd * bond_A) & (np.linalg.det(fitted) > 0)
        maps[some[matches]] = fitted[matches]
        rmsd[some[matches]] = (deviations_A / bond_A)[matches]
    return LocalMaps(maps, rmsd)


def _complete_neighbourhoods(
    positions: np.ndarray, bonds: np.ndarray, rings: Rings, template: Template
) -> tuple[np.ndarray, np.ndarray]:
    """The M atoms bonded as in the template, and their (M, K) neighbours by azimuth."""
    shells = _shells(len(positions), bonds, len(template.shells))
    in_ring = rings.corner_atoms[rings.sizes[rings.corner_rings] == template.ring_size]
    complete = np.bincount(in_ring, minlength=len(positions)) == template.shells[0]
    for shell, count in zip(shells, template.shells, strict=True):
        complete &= np.diff(shell.indptr) == count
    atoms = np.flatnonzero(complete)
    sorted_shells = []
    for shell, count in zip(shells, template.shells, strict=True):
        neighbours = shell[atoms].indices.reshape(-1, count)
        order = _azimuth_order(positions[neighbours] - positions[atoms, None])
        sorted_shells.append(np.take_along_axis(neighbours, order, axis=1))
    return atoms, np.concatenate(sorted_shells, axis=1)


def _shells(count: int, bonds: np.ndarray, depth: int) -> list[csr_array]:
    """Shell by shell, the matrix whose rows name the atoms so many bonds away."""
    first, second = bonds.T
    ones = np.ones(len(bonds), dtype=np.int32)
    one_way = coo_array((ones, (first, second)), shape=(count, count)).tocsr()
    bonded = one_way + one_way.T
    reached = eye_array(count, dtype=np.int32, format="csr")
    shells = [bonded]
    for _ in range(depth - 1):
        reached = reached + shells[-1]
        beyond = (bonded @ shells[-1]).sign()
        beyond = beyond - beyond.multiply(reached)
        beyond.eliminate_zeros()
        shells.append(beyond)
    return shells


def _azimuth_order(offsets: np.ndarray) -> np.ndarray:
    return np.argsort(np.arctan2(offsets[..., 1], offsets[..., 0]), axis=-1)


def _affine_maps(offsets: np.ndarray, template: Template) -> tuple[np.ndarray, np.ndarray]:
    """Fit the template to neighbourhoods of shape (M, K, 2): maps and rms deviations [Å].

    The atom itself is a point like its neighbours and the translation is free. Neighbours are
    assigned as a rigid rotation fits best: affine maps cannot tell, since they turn the neighbours
    of fcc ⟨110⟩ into themselves under any shift.
    """
    points = _centred(offsets)
    candidates = _centred(_assignments(template))
    overlaps = np.tensordot(points, candidates, axes=(1, 1)).swapaxes(1, 2)
    best = _rigid_overlap(overlaps).argmax(axis=1)
    chosen = candidates[best]
    moment = candidates[0].T @ candidates[0]
    maps = overlaps[np.arange(len(points)), best] @ np.linalg.inv(moment)
    deviations = points - chosen @ maps.swapaxes(1, 2)
    return maps, np.sqrt((deviations**2).sum(axis=2).mean(axis=1))


def _rigid_overlap(overlaps: np.ndarray) -> np.ndarray:
    """The maximum over rotations R of tr(Rᵀ H), which leaves the least Σ |x − R t|²."""
    return np.hypot(
        overlaps[..., 0, 0] + overlaps[..., 1, 1], overlaps[..., 1, 0] - overlaps[..., 0, 1]
    )


def _centred(neighbours: np.ndarray) -> np.ndarray:
    """Add the atom itself, at the origin, and move the centroid there."""
    points = np.pad(neighbours, ((0, 0), (1, 0), (0, 0)))
    return points - points.mean(axis=1, keepdims=True)


def _assignments(template: Template) -> np.ndarray:
    """The template's positions under all cyclic shifts of its shells, shape (C, K, 2)."""
    turned_shells = []
    for shell in np.split(template.positions, np.cumsum(template.shells)[:-1]):
        shell = shell[_azimuth_order(shell)]
        turned_shells.append([np.roll(shell, shift, axis=0) for shift in range(len(shell))])
    return np.stack([np.concatenate(shells) for shells in itertools.product(*turned_shells)])


def polar_decomposition(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split maps A (N, 2, 2) of positive determinant into a rotation and then a stretch, A = P·U.

    Gives the symmetric, positive definite P in the frame of the image, and the angle of U from x
    towards y [rad]. In two dimensions tan(angle) = (A_yx − A_xy) / (A_xx + A_yy), from the demand
    that P = A·Uᵀ is symmetric.
    """
    angles = np.arctan2(maps[:, 1, 0] - maps[:, 0, 1], maps[:, 0, 0] + maps[:, 1, 1])
    cosine, sine = np.cos(angles), np.sin(angles)
    back = np.stack([cosine, sine, -sine, cosine], axis=1).reshape(-1, 2, 2)
    return maps @ back, angles


def mean_scale(maps: np.ndarray) -> float:
    """Size of the lattice of a series relative to the template: mean of half the trace of P.

    A tenth of the atoms are left out at either end; NaN where nothing matches. 1.02 says that the
    lattice is 2 % larger than the template, or that the pixel size is recorded 2 % too large.
    """
    stretches, _ = polar_decomposition(maps[np.isfinite(maps).all(axis=(1, 2))])
    if len(stretches) == 0:
        return math.nan
    scales, cut = np.trace(stretches, axis1=1, axis2=2) / 2, len(stretches) // 10
    # As scipy.stats.trim_mean, which takes a third of a second to load.
    kept = slice(cut, len(scales) - cut)
    return float(np.partition(scales, (kept.start, kept.stop - 1))[kept].mean())


def typical_orientation(maps: np.ndarray, symmetry_rad: float) -> float:
    """Median rotation of the lattice of a series, modulo its symmetry: ± half of it at most [rad].

    The median is taken about the circular mean; NaN where nothing matches.
    """
    _, angles = polar_decomposition(maps[np.isfinite(maps).all(axis=(1, 2))])
    if len(angles) == 0:
        return math.nan
    turns = 2 * np.pi / symmetry_rad
    middle = np.angle(np.exp(1j * turns * angles).mean()) / turns
    median = middle + np.median(_within_symmetry(angles - middle, symmetry_rad))
    return float(_within_symmetry(median, symmetry_rad))


def _within_symmetry(angles: np.ndarray, symmetry_rad: float) -> np.ndarray:
    return angles - symmetry_rad * np.round(angles / symmetry_rad)


@dataclass(frozen=True)
class Reference:
    """The unstrained, unrotated lattice.

    ``scale`` is its size relative to the template.
    """

    scale: float
    orientation_rad: float


def series_reference(maps: np.ndarray, template: Template) -> Reference:
    """Take the lattice as it is on average in the series: the mean planar strain is zero.

    The right choice where the pixel size is not known better than the strain to be measured.
    """
    return Reference(mean_scale(maps), typical_orientation(maps, template.symmetry_rad))


def template_reference(maps: np.ndarray, template: Template) -> Reference:
    """Take the template itself: strain as the recorded pixel size gives it."""
    return Reference(scale=1.0, orientation_rad=0.0)


#: What strain and rotation are measured from, by the name in the configuration.
REFERENCES = {"relative": series_reference, "absolute": template_reference}


def strain_table(local: LocalMaps, reference: Reference, symmetry_rad: float) -> pd.DataFrame:
    """Strain and rotation of the lattice at every atom; NaN where the atom does not match.

    The strain e_xx, e_yy, e_xy is ε = P / scale − I from the left polar decomposition A = P·U,
    planar is (e_xx + e_yy) / 2. The rotation is the angle of U from the reference's orientation,
    brought between minus and plus half of the symmetry; it jumps only where the lattice turns by
    more.
    """
    stretches, angles = polar_decomposition(local.maps)
    strain = stretches / reference.scale - np.eye(2)
    e_xx, e_yy = strain[:, 0, 0], strain[:, 1, 1]
    return pd.DataFrame(
        {
            "e_xx": e_xx,
            "e_yy": e_yy,
            "e_xy": (strain[:, 0, 1] + strain[:, 1, 0]) / 2,
            "rotation_rad": _within_symmetry(angles - reference.orientation_rad, symmetry_rad),
            "planar": (e_xx + e_yy) / 2,
            "rmsd": local.rmsd,
        }
    )
