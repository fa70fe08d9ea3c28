"""Do the sites of one series hop more often than those of another?

The same particle lies in another place in every recording, so its sites are first registered by a
translation and paired one to one. Paired sites are compared site by site, which removes that some
sites hop more than others. Where the two series show different particles there are
no pairs that mean anything; then the sites at the outlines of the particles are compared as two
samples.

Two recordings of unequal length or dose are compared fairly only as far as the hidden Markov model
corrects the hop rates; raw event rates are not corrected at all.

A place that is always empty in a recording is no site there. A site that hops in B and is always
empty in A is therefore missing in A, where its rate is zero: it has no partner, and the sample of A
lacks a zero. Sites of B only thus make the ratio of the rates (b over a) too low, sites of A only
make it too high; their numbers tell how far this may go.

The p-values are over the sites of one pair of recordings. They tell whether these two recordings
differ, not whether particles under the two conditions do: that takes several particles of each.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from scipy.stats import mannwhitneyu, wilcoxon

from atomsight.analysis.matching import match_atoms
from atomsight.config.analysis import ComparisonSettings

#: What is compared: the name in the table, and the column of the sites.
RATES = {"hmm": "hop_rate", "raw_events": "event_rate"}

#: Columns of a comparison.
COLUMNS = (
    "test",
    "rate",
    "name_a",
    "name_b",
    "sites_a",
    "sites_b",
    "matched",
    "only_in_a",
    "only_in_b",
    "mean_rate_a",
    "mean_rate_b",
    "ratio",
    "ratio_low",
    "ratio_high",
    "statistic",
    "p_value",
)

#: Random numbers that are drawn at once.
_BLOCK = 2**20

#: A site of the inner lattice has neighbours in all directions, none farther apart than this [rad].
_LARGEST_GAP_RAD = np.deg2rad(100)

#: Neighbours are nearer than this, in units of the usual distance of the nearest.
_NEIGHBOUR_REACH = 1.5


@dataclass(frozen=True)
class Pairs:
    """The sites of two series that are the same.

    ``shift_A`` is position ``(x, y)`` in B minus position in A.
    """

    index_a: np.ndarray
    index_b: np.ndarray
    shift_A: np.ndarray


def pair_sites(positions_a: np.ndarray, positions_b: np.ndarray, radius_A: float) -> Pairs:
    """Register the sites of two series, each in its own coordinates [Å], and pair them one to one.

    The translation is the one that pairs most sites; rotations are not tried.
    """
    if len(positions_a) == 0 or len(positions_b) == 0:
        return Pairs(np.empty(0, np.intp), np.empty(0, np.intp), np.zeros(2))
    shift = _most_common_difference(positions_a, positions_b, radius_A)
    for _ in range(3):
        index_b, index_a = match_atoms(positions_b - shift, positions_a, radius_A)
        if len(index_a):
            shift = (positions_b[index_b] - positions_a[index_a]).mean(axis=0)
    index_b, index_a = match_atoms(positions_b - shift, positions_a, radius_A)
    return Pairs(index_a, index_b, shift)


def _most_common_difference(
    positions_a: np.ndarray, positions_b: np.ndarray, radius_A: float
) -> np.ndarray:
    """The top of the smoothed histogram of all differences, a cross-correlation."""
    bin_A = radius_A / 4
    differences = (positions_b[:, None] - positions_a[None]).reshape(-1, 2)
    corner = differences.min(axis=0) - 4 * bin_A
    bins = np.floor((differences - corner) / bin_A).astype(int)
    shape = tuple(bins.max(axis=0) + 5)
    counts = np.bincount(np.ravel_multi_index(tuple(bins.T), shape), minlength=np.prod(shape))
    smooth = gaussian_filter(counts.reshape(shape).astype(float), sigma=1.5, mode="constant")
    return corner + (np.array(np.unravel_index(smooth.argmax(), shape)) + 0.5) * bin_A


def outline_sites(positions: np.ndarray) -> np.ndarray:
    """Which sites lie at the outline of a particle, in the outermost two layers.

    These are sites whose neighbours leave a gap of more than 100° between them, and the neighbours
    of these; all of fewer than three sites.
    """
    if len(positions) < 3:
        return np.ones(len(positions), bool)
    tree = cKDTree(positions)
    usual_A = np.median(tree.query(positions, k=2)[0][:, 1])
    pairs = tree.query_pairs(_NEIGHBOUR_REACH * usual_A, output_type="ndarray")
    site, neighbour = np.concatenate([pairs, pairs[:, ::-1]]).T
    outermost = _largest_gaps(positions, site, neighbour) > _LARGEST_GAP_RAD
    outline = outermost.copy()
    outline[neighbour[outermost[site]]] = True
    return outline


def _largest_gaps(positions: np.ndarray, site: np.ndarray, neighbour: np.ndarray) -> np.ndarray:
    """The largest angle between neighbours that follow each other around every site [rad]."""
    x, y = (positions[neighbour] - positions[site]).T
    azimuth = np.arctan2(y, x)
    order = np.lexsort([azimuth, site])
    site, azimuth = site[order], azimuth[order]
    last = np.r_[site[1:] != site[:-1], True]
    first = np.flatnonzero(np.r_[True, last[:-1]])
    following = np.r_[azimuth[1:], 0.0]
    following[last] = azimuth[first] + 2 * np.pi
    largest = np.full(len(positions), 2 * np.pi)
    largest[site[first]] = 0
    np.maximum.at(largest, site, following - azimuth)
    return largest


def compare_rates(
    sites_a: pd.DataFrame,
    sites_b: pd.DataFrame,
    pairs: Pairs,
    names: tuple[str, str],
    settings: ComparisonSettings,
) -> pd.DataFrame:
    """Test whether the rates of two series differ: one row of :data:`COLUMNS` per test and rate.

    The sites are those that count, with ``x_A, y_A, hop_rate, event_rate``; a rate that is not
    known is NaN. The interval of the ratio, b over a, are percentiles of the bootstrap over sites;
    p-values are two-sided. The tests:

    ``wilcoxon``: signed ranks of the differences of paired sites; pairs without a difference, such
    as two static sites, carry nothing. ``permutation``: the two series are exchanged at random in
    every pair; the statistic is the difference of the means, so that the sites that hop most count
    most. ``mann_whitney``: ranks of all sites at the outlines, paired or not.

    The tests of pairs are left out where there is no pair, and every test of a rate that is not
    known in both series. Without any rate there is no row.
    """
    matched = len(pairs.index_a)
    about = {"name_a": names[0], "name_b": names[1]}
    about |= {"only_in_a": len(sites_a) - matched, "only_in_b": len(sites_b) - matched}
    rows = []
    outline_a = outline_sites(sites_a[["x_A", "y_A"]].to_numpy(float))
    outline_b = outline_sites(sites_b[["x_A", "y_A"]].to_numpy(float))
    for rate, column in RATES.items():
        values_a, values_b = sites_a[column].to_numpy(float), sites_b[column].to_numpy(float)
        paired = np.stack([values_a[pairs.index_a], values_b[pairs.index_b]])
        paired = paired[:, np.isfinite(paired).all(axis=0)]
        outer = [
            values[outline & np.isfinite(values)]
            for values, outline in ((values_a, outline_a), (values_b, outline_b))
        ]
        tests = _test_pairs(*paired, settings) + _test_samples(*outer, settings)
        facts = about | {"rate": rate, "matched": paired.shape[1]}
        rows += [facts | test for test in tests]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _test_pairs(
    values_a: np.ndarray, values_b: np.ndarray, settings: ComparisonSettings
) -> list[dict[str, object]]:
    """The rows of the tests of paired values; none without a pair."""
    if len(values_a) == 0:
        return []
    ratio = _ratio(values_a, values_b, True, settings)
    exchanged = permutation_test(values_a, values_b, settings.resamples, settings.seed)
    return [
        {"test": "wilcoxon"} | ratio | wilcoxon_test(values_a, values_b),
        {"test": "permutation"} | ratio | exchanged,
    ]


def _test_samples(
    values_a: np.ndarray, values_b: np.ndarray, settings: ComparisonSettings
) -> list[dict[str, object]]:
    """The row of the test of two samples; none where one is empty."""
    if len(values_a) == 0 or len(values_b) == 0:
        return []
    ratio = _ratio(values_a, values_b, False, settings)
    return [{"test": "mann_whitney"} | ratio | mann_whitney_test(values_a, values_b)]


def wilcoxon_test(values_a: np.ndarray, values_b: np.ndarray) -> dict[str, float]:
    """Wilcoxon's signed-rank test of paired values; p is 1 where no pair differs."""
    # Rates that are equal but for the rounding count as equal.
    differences = np.round(values_b - values_a, 9)
    differences = differences[differences != 0]
    if len(differences) == 0:
        return {"statistic": 0.0, "p_value": 1.0}
    test = wilcoxon(differences)
    return {"statistic": float(test.statistic), "p_value": float(test.pvalue)}


def mann_whitney_test(values_a: np.ndarray, values_b: np.ndarray) -> dict[str, float]:
    """Mann and Whitney's test of two samples; p is 1 where all values are the same."""
    if np.ptp(np.concatenate([values_a, values_b])) == 0:
        return {"statistic": len(values_a) * len(values_b) / 2, "p_value": 1.0}
    test = mannwhitneyu(values_a, values_b)
    return {"statistic": float(test.statistic), "p_value": float(test.pvalue)}


def permutation_test(
    values_a: np.ndarray, values_b: np.ndarray, resamples: int, seed: int
) -> dict[str, float]:
    """Permutation test of the mean of b minus that of a over paired values."""
    differences = values_b - values_a
    rng = np.random.default_rng(seed)
    exchanged = np.concatenate(
        [
            np.abs(rng.choice([-1.0, 1.0], (count, len(differences))) @ differences)
            for count in _blocks(resamples, len(differences))
        ]
    )
    # Sums that are equal but for the rounding count as equal.
    as_large = (exchanged >= abs(differences.sum()) - 1e-9).sum()
    return {"statistic": differences.mean(), "p_value": (1 + as_large) / (1 + resamples)}


def _ratio(
    values_a: np.ndarray, values_b: np.ndarray, paired: bool, settings: ComparisonSettings
) -> dict[str, float]:
    """Means, their ratio, and its interval by the bootstrap over pairs or over sites."""
    rng = np.random.default_rng(settings.seed)
    if paired:
        means_a, means_b = _resampled_means(np.stack([values_a, values_b]), settings.resamples, rng)
    else:
        (means_a,), (means_b,) = (
            _resampled_means(values[None], settings.resamples, rng)
            for values in (values_a, values_b)
        )
    mean_a, mean_b = values_a.mean(), values_b.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, ratios = mean_b / mean_a, means_b / means_a
    tail = (1 - settings.confidence) / 2
    known = np.sort(ratios[~np.isnan(ratios)])
    # The nearest of the samples: between two of them, one may be infinite.
    ends = np.quantile(known, [tail, 1 - tail], method="nearest") if len(known) else [np.nan] * 2
    return {
        "sites_a": len(values_a),
        "sites_b": len(values_b),
        "mean_rate_a": mean_a,
        "mean_rate_b": mean_b,
        "ratio": ratio,
        "ratio_low": ends[0],
        "ratio_high": ends[1],
    }


def _resampled_means(values: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the columns of values (K, N) with replacement; give the means of the rows, (K, R)."""
    size = values.shape[1]
    means = [
        values[:, rng.integers(size, size=(count, size))].mean(axis=2)
        for count in _blocks(resamples, size)
    ]
    return np.concatenate(means, axis=1)


def _blocks(resamples: int, size: int) -> list[int]:
    """Divide resamples of a size into blocks, so that none draws too many numbers at once."""
    step = max(1, _BLOCK // size)
    return [min(step, resamples - first) for first in range(0, resamples, step)]
