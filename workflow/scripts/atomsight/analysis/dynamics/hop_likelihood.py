"""The likelihood of what was seen of sites that hop, over all that is not known.

It is exact (the forward algorithm) on a grid of hop rate h, share of the time occupied π, and the
two error rates, which all sites share; :mod:`.hops` has the model and what is made of it.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaincinv, betaln

from atomsight.analysis.dynamics.detection_errors import DetectionErrors
from atomsight.analysis.dynamics.occupancy import EMPTY, SEEN

#: Numbers in a piece of the work on the likelihood, so that it stays in the cache.
_PIECE = 32768

#: From so many frames on, part of the grid is computed first: of its hop rates, shares, miss and
#: false rates every fourth or second. The rest follows where it counts.
_LONG = 150
_STRIDES = 4, 2, 2, 2

#: A point counts unless the logarithm of its likelihood is so far below the site's largest.
_NEGLIGIBLE = 20.0

#: Chains of a site that are computed side by side.
_ROW = 256


def log_likelihood(
    occupied: np.ndarray,
    p_appear: np.ndarray,
    p_vanish: np.ndarray,
    miss: np.ndarray,
    false: np.ndarray,
) -> np.ndarray:
    """Logarithm of the probability of what was seen, by the forward algorithm, shape (S, G).

    ``occupied`` is as in :func:`fit_hops`. The chains, (G,) or (S, G), have a, b (not both zero)
    and the rates, above zero and below one, at which occupied sites are missed and empty ones seen;
    the first state is drawn from the stationary chain.
    """
    chains = np.stack([np.atleast_2d(one) for one in (p_appear, p_vanish, miss, false)])
    step = max(1, _PIECE // max(1, chains.shape[2]))
    pieces = [
        _forward(
            occupied[first : first + step],
            chains[:, first : first + step] if chains.shape[1] > 1 else chains,
        )
        for first in range(0, len(occupied), step)
    ]
    return np.concatenate(pieces) if pieces else np.empty((0, chains.shape[2]))


def _forward(occupied: np.ndarray, chains: np.ndarray) -> np.ndarray:
    """Run the forward algorithm in place and in single precision, rescaled every few frames.

    ``chains`` are those of :func:`log_likelihood` in its order, shape (4, S or 1, G).

    What was seen enters by the ratio of its probabilities if empty and if occupied. The latter,
    which is a factor of all hidden paths, is counted in the end.
    """
    p_appear, p_vanish, miss, false = chains
    shape = len(occupied), p_appear.shape[1]
    if_occupied, if_empty = emissions(miss, false)
    # One row for every kind of what was seen, at every site or at all.
    ratios = (if_empty / if_occupied).reshape(-1, shape[1]).astype(np.float32)
    rows = occupied.T.astype(np.intp) % 3 * len(miss) + np.arange(len(miss))
    appear, stay = p_appear.astype(np.float32), (1 - p_vanish).astype(np.float32)
    full = np.broadcast_to((p_appear / (p_appear + p_vanish)).astype(np.float32), shape).copy()
    empty, scratch, total = 1 - full, np.empty(shape, np.float32), np.zeros(shape)
    for frame, row in enumerate(rows):
        if frame:
            np.multiply(empty, appear, out=scratch)
            empty += full
            full *= stay
            full += scratch
            empty -= full
        empty *= np.take(ratios, row, axis=0, out=scratch, mode="clip")
        # Four factors of the smallest error rate stay within the range of single precision.
        if frame % 4 == 3 or frame == len(rows) - 1:
            np.add(full, empty, out=scratch)
            full /= scratch
            empty /= scratch
            total += np.log(scratch, out=scratch)
    for what in (EMPTY, SEEN):
        total += (occupied == what).sum(axis=1)[:, None] * np.log(if_occupied[what])
    return total


def emissions(miss: np.ndarray, false: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability of not seen, seen, and unknown (index -1), if occupied and if empty."""
    one = np.ones_like(miss)
    return (
        np.stack([miss, 1 - miss, one]),
        np.stack([1 - false, false, one]),
    )


@dataclass(frozen=True)
class Grid:
    """Where the likelihood is known."""

    roots: np.ndarray  # √h, evenly from 0: the precision of √h is about the same everywhere
    #: Where π lies between its limits h/2 and 1 - h/2, from 0 to 1; as many by the arcsine prior.
    shares: np.ndarray
    miss: np.ndarray  # nodes of the two error rates ...
    false: np.ndarray
    log_weights: np.ndarray  # ... and the logarithms of their weights
    nodes: tuple[int, int]  # how many of either rate
    strides: tuple[int, ...]  # along all four axes, between points computed at every site


def make_grid(errors: DetectionErrors, max_hop_rate: float, frames: int) -> Grid:
    """Make the grid, the finer the more frames there are to tell its points apart."""
    fineness = np.sqrt(frames)
    shares = round(8 + fineness / 3)
    angles = (np.arange(shares) + 0.5) / shares * np.pi / 2
    miss, miss_weights = beta_nodes(errors.miss_alpha, errors.miss_beta, frames)
    false, false_weights = beta_nodes(errors.false_alpha, errors.false_beta, frames)
    return Grid(
        roots=np.linspace(0, np.sqrt(max_hop_rate), round(24 + 0.75 * fineness)),
        shares=np.sin(angles) ** 2,
        miss=np.repeat(miss, len(false)),
        false=np.tile(false, len(miss)),
        log_weights=np.log(np.outer(miss_weights, false_weights).ravel()),
        nodes=(len(miss), len(false)),
        strides=(1, 1, 1, 1) if frames < _LONG else _STRIDES,
    )


def beta_nodes(alpha: float, beta: float, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide a Beta distribution into pieces: the mean and the weight of each.

    The pieces are even in arcsin √rate, where the error of a rate measured in n frames is about
    1 / √4n everywhere. Pieces of two standard errors are enough: sums over an even grid converge
    that fast for what looks like a Gaussian.
    """
    ends = np.arcsin(np.sqrt(betaincinv(alpha, beta, [1e-4, 1 - 1e-4])))
    count = 1 + int(np.ceil(np.ptp(ends) * np.sqrt(alpha + beta + frames / 2)))
    edges = np.sin(np.linspace(*ends, max(count, 4) + 1)) ** 2
    edges[[0, -1]] = 0, 1
    weights = np.diff(betainc(alpha, beta, edges))
    means = np.diff(betainc(alpha + 1, beta, edges)) / weights * alpha / (alpha + beta)
    return np.clip(means, 1e-6, 1 - 1e-6), weights


@dataclass(frozen=True)
class Surface:
    """The likelihood of S sites over hop rate and share, the error rates integrated out."""

    log_likelihood: np.ndarray  # (S, H, P)
    miss: np.ndarray  # posterior means of the error rates at every point
    false: np.ndarray
    always_occupied: np.ndarray  # logarithm of the likelihood of the two sites that never change
    always_empty: np.ndarray


def likelihood_surface(occupied: np.ndarray, errors: DetectionErrors, grid: Grid) -> Surface:
    """Go through the hop rates of the grid; at zero the integral is known exactly."""
    shape = len(occupied), len(grid.roots), len(grid.shares)
    log_values = np.empty(shape)
    miss, false = np.full(shape, errors.miss_rate), np.full(shape, errors.false_rate)
    always_occupied, always_empty = static_likelihoods(occupied, errors)
    log_values[:, 0] = np.logaddexp(
        always_occupied[:, None] + np.log(grid.shares),
        always_empty[:, None] + np.log1p(-grid.shares),
    )
    for row, values in enumerate(_hopping_likelihoods(occupied, grid), start=1):
        largest = values.max(axis=2)
        weights = np.exp(values - largest[..., None])
        total = weights.sum(axis=2)
        log_values[:, row] = largest + np.log(total)
        miss[:, row], false[:, row] = weights @ grid.miss / total, weights @ grid.false / total
    return Surface(log_values, miss, false, always_occupied, always_empty)


def _hopping_likelihoods(occupied: np.ndarray, grid: Grid) -> np.ndarray:
    """Likelihood times weight at all points but those without hops: logarithms (H - 1, S, P, N).

    The grid grows with the square of the length of a series, while what a site leaves possible
    shrinks as fast. So a part comes first (:data:`_STRIDES`), then the points that count by linear
    interpolation between; the others keep what is interpolated.
    """
    hop_rate = grid.roots[1:, None] ** 2
    chains = np.stack(
        np.broadcast_arrays(
            *(one[..., None] for one in chain_of(hop_rate, occupied_share(hop_rate, grid.shares))),
            grid.miss,
            grid.false,
        )
    )
    shape = *hop_rate.shape[:1], len(grid.shares), *grid.nodes
    chains, weights = chains.reshape(4, *shape), grid.log_weights.reshape(grid.nodes)
    some = [
        np.union1d(np.arange(0, size, stride), size - 1)
        for size, stride in zip(shape, grid.strides, strict=True)
    ]
    values = log_likelihood(occupied, *chains[:, *np.ix_(*some)].reshape(4, -1))
    values = values.reshape(-1, *(len(points) for points in some)) + weights[np.ix_(*some[2:])]
    if max(grid.strides) > 1:
        least = values.max(axis=(1, 2, 3, 4), keepdims=True) - _NEGLIGIBLE
        for axis, (points, size) in enumerate(zip(some, shape, strict=True), start=1):
            values = _interpolated(values, points, size, axis)
        counts = values >= least
        exact = _likelihood_where(counts.reshape(len(counts), -1), occupied, chains.reshape(4, -1))
        values[counts] = exact + np.broadcast_to(weights, counts.shape)[counts]
    return values.reshape(-1, *shape[:2], len(grid.miss)).swapaxes(0, 1)


def _interpolated(values: np.ndarray, points: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Values at 0, 1, ... size - 1 along an axis, linear between those at the points."""
    place = np.interp(np.arange(size), points, np.arange(len(points)))
    below = np.minimum(place.astype(int), len(points) - 2)
    part = (place - below).reshape(-1, *[1] * (values.ndim - 1 - axis))
    return values.take(below, axis) * (1 - part) + values.take(below + 1, axis) * part


def _likelihood_where(counts: np.ndarray, occupied: np.ndarray, chains: np.ndarray) -> np.ndarray:
    """Logarithm of the likelihood of some of the chains (4, G) at every site, where counts (S, G).

    The chains of a site are laid out in rows of one length; the last of them is filled up.
    """
    _, chain = np.nonzero(counts)
    found = counts.sum(axis=1)
    rows = -(-found // _ROW)
    site = np.repeat(np.arange(len(found)), rows)
    row = np.arange(len(site)) - np.repeat(np.cumsum(rows) - rows, rows)
    place = np.minimum(row[:, None] * _ROW + np.arange(_ROW), found[site, None] - 1)
    place += (np.cumsum(found) - found)[site, None]
    values = np.empty(len(chain))
    values[place] = log_likelihood(occupied[site], *chains[:, chain[place]])
    return values


def static_likelihoods(
    occupied: np.ndarray, errors: DetectionErrors
) -> tuple[np.ndarray, np.ndarray]:
    """Beta-binomial probabilities of what was seen, if always occupied and if always empty."""
    seen, unseen = (occupied == SEEN).sum(axis=1), (occupied == EMPTY).sum(axis=1)
    return (
        betaln(errors.miss_alpha + unseen, errors.miss_beta + seen)
        - betaln(errors.miss_alpha, errors.miss_beta),
        betaln(errors.false_alpha + seen, errors.false_beta + unseen)
        - betaln(errors.false_alpha, errors.false_beta),
    )


def occupied_share(hop_rate: np.ndarray, share: np.ndarray) -> np.ndarray:
    """π from where it lies between its limits: neither a nor b is above one."""
    return hop_rate / 2 + (1 - hop_rate) * share


def chain_of(hop_rate: np.ndarray, occupied_share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """a = h / 2(1 - π) and b = h / 2π."""
    return hop_rate / (2 * (1 - occupied_share)), hop_rate / (2 * occupied_share)
