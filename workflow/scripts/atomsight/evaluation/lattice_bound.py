"""The Cramér–Rao bound of bond lengths and of strain in graphene.

Both follow from the bound of all positions, :mod:`atomsight.evaluation.position_bound`, with the
correlations between neighbours: to first order a bond length and the planar strain at an atom are
sums of displacements, and the variance of a sum follows from the covariance.
"""

import numpy as np

from atomsight.config.phantoms import AcquisitionSettings
from atomsight.evaluation import position_bound
from atomsight.evaluation.position_bound import BoundSettings
from atomsight.files.records import Structure
from atomsight.phantoms.specimens import BOND_A

#: Second neighbours are nearer than this, third ones are not [bond lengths].
_SECOND_SHELL = 1.87
#: First neighbours are nearer than this [bond lengths].
_FIRST_SHELL = 1.3


def lattice_bound(
    optics: AcquisitionSettings, doses_e_per_A2: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Smallest standard deviations of bond lengths [Å] and of planar strain, at D doses.

    The strain is that of an atom and its nine neighbours. Of the microscope, dose, camera, rows and
    columns have no influence.
    """
    patch = BoundSettings()
    sheet = position_bound.periodic_sheet(patch)
    covariance = position_bound.position_covariance(sheet, optics, patch.step_A)
    bond_A2, planar2 = lattice_variances(sheet, covariance, patch.margin_A)
    doses = np.asarray(doses_e_per_A2, float)
    return np.sqrt(bond_A2 / doses), np.sqrt(planar2 / doses)


def lattice_variances(
    sheet: Structure, covariance_A2: np.ndarray, margin_A: float
) -> tuple[float, float]:
    """Mean variances of bond length [Å²] and planar strain that follow from those of the positions.

    The covariance is of ``x`` and ``y`` of the first atom of a flat periodic sheet, of the second
    and so on [Å²]. Atoms within the margin of the edge of the box are not averaged over.
    """
    sites, cell_A = sheet.sites, sheet.cell_A[:2]
    offsets = sites[None] - sites[:, None]
    offsets -= cell_A * np.round(offsets / cell_A)
    distances = np.linalg.norm(offsets, axis=2) / BOND_A
    inner = position_bound.inner_atoms(sheet, margin_A)

    first, second = np.nonzero((distances > 0) & (distances < _FIRST_SHELL) & inner[:, None])
    directions = offsets[first, second] / np.linalg.norm(offsets[first, second], axis=1)[:, None]
    rows = np.arange(len(first))
    bonds = np.zeros((len(first), len(sites), 2))
    bonds[rows, second], bonds[rows, first] = directions, -directions

    near = (distances < _SECOND_SHELL)[inner][..., None]
    points = near * offsets[inner]
    points = near * (points - points.sum(axis=1, keepdims=True) / near.sum(axis=1, keepdims=True))
    moments = np.einsum("nki,nkj->nij", points, points)
    # Half the trace of the least-squares affine map, see atomsight.analysis.strain.
    planar = np.einsum("nij,nkj->nki", np.linalg.inv(moments), points) / 2
    return _mean_variance(bonds, covariance_A2), _mean_variance(planar, covariance_A2)


def _mean_variance(weights: np.ndarray, covariance_A2: np.ndarray) -> float:
    """Mean variance of sums of displacements, weights of shape (S, N, 2)."""
    weights = weights.reshape(len(weights), -1)
    # Where a variance is infinite but does not count, infinity must not meet zero.
    counts = (weights != 0).any(axis=0)
    inner = covariance_A2[np.ix_(counts, counts)]
    return float(np.einsum("si,ij,sj->s", weights[:, counts], inner, weights[:, counts]).mean())
