"""Pairs of atoms: those found and the true ones, or the sites of two series."""

import numpy as np
from scipy.sparse import csr_array, hstack
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree


def match_atoms(
    found: np.ndarray, true: np.ndarray, radius_A: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pair found and true atoms one to one: as many as possible, as near as possible.

    Parameters
    ----------
    found : ndarray of shape (F, 2)
        Positions found ``(x, y)`` [Å].
    true : ndarray of shape (T, 2)
        True positions [Å].
    radius_A : float
        Largest distance of a pair [Å].

    Returns
    -------
    found_index, true_index : ndarray of shape (M,)
        The two atoms of every pair, in the order of `found`.

    Notes
    -----
    An assignment problem. Every found atom may also go to a place of its own, at a price above that
    of any rearrangement, so a full matching always exists and the dear places are used last.
    """
    if len(found) == 0 or len(true) == 0:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    near = cKDTree(found).sparse_distance_matrix(cKDTree(true), radius_A, output_type="ndarray")
    # Zero would read as "no pair" in a sparse matrix; the same addition to every pair is harmless.
    prices = (near["v"] / radius_A) ** 2 + 1
    pairs = csr_array((prices, (near["i"], near["j"])), shape=(len(found), len(true)))
    alone = csr_array(
        (np.full(len(found), 1e6), (np.arange(len(found)),) * 2), shape=(len(found),) * 2
    )
    rows, places = min_weight_full_bipartite_matching(hstack([pairs, alone], format="csr"))
    paired = places < len(true)
    return rows[paired].astype(np.intp), places[paired].astype(np.intp)
