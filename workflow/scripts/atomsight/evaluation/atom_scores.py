"""Scores of the atoms of one image as a row of a table, with their intervals."""

import dataclasses

import numpy as np

from atomsight.analysis.matching import match_atoms
from atomsight.evaluation import peaks, scores
from atomsight.evaluation.classification import wilson_interval
from atomsight.phantoms import acquisition

_POSITION = ["x_A", "y_A"]

#: Classical scores that are kept.
_CLASSICAL = ("precision", "recall", "f1", "rms_error_A")


def f1_interval(
    true_positives: np.ndarray, false_positives: np.ndarray, false_negatives: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """95 % confidence interval of F1.

    Parameters
    ----------
    true_positives, false_positives, false_negatives : array-like of any one shape
        Counts.

    Returns
    -------
    low, high : ndarrays of that shape
        Ends of the interval.

    Notes
    -----
    F1 is no share of anything, but J = TP / (TP + FP + FN) is one, and F1 = 2 J / (1 + J) rises
    with it. So the ends are those of Wilson's interval of J.
    """
    true_positives = np.asarray(true_positives, float)
    low, high = wilson_interval(true_positives, true_positives + false_positives + false_negatives)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def score_atoms(found: np.ndarray, truth: acquisition.Truth) -> dict[str, float]:
    """Compare the atoms found in an image with the truth.

    Parameters
    ----------
    found : ndarray of shape (N, 2)
        Positions found [Å].
    truth : Truth
        The true atoms.

    Returns
    -------
    dict of str to float
        The scores of :class:`atomsight.evaluation.scores.DetectionScores`; ``recall_<region>`` and
        ``atoms_<region>``, the number of true atoms there; and with ``_low`` and ``_high`` the 95 %
        intervals of precision, recall and F1, as if atoms were right or wrong one by one.
    """
    true = _positions(truth)
    detection = scores.detection_scores(found, true, truth.field_of_view_A)
    row = dataclasses.asdict(detection)
    hits, inventions, misses = (
        row[name] for name in ("true_positives", "false_positives", "false_negatives")
    )
    _bracket(row, "precision", wilson_interval(hits, hits + inventions))
    _bracket(row, "recall", wilson_interval(hits, hits + misses))
    _bracket(row, "f1", f1_interval(hits, inventions, misses))
    _, matched = match_atoms(found, true, scores.MATCHING_RADIUS_A)
    is_found = np.isin(np.arange(len(true)), matched)
    region = truth.atoms["region"].to_numpy()
    counts = scores.inside(true, truth.field_of_view_A)
    for name in sorted(set(region[counts])):
        of_region = is_found[counts & (region == name)]
        row[f"recall_{name}"] = float(of_region.mean())
        row[f"atoms_{name}"] = len(of_region)
        _bracket(row, f"recall_{name}", wilson_interval(of_region.sum(), len(of_region)))
    return row


def _bracket(row: dict, name: str, ends: tuple[np.ndarray, np.ndarray]) -> None:
    row[f"{name}_low"], row[f"{name}_high"] = map(float, ends)


def score_peaks(
    image: np.ndarray, pixel_size_A: float, truth: acquisition.Truth
) -> dict[str, float | str]:
    """Score classical peak finding at its best.

    Parameters
    ----------
    image : ndarray of shape (H, W)
        Counts.
    pixel_size_A : float
        Size of a pixel [Å].
    truth : Truth
        The true atoms; sign of the contrast, filter and threshold are chosen with them in hand.

    Returns
    -------
    dict
        ``peaks_precision, peaks_recall, peaks_f1, peaks_rms_error_A``, and ``peaks_filter``, which
        says how.
    """
    true = _positions(truth)
    best: dict = {"f1": -1.0}
    for sign, look in ((1, "bright"), (-1, "dark")):
        found = {
            one: peaks.find_peaks(sign * image, pixel_size_A, one, peaks.MIN_DISTANCE_IN_SHEETS_A)
            for one in peaks.FILTERS
        }
        chosen = peaks.find_best([found], [true])
        detection = scores.detection_scores(chosen.found[0], true, truth.field_of_view_A)
        if detection.f1 > best["f1"]:
            best = dataclasses.asdict(detection) | {"filter": f"{look}, {chosen.chosen}"}
    return {f"peaks_{name}": best[name] for name in (*_CLASSICAL, "filter")}


def _positions(truth: acquisition.Truth) -> np.ndarray:
    return truth.atoms[_POSITION].to_numpy(float)
