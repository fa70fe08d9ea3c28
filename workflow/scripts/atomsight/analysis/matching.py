"""Pairs of atoms: those found and the true ones, or the sites of two series."""

import numpy as np
from scipy.sparse import csr_array, hstack
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree


def match_atoms(
    found: np.ndarray, true: np.ndarray, radius_A: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pair found (F, 2) and true (T, 2) atoms one to one: as many as possible, as near as possible.

    The indexes of both are in the order of ``found``. This is an assignment problem. Every found
    atom may also stay unpaired, at a cost above that of any rearrangement, so a full matching
    always exists and unpaired atoms are the last resort.
    """
    if len(found) == 0 or len(true) == 0:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    near = cKDTree(found).sparse_distance_matrix(cKDTree(true), radius_A, output_type="ndarray")
    # Zero would read as "no pair" in a sparse matrix; the same addition to every pair is harmless.
    costs = (near["v"] / radius_A) ** 2 + 1
    pairs = csr_array((costs, (near["i"], near["j"])), shape=(len(found), len(true)))
    unpaired = csr_array(
        (np.full(len(found), 1e6), (np.arange(len(found)),) * 2), shape=(len(found),) * 2
    )
    rows, places = min_weight_full_bipartite_matching(hstack([pairs, unpaired], format="csr"))
    paired = places < len(true)
    return rows[paired].astype(np.intp), places[paired].astype(np.intp)
