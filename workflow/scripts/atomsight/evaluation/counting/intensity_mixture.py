"""Counting by a mixture model of integrated intensities, as is usual in quantitative STEM.

The intensity above that of the vacuum is integrated around every column. Columns of one height
scatter about one mean, so the values of a particle's columns are a mixture of Gaussians of one
width; the number of its components is chosen by an information criterion, and the components are
heights in the order of their means.

The method is shown at its best. It is told where the columns are. Which images of the series are
summed, with which signs, within which radius, and the height of the lowest component are chosen
for every particle with the truth in hand. What remains is its premise, that intensity rises with
the height. In STEM it does; in HRTEM the electrons oscillate along the column, and so does the
intensity.

Notes
-----
Van Aert et al., *Phys. Rev. B* 87, 064107 (2013).
"""

import warnings
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

#: Radii within which intensity is integrated, as shares of half the distance of two neighbours.
RADIUS_SHARES = (0.5, 0.75, 1.0)


def cross_sections(images: np.ndarray, positions: np.ndarray, pixel_size_A: float) -> np.ndarray:
    """Integrate the intensity above that of the vacuum around every column.

    Images have shape (F, H, W), 1 being the incident beam; the C positions [Å] are farther from the
    rim than from a neighbour. Integrals over discs [Å²], shape (C, F, R); their radii are the
    shares of :data:`RADIUS_SHARES` of half the median distance of nearest neighbours.
    """
    distances = cKDTree(positions).query(positions, k=2)[0][:, 1]
    radii = np.array(RADIUS_SHARES) * np.median(distances) / 2 / pixel_size_A
    reach = int(np.ceil(radii.max())) + 1
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    place = positions / pixel_size_A
    nearest = np.round(place).astype(int)
    x, y = (nearest[:, axis, None, None] + offset for axis, offset in ((0, dx), (1, dy)))
    away = np.hypot(x - place[:, 0, None, None], y - place[:, 1, None, None])
    # A pixel at the rim of a disc counts in part.
    weights = np.clip(radii - away[..., None] + 0.5, 0, 1)
    return pixel_size_A**2 * np.einsum("fcyx,cyxr->cfr", images[:, y, x] - 1, weights)


def count_heights(
    sections: np.ndarray, heights: np.ndarray, largest: int
) -> dict[str, pd.DataFrame]:
    """Count the atoms of the columns of one particle.

    The true heights are for the choices that are made with the truth in hand; ``largest`` stands
    for greater heights too. For every one of :data:`CRITERIA`: ``height`` (as counted) and
    ``p_height`` (its probability in the mixture).
    """
    values = best_sum(sections, heights)
    scaled = ((values - values.mean()) / (values.std() or 1))[:, None]
    fits = [_fit(scaled, count) for count in range(1, min(largest, len(values)) + 1)]
    return {
        name: _name_components(min(fits, key=partial(criterion, scaled)), scaled, heights, largest)
        for name, criterion in CRITERIA.items()
    }


def best_sum(sections: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Sum those images, and take that radius, with which the sum follows the heights best.

    From integrals of shape (C, F, R), sums of shape (C,) of the highest rank correlation.
    """
    signs = np.array(list(product((-1, 0, 1), repeat=sections.shape[1])))
    sums = np.einsum("sf,cfr->src", signs[signs.any(axis=1)], sections).reshape(-1, len(sections))
    ranks = np.stack([rankdata(one) for one in sums])
    return sums[_correlation(ranks, rankdata(heights)).argmax()]


def _correlation(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Pearson's correlation of every row with values; 0 if these do not vary."""
    rows, values = rows - rows.mean(axis=1, keepdims=True), values - values.mean()
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(values)
    return rows @ values / np.where(lengths > 0, lengths, 1)


def _fit(values: np.ndarray, components: int) -> GaussianMixture:
    starts = np.quantile(values, (np.arange(components) + 0.5) / components)[:, None]
    mixture = GaussianMixture(
        components, covariance_type="tied", means_init=starts, max_iter=300, random_state=0
    )
    with warnings.catch_warnings():
        # As many components as values differ: the criterion will not choose it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(values)


def _name_components(
    mixture: GaussianMixture, values: np.ndarray, heights: np.ndarray, largest: int
) -> pd.DataFrame:
    """Take the components for heights, one after the other, from the lowest height that is best."""
    p = mixture.predict_proba(values)[:, np.argsort(mixture.means_[:, 0])]
    lowest = np.arange(1, largest + 1)[:, None]
    counted = np.minimum(lowest + p.argmax(axis=1), largest)
    right = (counted == np.minimum(heights, largest)).sum(axis=1)
    return pd.DataFrame({"height": counted[right.argmax()], "p_height": p.max(axis=1)})


def bayesian_criterion(values: np.ndarray, mixture: GaussianMixture) -> float:
    """Bayesian information criterion (BIC) of a mixture; the lower the better."""
    return mixture.bic(values)


def completed_criterion(values: np.ndarray, mixture: GaussianMixture) -> float:
    """Integrated completed likelihood criterion (ICL) of a mixture; the lower the better.

    BIC + 2 · entropy of the assignment. Biernacki, Celeux and Govaert, *IEEE Trans. Pattern Anal.
    Mach. Intell.* 22, 719 (2000).
    """
    p = mixture.predict_proba(values)
    return mixture.bic(values) - 2 * float((p * np.log(np.maximum(p, 1e-300))).sum())


#: How the number of components may be chosen.
CRITERIA = {"bic": bayesian_criterion, "icl": completed_criterion}
