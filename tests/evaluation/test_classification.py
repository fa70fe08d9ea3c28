"""Scores of heights and species: what is right, and how sure one may be."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binomtest

from atomsight.evaluation import classification

VIEW_A = (25.0, 25.0)


def columns(rows):
    return pd.DataFrame(rows, columns=["x_A", "y_A", "class", "p_class"])


def pairs_of(true, found, p=1.0):
    """Pairs as if they had been matched."""
    return pd.DataFrame({"true_class": true, "found_class": found, "p_class": p})


FOUND = columns([(5, 5, "2", 0.9), (8.1, 5, "3", 0.5), (20, 20, "1", 0.4), (10, 10, "10", 0.8)])
TRUE = columns([(5, 5, "2", 1), (8, 5, "2", 1), (10, 10, "10", 1), (15, 15, "3", 1)])


def paired(found=FOUND, true=TRUE, **more):
    return classification.pair_columns(found, true, VIEW_A, 0.5, **more)


def test_every_true_column_is_answered_once_and_inventions_are_kept():
    pairs = paired()
    answers = list(zip(pairs["true_class"], pairs["found_class"], strict=True))
    assert answers == [("2", "2"), ("2", "3"), ("10", "10"), ("3", "missed"), ("none", "1")]
    assert_allclose(pairs["p_class"], [0.9, 0.5, 0.8, np.nan, 0.4])
    assert_allclose(pairs["x_error_A"], [0, 0.1, 0, np.nan, np.nan], atol=1e-12)


def test_columns_in_the_rim_do_not_count_but_take_their_partner():
    found = columns([(1.9, 10, "1", 1), (2.1, 20, "2", 1), (1.0, 5, "3", 1)])
    true = columns([(2.1, 10, "1", 1), (1.9, 20, "1", 1)])
    pairs = paired(found, true, border_A=2.0)
    # The second is found inside but is truly in the rim; the third is an invention in the rim.
    assert pairs[["true_class", "found_class"]].to_numpy().tolist() == [["1", "1"]]


def test_a_column_is_paired_with_the_nearest_whatever_its_class():
    found = columns([(5.3, 5, "Mo", 1), (5.1, 5, "S", 1)])
    pairs = paired(found, columns([(5, 5, "Mo", 1)]))
    assert sorted(pairs["found_class"]) == ["Mo", "S"]
    assert pairs.loc[pairs["true_class"] == "Mo", "found_class"].tolist() == ["S"]


def test_regions_go_with_the_true_columns():
    pairs = paired(true=TRUE.assign(region=["edge", "bulk", "bulk", "edge"]))
    assert pairs["region"].tolist() == ["edge", "bulk", "bulk", "edge", ""]


@pytest.mark.parametrize(
    ("found", "true"), [(FOUND[:0], TRUE), (FOUND, TRUE[:0]), (FOUND[:0],) * 2]
)
def test_nothing_found_or_nothing_there_is_no_error(found, true):
    pairs = paired(found, true)
    assert len(pairs) == len(found) + len(true)
    totals = classification.totals(pairs)
    assert totals["columns"] == totals["missed"] == len(true)
    assert totals["invented"] == len(found)
    assert np.isnan(totals["position_error_pm"])
    assert np.isnan(classification.calibration_error(*classification.stated(pairs)))
    assert classification.abstention(*classification.stated(pairs)).empty
    assert classification.confusion(pairs)["columns"].sum() == len(pairs)


def test_confusion_counts_everything_once_in_the_order_of_the_heights():
    counts = classification.confusion(paired())
    answers = counts["true_class"] + " " + counts["found_class"]
    assert answers.tolist() == ["2 2", "2 3", "3 missed", "10 10", "none 1"]
    assert (counts["columns"] == 1).all()


def test_totals_of_four_columns():
    totals = classification.totals(paired())
    assert (totals["columns"], totals["exact"]) == (4, 0.5)
    assert (totals["missed"], totals["invented"]) == (1, 1)
    assert totals["exact_low"] < 0.5 < totals["exact_high"]
    assert_allclose(totals["position_error_pm"], 100 * np.sqrt(0.1**2 / 6))


def test_scores_of_a_species():
    true = ["S"] * 8 + ["S2"] * 12 + ["none"]
    found = ["S"] * 6 + ["S2", "missed"] + ["S2"] * 10 + ["S"] * 2 + ["S"]
    scores = classification.class_scores(pairs_of(true, found), ["Mo", "S2", "S"])
    mo, _, s = scores.to_dict("records")
    assert_allclose([s["recall"], s["precision"], s["f1"]], [6 / 8, 6 / 9, 2 * 6 / (8 + 9)])
    assert mo["columns"] == 0
    assert np.isnan(mo["f1"])


@pytest.mark.parametrize(("given", "confidence"), [((0.9,), 0.9), ((), 0.95)])
def test_wilson_interval_agrees_with_scipy(given, confidence):
    counts = np.array([[0, 10], [5, 10], [8, 10], [10, 10], [5823, 5850]])
    known = [binomtest(*one).proportion_ci(confidence, method="wilson") for one in counts]
    ends = classification.wilson_interval(*counts.T, *given)
    assert_allclose(np.transpose(ends), known, atol=1e-12)
    assert_allclose(classification.wilson_interval(0, 0, confidence), [0, 1])


def answers(count, sure=1.0, seed=0):
    """Answers that are right as often as they say, or that overstate it."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.3, 1, count)
    return p, rng.random(count) < sure * p


def test_honest_probabilities_have_no_calibration_error():
    p, right = answers(200_000)
    table = classification.calibration(p, right)
    assert_allclose(table["exact"], table["confidence"], atol=0.01)
    assert table["columns"].sum() == len(p)
    assert classification.calibration_error(p, right) < 0.005


def test_calibration_error_is_the_mean_overstatement():
    p, right = answers(200_000, sure=0.8)
    assert_allclose(classification.calibration_error(p, right), np.mean(0.2 * p), atol=0.005)


def test_certain_and_impossible_answers_have_their_bins():
    table = classification.calibration(np.array([0.0, 1.0]), np.array([False, True]))
    assert table[["low", "high", "exact"]].to_numpy().tolist() == [[0, 0.1, 0], [0.9, 1, 1]]


def test_only_answers_to_true_columns_are_stated():
    pairs = pairs_of(["1", "2", "3", "none"], ["1", "1", "missed", "2"], [0.9, 0.6, np.nan, 0.8])
    p, right = classification.stated(pairs)
    assert p.tolist() == [0.9, 0.6]
    assert right.tolist() == [True, False]


def test_abstaining_buys_fewer_errors():
    p, right = answers(50_000)
    table = classification.abstention(p, right, points=20)
    assert len(table) == 20
    assert_allclose(table["answered_share"], np.arange(1, 21) / 20, atol=1e-3)
    assert (table["error"].diff().dropna() > 0).all()
    last = table.iloc[-1]
    assert last["answered_share"] == 1
    assert_allclose(last["error"], 1 - right.mean())
    # Those above 0.65 are wrong as often as they say.
    half = table[np.isclose(table["answered_share"], 0.5, atol=1e-3)].iloc[0]
    assert_allclose(half["min_p"], 0.65, atol=0.01)
    assert_allclose(half["error"], 1 - 0.825, atol=0.01)


def test_answers_of_one_probability_stand_or_fall_together():
    table = classification.abstention(np.array([0.9, 0.5, 0.5, 0.5]), np.array([1, 1, 0, 0], bool))
    assert table.to_numpy().tolist() == [[0.9, 0.25, 0], [0.5, 1, 0.5]]
