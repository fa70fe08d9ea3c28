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
    """Ends of the 95 % confidence interval of F1.

    F1 is no share of anything, but J = TP / (TP + FP + FN) is one, and F1 = 2 J / (1 + J) rises
    with it. So the ends are those of Wilson's interval of J.
    """
    true_positives = np.asarray(true_positives, float)
    low, high = wilson_interval(true_positives, true_positives + false_positives + false_negatives)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def score_atoms(found: np.ndarray, truth: acquisition.Truth) -> dict[str, float]:
    """Compare the atoms found in an image, shape (N, 2) [Å], with the truth.

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
    """Score classical peak finding at its best in an image of counts.

    Sign of the contrast, filter and threshold are chosen with the truth in hand; ``peaks_filter``
    says which.
    """
    true = _positions(truth)
    found, how = peaks.find_best_in_sheet(image, pixel_size_A, true, truth.field_of_view_A)
    detection = scores.detection_scores(found, true, truth.field_of_view_A)
    row = {f"peaks_{name}": getattr(detection, name) for name in _CLASSICAL}
    return row | {"peaks_filter": how}


def _positions(truth: acquisition.Truth) -> np.ndarray:
    return truth.atoms[_POSITION].to_numpy(float)
