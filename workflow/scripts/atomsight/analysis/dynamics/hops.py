"""How often the sites of a surface change between occupied and empty.

A column at the surface is missed now and then, and noise is now and then taken for one: detection
errors look like hops. So every site is described by a hidden Markov model. Its true occupancy is a
chain of two states,

    a = P(empty → occupied) and b = P(occupied → empty) from one frame to the next,

and what is seen of it errs: an occupied site is missed with the rate m, an empty one is seen with
the rate f. Faint columns are missed more often than others, therefore m and f differ from site to
site; they follow Beta distributions that are measured on simulated series, and are integrated out.

The *hop rate* is the probability that the true occupancy differs between two successive frames,
h = 2ab / (a + b) in the stationary chain. The other parameter is the share of the time in which the
site is occupied, π = a / (a + b). Sites that never change have h = 0.

A column that errs far more often than most looks like one that hops fast: only memory tells them
apart. Errors are independent from frame to frame, but what hopped stays for a while. So where
independent frames with a rate of the site's own explain the data as well, the site is called
*faint* and has no hop rate.

The likelihood is exact (the forward algorithm) on a grid of h, π, m and f that all sites share. It
is integrated over π under the arcsine prior; what is left is a function of h alone. The estimate is
where it is largest, and the interval is where its ratio to the largest value is not significant by
Wilks' theorem. Integrating keeps the coverage of the interval up where maximising over π does not:
short chains in which hardly anything happens (J. O. Berger, B. Liseo, R. L. Wolpert, *Statist.
Sci.* 14, 1 (1999)).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logsumexp, xlogy
from scipy.stats import chi2

from atomsight.analysis.dynamics.detection_errors import DetectionErrors
from atomsight.analysis.dynamics.hop_likelihood import (
    Grid,
    Surface,
    chain_of,
    emissions,
    likelihood_surface,
    make_grid,
    occupied_share,
)
from atomsight.analysis.dynamics.occupancy import EMPTY, SEEN, UNKNOWN
from atomsight.config.analysis import HopSettings

#: Share of the sites without memory, static and with any error rate, that escape being faint.
_FAINT_LEVEL = 0.05

#: Numbers that are kept of a piece of the sites, so that memory does not grow with their number.
_SITES_PIECE = 2**20


@dataclass(frozen=True)
class HopFit:
    """What the hidden Markov model says of every site; NaN if in view in fewer than two frames.

    The table has ``hop_rate, hop_rate_low, hop_rate_high`` [per frame], estimate and interval;
    ``p_appear, p_vanish``, a and b of the chain at the estimate (where the hop rate is zero, that
    of the state the site is in is zero and the other is not known: NaN); ``p_static``, the p-value
    of "the site never changes"; and ``faint``: where it is true, an error rate of the site's own
    explains the changes as well as hops do. ``p_occupied`` (S, F) is the probability that the site
    is truly occupied, given all frames. A faint site has ``p_static`` only; the rest is NaN.
    """

    table: pd.DataFrame
    p_occupied: np.ndarray


def fit_hops(occupied: np.ndarray, errors: DetectionErrors, settings: HopSettings) -> HopFit:
    """Estimate how often every site changes.

    ``occupied`` (S, F) is 1 where a site was seen, 0 where it was not, -1 where that is not known.
    The hidden chain runs on through frames that are not known.

    Without a hop the likelihood of a short chain is flat near zero, and its maximum is above zero
    for every other static site. So the estimate is zero where the site that never changes explains
    the data at least as well as the hopping ones do on average, and the interval reaches zero.

    A site of which the estimate is above zero is faint unless the likeliest chain with memory
    (a + b ≤ 1) is significantly likelier than a constant probability of being seen in a frame. That
    probability is a chain with a + b = 1, so the ratio follows χ² with one degree of freedom, and
    half of it lies on the side of memory.

    The p-value compares the largest likelihood over all chains with the better of "always occupied"
    and "always empty". Both lie at the border of the parameters, where Wilks' theorem does not
    apply. χ² with two degrees of freedom, one for every parameter, kept its level in simulations of
    20 to 200 frames and of error rates that differ much or little between the sites. The worst case
    was 0.065 in place of 0.05: 200 frames and a miss rate of 0.1 on average, Beta(1, 9).
    """
    occupied = np.asarray(occupied, np.int8)
    sequences, site = np.unique(occupied, axis=0, return_inverse=True)
    grid = make_grid(errors, settings.max_hop_rate, occupied.shape[1])
    table, smoothed = _estimate_in_pieces(sequences, errors, grid, settings.confidence)
    unseen = (sequences != UNKNOWN).sum(axis=1) < 2
    table.loc[unseen, table.columns.drop("faint")] = np.nan
    table.loc[unseen, "faint"] = False
    smoothed[unseen] = np.nan
    site = site.ravel()
    return HopFit(table.iloc[site].reset_index(drop=True), smoothed[site])


def _estimate_in_pieces(
    occupied: np.ndarray, errors: DetectionErrors, grid: Grid, confidence: float
) -> tuple[pd.DataFrame, np.ndarray]:
    """Table and smoothed occupancy; what they come from is kept for a few sites at a time.

    That is the surface, the likelihood at one hop rate and the smoothing.
    """
    points = len(grid.shares) * len(grid.roots) * (3 + len(grid.miss))
    step = max(1, _SITES_PIECE // (points + 2 * occupied.shape[1]))
    found, smoothed = [], np.empty(occupied.shape, np.float32)
    # One piece at least, so that a table without sites has its columns.
    for first in range(0, max(1, len(occupied)), step):
        piece = occupied[first : first + step]
        surface = likelihood_surface(piece, errors, grid)
        table, smoothed[first : first + step] = _estimate(piece, surface, grid, confidence)
        found.append(table)
    return pd.concat(found, ignore_index=True), smoothed


def _estimate(
    occupied: np.ndarray, surface: Surface, grid: Grid, confidence: float
) -> tuple[pd.DataFrame, np.ndarray]:
    """Table and smoothed occupancy of the sites."""
    of_hop_rate = logsumexp(surface.log_likelihood, axis=2) - np.log(len(grid.shares))
    peak, height = _peak(of_hop_rate)
    low, high = _interval(of_hop_rate, height - chi2.ppf(confidence, 1) / 2, grid.roots)
    evidence = logsumexp(of_hop_rate[:, 1:], axis=1) - np.log(len(grid.roots) - 1)
    static = (evidence <= of_hop_rate[:, 0]) & (low == 0)
    hop_rate = np.where(static, 0, np.interp(peak, np.arange(len(grid.roots)), grid.roots)) ** 2

    full = surface.always_occupied > surface.always_empty
    p_full = expit(surface.always_occupied - surface.always_empty)
    p_appear, p_vanish = np.where(full, np.nan, 0.0), np.where(full, 0.0, np.nan)
    smoothed = np.repeat(p_full[:, None], occupied.shape[1], axis=1)
    hops = np.flatnonzero(hop_rate > 0)
    row = np.maximum(np.rint(peak[hops]).astype(int), 1)
    weights = np.exp(surface.log_likelihood[hops, row] - of_hop_rate[hops, row, None])
    weights /= weights.sum(axis=1, keepdims=True)
    share = occupied_share(hop_rate[hops], weights @ grid.shares)
    p_appear[hops], p_vanish[hops] = chain_of(hop_rate[hops], share)
    smoothed[hops] = smooth_occupancy(
        occupied[hops],
        p_appear[hops],
        p_vanish[hops],
        (weights * surface.miss[hops, row]).sum(axis=1),
        (weights * surface.false[hops, row]).sum(axis=1),
    )
    table = pd.DataFrame(
        {
            "hop_rate": hop_rate,
            "hop_rate_low": low,
            "hop_rate_high": high,
            "p_appear": p_appear,
            "p_vanish": p_vanish,
            "p_static": _p_static(surface),
            "faint": (hop_rate > 0) & ~_has_memory(occupied, surface, grid),
        }
    )
    faint = table["faint"].to_numpy()
    table.loc[faint, table.columns.drop(["p_static", "faint"])] = np.nan
    smoothed[faint] = np.nan
    return table, smoothed


def _peak(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place, in points, and height of the largest of values (S, H), by a parabola inside."""
    top = values.argmax(axis=1)
    middle = np.clip(top, 1, values.shape[1] - 2)
    left, centre, right = (
        np.take_along_axis(values, (middle + shift)[:, None], axis=1)[:, 0] for shift in (-1, 0, 1)
    )
    curvature = np.minimum(left - 2 * centre + right, -1e-12)
    shift = np.where(top == middle, np.clip((left - right) / (2 * curvature), -0.5, 0.5), 0)
    return top + shift, values.max(axis=1) - shift * (left - right) / 4


def _interval(
    values: np.ndarray, limit: np.ndarray, roots: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The hop rates between which values (S, H) over their roots are above the limit (S,)."""
    above = values >= np.minimum(limit, values.max(axis=1))[:, None]
    first, last = above.argmax(axis=1), above.shape[1] - 1 - above[:, ::-1].argmax(axis=1)
    site = np.arange(len(values))

    def crossing(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
        higher, lower = values[site, inside], values[site, outside]
        part = np.where(inside == outside, 0, (higher - limit) / np.maximum(higher - lower, 1e-12))
        return roots[inside] + (roots[outside] - roots[inside]) * np.clip(part, 0, 1)

    low = crossing(first, np.maximum(first - 1, 0))
    high = crossing(last, np.minimum(last + 1, above.shape[1] - 1))
    return low**2, high**2


def _p_static(surface: Surface) -> np.ndarray:
    """Likelihood-ratio test of "never changes"; see the notes of :func:`fit_hops`."""
    static = np.maximum(surface.always_occupied, surface.always_empty)
    ratio = 2 * np.maximum(surface.log_likelihood.max(axis=(1, 2)) - static, 0)
    return chi2.sf(ratio, df=2)


def _has_memory(occupied: np.ndarray, surface: Surface, grid: Grid) -> np.ndarray:
    """Whether independent frames explain sites significantly worse; see :func:`fit_hops`."""
    seen, unseen = (occupied == SEEN).sum(axis=1), (occupied == EMPTY).sum(axis=1)
    in_view = np.maximum(seen + unseen, 1)
    independent = xlogy(seen, seen / in_view) + xlogy(unseen, unseen / in_view)
    hop_rate = grid.roots[1:, None] ** 2
    p_appear, p_vanish = chain_of(hop_rate, occupied_share(hop_rate, grid.shares))
    chains = surface.log_likelihood[:, 1:][:, p_appear + p_vanish <= 1]
    return 2 * (chains.max(axis=1) - independent) > chi2.isf(2 * _FAINT_LEVEL, df=1)


def smooth_occupancy(
    occupied: np.ndarray,
    p_appear: np.ndarray,
    p_vanish: np.ndarray,
    miss: np.ndarray,
    false: np.ndarray,
) -> np.ndarray:
    """Probability that a site is occupied in a frame, given all frames: forward and backward.

    ``occupied`` has the shape (S, F), chain and error rates (S,) are as in :func:`log_likelihood`.
    """
    if_occupied, if_empty = emissions(miss, false)
    site = np.arange(len(occupied))[:, None]
    emission = np.stack([if_empty[occupied, site], if_occupied[occupied, site]], axis=2)
    change = np.stack(
        [np.stack([1 - p_appear, p_appear], axis=1), np.stack([p_vanish, 1 - p_vanish], axis=1)],
        axis=1,
    )
    start = np.stack([p_vanish, p_appear], axis=1) / (p_appear + p_vanish)[:, None]

    forward, backward = np.empty(emission.shape), np.ones(emission.shape)
    for frame in range(occupied.shape[1]):
        before = np.einsum("si,sij->sj", forward[:, frame - 1], change) if frame else start
        forward[:, frame] = _normalised(before * emission[:, frame])
    for frame in range(occupied.shape[1] - 2, -1, -1):
        after = backward[:, frame + 1] * emission[:, frame + 1]
        backward[:, frame] = _normalised(np.einsum("sij,sj->si", change, after))
    return _normalised(forward * backward)[..., 1]


def _normalised(weights: np.ndarray) -> np.ndarray:
    return weights / weights.sum(axis=-1, keepdims=True)


def significant(p_values: np.ndarray, level: float = 0.05) -> np.ndarray:
    """Which of many p-values are significant, by Holm's procedure; NaN, not tested, is not.

    ``level`` is the largest probability of even one wrong decision.
    """
    p_values = np.asarray(p_values, float)
    tested = np.flatnonzero(np.isfinite(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    passes = p_values[order] <= level / np.arange(len(order), 0, -1)
    decision = np.zeros(len(p_values), bool)
    decision[order] = np.logical_and.accumulate(passes)
    return decision
