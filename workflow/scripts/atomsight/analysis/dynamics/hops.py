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

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import betainc, betaincinv, betaln, expit, logit, logsumexp, xlogy
from scipy.stats import chi2

from atomsight.analysis.dynamics.occupancy import EMPTY, SEEN, UNKNOWN
from atomsight.config.analysis import HopSettings
from atomsight.errors import InputError
from atomsight.files import sealed, tables

#: A dose this many times below the measured ones still takes the errors of the lowest.
DOSE_TOLERANCE = 1.5

#: Largest α + β that is fitted; beyond it, the sites do not differ noticeably.
LARGEST_CONCENTRATION = 1000.0

#: Share of the sites without memory, static and with any error rate, that escape being faint.
_FAINT_LEVEL = 0.05

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

#: Numbers that are kept of a piece of the sites, so that memory does not grow with their number.
_SITES_PIECE = 2**20

_ERROR_COLUMNS = ["dose_e_per_A2", "miss_alpha", "miss_beta", "false_alpha", "false_beta"]


class UncoveredDose(InputError):
    """Detection errors are not measured at so low a dose."""


@dataclass(frozen=True)
class DetectionErrors:
    """How often an occupied site is missed, and an empty one seen, at one dose.

    Over the sites, the miss rate follows Beta(miss_alpha, miss_beta), and likewise the rate of
    false detections at an empty site.
    """

    dose_e_per_A2: float
    miss_alpha: float
    miss_beta: float
    false_alpha: float
    false_beta: float

    @property
    def miss_rate(self) -> float:
        """Mean probability that an occupied site is not seen in a frame."""
        return self.miss_alpha / (self.miss_alpha + self.miss_beta)

    @property
    def false_rate(self) -> float:
        """Mean probability that an empty site is seen in a frame."""
        return self.false_alpha / (self.false_alpha + self.false_beta)


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


def read_errors(path: Path | str, dose_e_per_A2: float) -> DetectionErrors:
    """Read how often columns are missed and invented at a dose.

    Between the measured doses, the logit of the mean rates and the logarithm of α + β are linear in
    the logarithm of the dose. Above them, with a warning, the errors of the highest are taken: more
    electrons err no more often. UncoveredDose if the dose is below the measured range by more than
    :data:`DOSE_TOLERANCE`.
    """
    table = _read_error_table(path)
    doses = table["dose_e_per_A2"].to_numpy()
    if not (np.isfinite(dose_e_per_A2) and dose_e_per_A2 > 0):
        raise InputError(f"the dose of a frame is {dose_e_per_A2} e/Å²; give a positive number")
    if dose_e_per_A2 < doses[0] / DOSE_TOLERANCE:
        raise UncoveredDose(
            f"{path}: detection errors are measured from {doses[0]:g} to {doses[-1]:g} e/Å², not "
            f"at {dose_e_per_A2:g}; add the dose of the series to detection_errors.doses_e_per_A2"
        )
    if dose_e_per_A2 > doses[-1]:
        logging.warning(
            "detection errors are measured up to %g e/Å²; at %g they are taken to be the same",
            doses[-1],
            dose_e_per_A2,
        )
    parameters = []
    for kind in ("miss", "false"):
        alpha, beta = table[f"{kind}_alpha"].to_numpy(), table[f"{kind}_beta"].to_numpy()
        at_dose = np.log(dose_e_per_A2), np.log(doses)
        mean = expit(np.interp(*at_dose, logit(alpha / (alpha + beta))))
        concentration = np.exp(np.interp(*at_dose, np.log(alpha + beta)))
        parameters += [float(mean * concentration), float((1 - mean) * concentration)]
    return DetectionErrors(float(dose_e_per_A2), *parameters)


def _read_error_table(path: Path | str) -> pd.DataFrame:
    """Read the columns needed, by rising dose, and see that all are positive numbers."""
    numbers = tables.read_csv(path, _ERROR_COLUMNS)[_ERROR_COLUMNS].astype(float)
    if numbers.empty:
        raise InputError(f"{path}: the table has no row; {sealed.remedy(path)}")
    good = (np.isfinite(numbers) & (numbers > 0)).all(axis=1)
    if not good.all():
        raise InputError(
            f"{path}: row {int(np.argmin(good)) + 1} has a dose or a Beta parameter that is not a "
            "number above zero; make the table again"
        )
    return numbers.sort_values("dose_e_per_A2", ignore_index=True)


def fit_beta(successes: np.ndarray, trials: np.ndarray) -> tuple[float, float]:
    """Fit a Beta distribution, α and β, to rates that are known only by counts: a beta-binomial.

    They are where likelihood times prior is largest. The prior is weak: Jeffreys' of a single rate
    for the mean, and a log-normal of median 30 and a factor of e² for α + β, which is at most
    :data:`LARGEST_CONCENTRATION`. It keeps both finite where nothing ever happened, or where the
    sites do not differ. InputError if there is no trial at all.
    """
    successes, trials = np.asarray(successes, float), np.asarray(trials, float)
    if not trials.sum() > 0:
        raise InputError(
            "there is no site to measure detection errors at; use a longer series or a larger "
            "particle"
        )

    def cost(parameters: np.ndarray) -> float:
        mean, concentration = expit(parameters[0]), np.exp(parameters[1])
        alpha, beta = mean * concentration, (1 - mean) * concentration
        likelihood = betaln(alpha + successes, beta + trials - successes) - betaln(alpha, beta)
        prior = 0.5 * np.log(mean * (1 - mean)) - (parameters[1] - np.log(30)) ** 2 / (2 * 2**2)
        return -float(likelihood.sum() + prior)

    start = [logit((successes.sum() + 0.5) / (trials.sum() + 1)), np.log(30)]
    bounds = [(-16, 16), (0, np.log(LARGEST_CONCENTRATION))]
    mean, concentration = minimize(cost, start, method="L-BFGS-B", bounds=bounds).x
    concentration = np.exp(concentration)
    return float(expit(mean) * concentration), float(expit(-mean) * concentration)


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
            *(chains[:, first : first + step] if chains.shape[1] > 1 else chains),
        )
        for first in range(0, len(occupied), step)
    ]
    return np.concatenate(pieces) if pieces else np.empty((0, chains.shape[2]))


def _forward(
    occupied: np.ndarray,
    p_appear: np.ndarray,
    p_vanish: np.ndarray,
    miss: np.ndarray,
    false: np.ndarray,
) -> np.ndarray:
    """Run the forward algorithm in place and in single precision, rescaled every few frames.

    What was seen enters by the ratio of its probabilities if empty and if occupied. The latter,
    which is a factor of all hidden paths, is counted in the end.
    """
    shape = len(occupied), p_appear.shape[1]
    if_occupied, if_empty = _emissions(miss, false)
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


def _emissions(miss: np.ndarray, false: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability of not seen, seen, and unknown (index -1), if occupied and if empty."""
    one = np.ones_like(miss)
    return (
        np.stack([miss, 1 - miss, one]),
        np.stack([1 - false, false, one]),
    )


@dataclass(frozen=True)
class _Grid:
    """Where the likelihood is known."""

    roots: np.ndarray  # √h, evenly from 0: the precision of √h is about the same everywhere
    #: Where π lies between its limits h/2 and 1 - h/2, from 0 to 1; as many by the arcsine prior.
    shares: np.ndarray
    miss: np.ndarray  # nodes of the two error rates ...
    false: np.ndarray
    log_weights: np.ndarray  # ... and the logarithms of their weights
    nodes: tuple[int, int]  # how many of either rate
    strides: tuple[int, ...]  # along all four axes, between points computed at every site


def _make_grid(errors: DetectionErrors, max_hop_rate: float, frames: int) -> _Grid:
    """Make the grid, the finer the more frames there are to tell its points apart."""
    fineness = np.sqrt(frames)
    shares = round(8 + fineness / 3)
    angles = (np.arange(shares) + 0.5) / shares * np.pi / 2
    miss, miss_weights = _beta_nodes(errors.miss_alpha, errors.miss_beta, frames)
    false, false_weights = _beta_nodes(errors.false_alpha, errors.false_beta, frames)
    return _Grid(
        roots=np.linspace(0, np.sqrt(max_hop_rate), round(24 + 0.75 * fineness)),
        shares=np.sin(angles) ** 2,
        miss=np.repeat(miss, len(false)),
        false=np.tile(false, len(miss)),
        log_weights=np.log(np.outer(miss_weights, false_weights).ravel()),
        nodes=(len(miss), len(false)),
        strides=(1, 1, 1, 1) if frames < _LONG else _STRIDES,
    )


def _beta_nodes(alpha: float, beta: float, frames: int) -> tuple[np.ndarray, np.ndarray]:
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
class _Surface:
    """The likelihood of S sites over hop rate and share, the error rates integrated out."""

    log_likelihood: np.ndarray  # (S, H, P)
    miss: np.ndarray  # posterior means of the error rates at every point
    false: np.ndarray
    always_occupied: np.ndarray  # logarithm of the likelihood of the two sites that never change
    always_empty: np.ndarray


def _likelihood_surface(occupied: np.ndarray, errors: DetectionErrors, grid: _Grid) -> _Surface:
    """Go through the hop rates of the grid; at zero the integral is known exactly."""
    shape = len(occupied), len(grid.roots), len(grid.shares)
    log_values = np.empty(shape)
    miss, false = np.full(shape, errors.miss_rate), np.full(shape, errors.false_rate)
    always_occupied, always_empty = _static_likelihoods(occupied, errors)
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
    return _Surface(log_values, miss, false, always_occupied, always_empty)


def _hopping_likelihoods(occupied: np.ndarray, grid: _Grid) -> np.ndarray:
    """Likelihood times weight at all points but those without hops: logarithms (H - 1, S, P, N).

    The grid grows with the square of the length of a series, while what a site leaves possible
    shrinks as fast. So a part comes first (:data:`_STRIDES`), then the points that count by linear
    interpolation between; the others keep what is interpolated.
    """
    hop_rate = grid.roots[1:, None] ** 2
    chains = np.stack(
        np.broadcast_arrays(
            *(one[..., None] for one in _chain(hop_rate, _occupied_share(hop_rate, grid.shares))),
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


def _static_likelihoods(
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


def _occupied_share(hop_rate: np.ndarray, share: np.ndarray) -> np.ndarray:
    """π from where it lies between its limits: neither a nor b is above one."""
    return hop_rate / 2 + (1 - hop_rate) * share


def _chain(hop_rate: np.ndarray, occupied_share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """a = h / 2(1 - π) and b = h / 2π."""
    return hop_rate / (2 * (1 - occupied_share)), hop_rate / (2 * occupied_share)


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
    grid = _make_grid(errors, settings.max_hop_rate, occupied.shape[1])
    table, smoothed = _estimate_in_pieces(sequences, errors, grid, settings.confidence)
    unseen = (sequences != UNKNOWN).sum(axis=1) < 2
    table.loc[unseen, table.columns.drop("faint")] = np.nan
    table.loc[unseen, "faint"] = False
    smoothed[unseen] = np.nan
    site = site.ravel()
    return HopFit(table.iloc[site].reset_index(drop=True), smoothed[site])


def _estimate_in_pieces(
    occupied: np.ndarray, errors: DetectionErrors, grid: _Grid, confidence: float
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
        surface = _likelihood_surface(piece, errors, grid)
        table, smoothed[first : first + step] = _estimate(piece, surface, grid, confidence)
        found.append(table)
    return pd.concat(found, ignore_index=True), smoothed


def _estimate(
    occupied: np.ndarray, surface: _Surface, grid: _Grid, confidence: float
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
    share = _occupied_share(hop_rate[hops], weights @ grid.shares)
    p_appear[hops], p_vanish[hops] = _chain(hop_rate[hops], share)
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


def _p_static(surface: _Surface) -> np.ndarray:
    """Likelihood-ratio test of "never changes"; see the notes of :func:`fit_hops`."""
    static = np.maximum(surface.always_occupied, surface.always_empty)
    ratio = 2 * np.maximum(surface.log_likelihood.max(axis=(1, 2)) - static, 0)
    return chi2.sf(ratio, df=2)


def _has_memory(occupied: np.ndarray, surface: _Surface, grid: _Grid) -> np.ndarray:
    """Whether independent frames explain sites significantly worse; see :func:`fit_hops`."""
    seen, unseen = (occupied == SEEN).sum(axis=1), (occupied == EMPTY).sum(axis=1)
    in_view = np.maximum(seen + unseen, 1)
    independent = xlogy(seen, seen / in_view) + xlogy(unseen, unseen / in_view)
    hop_rate = grid.roots[1:, None] ** 2
    p_appear, p_vanish = _chain(hop_rate, _occupied_share(hop_rate, grid.shares))
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
    if_occupied, if_empty = _emissions(miss, false)
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
