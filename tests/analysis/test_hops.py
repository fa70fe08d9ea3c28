"""The hidden Markov model of a site: exact, honest about what it does not know, never fooled."""

import dataclasses
import itertools
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import betaln
from scipy.stats import betabinom

from atomsight.analysis.dynamics import hop_likelihood, hops
from atomsight.analysis.dynamics.detection_errors import DetectionErrors
from atomsight.analysis.dynamics.hops import fit_hops
from atomsight.analysis.dynamics.occupancy import UNKNOWN
from atomsight.config.analysis import HopSettings

#: As at a moderate dose; sites differ much.
ERRORS = DetectionErrors(1000.0, miss_alpha=2, miss_beta=30, false_alpha=1, false_beta=50)
#: Of the shipped model at 300 e/Å²: one in twenty columns is missed with 0.2 or more.
FAINT_DOSE = DetectionErrors(300.0, 0.18, 4.7, 0.23, 8.4)
SETTINGS = HopSettings()


def fit(seen, errors=ERRORS):
    return fit_hops(seen, errors, SETTINGS)


def simulate(hop_rate, occupied_share, sites=300, frames=40, seed=0, errors=ERRORS):
    """What is seen of stationary chains, and what is true."""
    rng = np.random.default_rng(seed)
    miss = rng.beta(errors.miss_alpha, errors.miss_beta, sites)
    false = rng.beta(errors.false_alpha, errors.false_beta, sites)
    p_appear = hop_rate / (2 * (1 - occupied_share)) if occupied_share < 1 else 0
    p_vanish = hop_rate / (2 * occupied_share) if occupied_share > 0 else 0
    true = np.empty((sites, frames), bool)
    true[:, 0] = rng.random(sites) < occupied_share
    for frame in range(1, frames):
        draw = rng.random(sites)
        true[:, frame] = np.where(true[:, frame - 1], draw >= p_vanish, draw < p_appear)
    draw = rng.random(true.shape)
    seen = np.where(true, draw >= miss[:, None], draw < false[:, None])
    return seen.astype(np.int8), true


def with_rates(miss=None, false=None):
    """The errors at 300 e/Å², but for one rate that is the same at all sites."""
    rates = FAINT_DOSE
    for kind, rate in (("miss", miss), ("false", false)):
        if rate is not None:
            both = {f"{kind}_alpha": 1e6 * rate, f"{kind}_beta": 1e6 * (1 - rate)}
            rates = dataclasses.replace(rates, **both)
    return rates


def path_probabilities(seen, p_appear, p_vanish, miss, false):
    """Probability of the data along every hidden path, shape (2^F,), and the paths."""
    paths = np.array(list(itertools.product([0, 1], repeat=len(seen))))
    change = np.array([[1 - p_appear, p_appear], [p_vanish, 1 - p_vanish]])
    emission = np.array([[1 - false, false], [miss, 1 - miss]])
    weights = np.array([p_vanish, p_appear])[paths[:, 0]] / (p_appear + p_vanish)
    weights = weights * change[paths[:, :-1], paths[:, 1:]].prod(axis=1)
    for frame, value in enumerate(seen):
        if value >= 0:
            weights = weights * emission[paths[:, frame], value]
    return weights, paths


SEEN = np.array(
    [[1, 1, 0, 1, 0, 0, 0, 1], [1, -1, 0, 1, -1, -1, 0, 1], [0] * 8, [-1] * 7 + [1]], np.int8
)
CHAINS = np.array([[0.1, 0.2, 0.05, 0.02], [0.6, 0.9, 0.3, 0.01], [1e-3, 0.02, 0.2, 0.1]])


def test_the_likelihood_is_the_sum_over_all_hidden_paths():
    expected = [[path_probabilities(seen, *chain)[0].sum() for chain in CHAINS] for seen in SEEN]
    assert_allclose(hop_likelihood.log_likelihood(SEEN, *CHAINS.T), np.log(expected), atol=2e-5)


def test_a_site_may_have_chains_of_its_own():
    own = np.stack([np.roll(CHAINS, shift, axis=0) for shift in range(len(SEEN))])
    expected = [
        [path_probabilities(seen, *chain)[0].sum() for chain in chains]
        for seen, chains in zip(SEEN, own, strict=True)
    ]
    assert_allclose(
        hop_likelihood.log_likelihood(SEEN, *np.moveaxis(own, 2, 0)), np.log(expected), atol=2e-5
    )


def test_probabilities_of_all_that_can_be_seen_add_up_to_one():
    everything = np.array(list(itertools.product([0, 1], repeat=8)), np.int8)
    assert_allclose(
        np.exp(hop_likelihood.log_likelihood(everything, *CHAINS.T)).sum(axis=0), 1, atol=1e-5
    )


def test_a_long_series_does_not_underflow():
    seen = np.tile(np.array([0, 1], np.int8), (1, 5000))
    # Without memory every frame stands for itself.
    log_value = hop_likelihood.log_likelihood(seen, *np.array([[0.5], [0.5], [1e-6], [1e-6]]))
    assert log_value[0, 0] == pytest.approx(10000 * np.log(0.5), rel=1e-5)


def test_the_static_limit_is_the_beta_binomial():
    seen = np.insert(simulate(0, 1, sites=5)[0], 20, UNKNOWN, axis=1)
    occupied, empty = hop_likelihood.static_likelihoods(seen, ERRORS)
    count = (seen == 0).sum(axis=1)
    ways = np.log([len(list(itertools.combinations(range(40), n))) for n in np.minimum(count, 4)])
    few = count <= 4
    exact = betabinom.logpmf(count, 40, ERRORS.miss_alpha, ERRORS.miss_beta) - ways
    assert few.any()
    assert_allclose(occupied[few], exact[few])
    assert (empty < occupied).all()


@pytest.mark.parametrize("frames", [40, 1000])
def test_the_quadrature_is_exact_enough_for_the_length_of_the_series(frames):
    """The integral over the miss rate against the closed form, for bright and for faint sites."""
    grid = hop_likelihood.make_grid(ERRORS, 0.5, frames)
    for missed in np.quantile(np.random.default_rng(0).beta(2, 30, 500) * frames, [0.1, 0.5, 0.9]):
        missed = int(missed)
        values = missed * np.log(grid.miss) + (frames - missed) * np.log1p(-grid.miss)
        top = values.max()
        integral = top + np.log(np.exp(values - top + grid.log_weights).sum())
        exact = betaln(2 + missed, 30 + frames - missed) - betaln(2, 30)
        assert integral == pytest.approx(exact, abs=0.1)


@pytest.mark.parametrize(
    ("alpha", "beta"), [(2, 30), (0.05, 3), (600, 9400), (0.5, 0.5), (5e4, 95e4)]
)
def test_nodes_have_the_mean_of_the_distribution(alpha, beta):
    nodes, weights = hop_likelihood.beta_nodes(alpha, beta, 40)
    assert weights.sum() == pytest.approx(1)
    assert weights @ nodes == pytest.approx(alpha / (alpha + beta), rel=1e-4)
    assert (weights > 0).all()
    assert 4 <= len(nodes) < 20


def test_the_chain_has_the_hop_rate():
    table = fit(simulate(0.15, 0.4)[0]).table
    moving = table[table["hop_rate"] > 0]
    a, b = moving["p_appear"], moving["p_vanish"]
    assert len(moving) > 200
    assert_allclose(2 * a * b / (a + b), moving["hop_rate"], rtol=1e-6)
    assert ((a > 0) & (a <= 1) & (b > 0) & (b <= 1)).all()
    assert (moving["hop_rate"] <= SETTINGS.max_hop_rate).all()


def test_intervals_hold_the_estimate_and_narrow_with_the_length():
    widths = []
    for frames in (160, 20):
        table = fit(simulate(0.1, 0.5, sites=40, frames=frames)[0]).table
        table = table[~table["faint"]]
        assert (table["hop_rate_low"] <= table["hop_rate"]).all()
        assert (table["hop_rate"] <= table["hop_rate_high"]).all()
        widths.append((table["hop_rate_high"] - table["hop_rate_low"]).mean())
    assert widths[0] < widths[1] / 2


def test_with_hardly_any_error_the_rate_is_the_share_of_changes():
    errors = DetectionErrors(1e5, 1, 990, 1, 990)
    seen, _ = simulate(0.2, 0.5, sites=5, frames=400, errors=errors)
    table = fit(seen, errors).table
    events = (np.diff(seen, axis=1) != 0).mean(axis=1)
    assert_allclose(table["hop_rate"], events, atol=0.015)


def test_a_site_that_is_always_seen_is_static():
    seen = np.repeat(np.array([[1], [0]], np.int8), 40, axis=1)
    fitted = fit(seen)
    table = fitted.table
    assert_allclose(table[["hop_rate", "hop_rate_low"]], 0)
    assert table["hop_rate_high"].between(0.01, 0.15).all()
    assert (table["p_static"] > 0.9).all()
    assert_allclose(fitted.p_occupied, seen, atol=1e-6)
    # The rate at which an occupied site would come back is not known.
    assert_allclose(table[["p_appear", "p_vanish"]], [[np.nan, 0], [0, np.nan]])


def test_a_long_absence_is_a_hop_and_as_many_scattered_misses_are_not():
    gone, faint = np.ones((2, 40), np.int8)
    gone[12:18] = 0
    faint[[3, 4, 11, 19, 28, 37]] = 0
    table = fit(np.stack([gone, faint])).table
    assert table["p_static"][0] < 1e-4
    assert table["hop_rate"][0] == pytest.approx(2 / 39, abs=0.02)
    assert table["p_static"][1] > 0.05
    assert table["hop_rate_low"][1] == 0


def test_a_site_that_is_hardly_in_view_is_not_estimated():
    seen = np.full((3, 10), UNKNOWN, np.int8)
    seen[1, 3], seen[2] = 1, 1
    fitted = fit(seen)
    assert fitted.table.iloc[:2].drop(columns="faint").isna().all(axis=None)
    assert not fitted.table["faint"].any()
    assert np.isnan(fitted.p_occupied[:2]).all()
    assert fitted.table.iloc[2][["hop_rate", "p_static"]].notna().all()


def test_no_sites_give_an_empty_table():
    fitted = fit(np.empty((0, 12), np.int8))
    assert len(fitted.table) == 0
    assert fitted.p_occupied.shape == (0, 12)


def test_the_size_of_the_pieces_does_not_change_the_estimates(monkeypatch):
    seen, _ = simulate(0.1, 0.5, sites=23)
    seen[3, 1:] = UNKNOWN
    whole = fit(seen)
    monkeypatch.setattr(hops, "_SITES_PIECE", 1)
    parts = fit(seen)
    pd.testing.assert_frame_equal(parts.table, whole.table, rtol=1e-9)
    assert_allclose(parts.p_occupied, whole.p_occupied, rtol=1e-6)
    assert parts.p_occupied.dtype == np.float32


@pytest.mark.parametrize("errors", [ERRORS, FAINT_DOSE])
def test_what_is_left_out_of_a_long_series_does_not_change_the_estimates(errors, monkeypatch):
    chains = [(0, 1), (0, 0), (0.005, 0.5), (0.05, 0.3), (0.1, 0.5), (0.4, 0.5), (0.45, 0.7)]
    seen = np.concatenate(
        [
            simulate(*chain, sites=2, frames=200, seed=seed, errors=errors)[0]
            for seed, chain in enumerate(chains)
        ]
    )
    seen[::3, 50:80] = UNKNOWN
    computed = []
    forward = hop_likelihood._forward

    def counted(occupied, chains):
        computed.append(len(occupied) * chains.shape[2])
        return forward(occupied, chains)

    monkeypatch.setattr(hop_likelihood, "_forward", counted)
    some = fit(seen, errors)
    points = sum(computed)
    monkeypatch.setattr(hop_likelihood, "_LONG", 1000)
    whole = fit(seen, errors)
    assert points < 0.6 * (sum(computed) - points)
    pd.testing.assert_frame_equal(some.table, whole.table, rtol=0, atol=5e-4)
    assert_allclose(some.p_occupied, whole.p_occupied, atol=1e-3)


def test_memory_does_not_grow_with_the_number_of_sites():
    seen = np.random.default_rng(0).integers(0, 2, (3000, 14), np.int8)
    tracemalloc.start()
    fit(seen)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6  # All sites at once take 50 MB.


def test_the_same_data_give_the_same_numbers_wherever_they_stand():
    seen, _ = simulate(0.1, 0.5, sites=20)
    both = fit(np.concatenate([seen, seen[::-1]]))
    halves = both.table[20:][::-1].reset_index(drop=True), both.table[:20]
    pd.testing.assert_frame_equal(*halves, rtol=0, atol=0)
    assert_allclose(both.p_occupied[20:][::-1], both.p_occupied[:20], rtol=0)


# What is promised of many sites

RATES = [(0, 1), (0, 0), (0.02, 0.5), (0.05, 0.3), (0.1, 0.5), (0.2, 0.7), (0.3, 0.5)]


@pytest.mark.slow
@pytest.mark.parametrize(("hop_rate", "share"), RATES)
def test_intervals_hold_the_true_rate_of_nine_in_ten_sites_and_more(hop_rate, share):
    table = fit(simulate(hop_rate, share, sites=600)[0]).table
    table = table[~table["faint"]]
    covered = (table["hop_rate_low"] <= hop_rate) & (hop_rate <= table["hop_rate_high"])
    assert covered.mean() > 0.92


@pytest.mark.slow
@pytest.mark.parametrize(("hop_rate", "share"), RATES)
def test_detection_errors_do_not_add_up_to_hops(hop_rate, share):
    seen, _ = simulate(hop_rate, share, sites=600)
    estimated = fit(seen).table["hop_rate"].mean()
    raw = (np.diff(seen, axis=1) != 0).mean()
    if hop_rate <= 0.1:
        assert estimated == pytest.approx(hop_rate, abs=0.002)
        assert abs(estimated - hop_rate) < abs(raw - hop_rate) / 30
    else:  # The fastest have no memory that 40 frames would show, and are faint.
        assert 0.75 * hop_rate < estimated < hop_rate


@pytest.mark.slow
@pytest.mark.parametrize("share", [0, 1])
@pytest.mark.parametrize(
    "errors",
    [ERRORS, DetectionErrors(300, 0.7, 12, 0.5, 25), DetectionErrors(3000, 30, 970, 10, 990)],
)
def test_static_sites_are_not_called_hopping_because_they_are_faint(share, errors):
    seen, _ = simulate(0, share, sites=4000, errors=errors)
    p_static = fit(seen, errors).table["p_static"].to_numpy()
    assert (p_static < 0.05).mean() <= 0.06
    assert (p_static < 0.01).mean() <= 0.015
    families = p_static.reshape(20, 200)
    assert np.mean([hops.significant(family).any() for family in families]) <= 0.15


def test_hopping_sites_are_called_so():
    table = fit(simulate(0.1, 0.5)[0]).table
    assert hops.significant(table["p_static"].to_numpy()).mean() > 0.7


# Faint sites


@pytest.mark.parametrize("miss", [0.02, 0.05, 0.1, 0.2, 0.3, 0.4])
@pytest.mark.parametrize("frames", [40, 80])
def test_static_columns_get_no_rate_however_often_they_are_missed(miss, frames):
    """Taken for hops, misses at 0.2 gave half of the sites a rate, and 0.3 on average."""
    seen, _ = simulate(0, 1, sites=400, frames=frames, errors=with_rates(miss=miss))
    table = fit(seen, FAINT_DOSE).table
    assert (table["hop_rate_low"] > 0).mean() <= 0.05
    assert (table["hop_rate"] > 0).mean() <= 0.05
    if miss >= 0.2:
        assert table["faint"].mean() > 0.9


@pytest.mark.parametrize("false", [0.02, 0.1, 0.2])
def test_empty_sites_get_no_rate_however_often_something_is_seen_there(false):
    seen, _ = simulate(0, 0, sites=400, errors=with_rates(false=false))
    assert (fit(seen, FAINT_DOSE).table["hop_rate"] > 0).mean() <= 0.05


@pytest.mark.parametrize(
    ("p_appear", "p_vanish"), [(0.02, 0.02), (0.05, 0.05), (0.1, 0.1), (0.1, 0.02), (0.02, 0.1)]
)
def test_sites_that_hop_slowly_keep_their_rates(p_appear, p_vanish):
    """Nine in ten; and without those that are faint the mean is right."""
    hop_rate = 2 * p_appear * p_vanish / (p_appear + p_vanish)
    seen, _ = simulate(hop_rate, p_appear / (p_appear + p_vanish), errors=FAINT_DOSE, sites=400)
    table = fit(seen, FAINT_DOSE).table
    assert table["faint"].mean() < 0.13
    assert table["hop_rate"].mean() == pytest.approx(hop_rate, rel=0.25)
    known = table[~table["faint"]]
    assert known["hop_rate_low"].le(hop_rate).mean() > 0.92
    assert known["hop_rate_high"].ge(hop_rate).mean() > 0.92


def test_in_a_longer_series_fast_hops_are_told_from_faintness():
    shares = [
        fit(simulate(0.3, 0.5, errors=FAINT_DOSE, frames=frames)[0], FAINT_DOSE).table["faint"]
        for frames in (40, 160)
    ]
    assert shares[0].mean() > 0.3
    assert shares[1].mean() < 0.05


def test_a_faint_site_has_neither_rate_nor_occupancy_but_its_decision_stays():
    seen = np.ones((1, 40), np.int8)
    seen[0, [1, 5, 6, 11, 13, 19, 22, 26, 30, 31, 37]] = 0
    fitted = fit(seen)
    (row,) = fitted.table.to_dict("records")
    assert row["faint"]
    assert np.isnan([row[name] for name in ("hop_rate", "hop_rate_low", "p_appear")]).all()
    assert np.isnan(fitted.p_occupied).all()
    assert row["p_static"] < 0.05


def test_smoothing_is_the_posterior_over_all_hidden_paths():
    expected = np.empty(SEEN.shape)
    chains = CHAINS[[0, 1, 2, 0]]
    for site, (seen, chain) in enumerate(zip(SEEN, chains, strict=True)):
        weights, paths = path_probabilities(seen, *chain)
        expected[site] = weights @ paths / weights.sum()
    assert_allclose(hops.smooth_occupancy(SEEN, *chains.T), expected, rtol=1e-9)


def test_smoothing_fills_in_single_misses():
    seen, true = simulate(0.05, 0.5)
    fitted = fit(seen)
    known = ~fitted.table["faint"].to_numpy()
    smoothed, seen, true = fitted.p_occupied[known], seen[known], true[known]
    assert ((smoothed >= 0) & (smoothed <= 1)).all()
    assert ((smoothed > 0.5) != true).mean() < 0.6 * (seen != true).mean()


def test_holm_by_hand():
    p_values = np.array([0.01, np.nan, 0.04, 0.03, 0.005])
    # Sorted: 0.005 ≤ 0.05/4, 0.01 ≤ 0.05/3, 0.03 > 0.05/2, so 0.04 fails too.
    assert hops.significant(p_values).tolist() == [True, False, False, False, True]
    assert hops.significant(p_values, level=0.2).tolist() == [True, False, True, True, True]
    assert hops.significant(np.full(3, np.nan)).tolist() == [False] * 3
    assert hops.significant(np.empty(0)).tolist() == []
