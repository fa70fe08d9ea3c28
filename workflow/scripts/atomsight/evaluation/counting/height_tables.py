"""Tables of how well the atoms of columns are counted, from the answers to all columns.

All take the answers of :func:`atomsight.evaluation.heights.evaluate`, and have one or more rows per
method, camera, range of tilts and dose. Where probabilities are needed, they are only of methods
that state them.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from atomsight.evaluation import classification
from atomsight.evaluation.classification import MISSED, NOTHING

#: What tells the settings apart.
SETTING = ["method", "camera", "tilt_low_deg", "tilt_high_deg", "dose_e_per_A2"]

#: What does so besides where displacements of the atoms are varied.
DISPLACEMENTS = ["thermal_displacement_A", "static_displacement_A"]

#: The greatest height that the paper counts.
_GREATEST_OF_PAPER = 6


def summarise(
    answers: pd.DataFrame, bins: int, setting: Sequence[str] = tuple(SETTING)
) -> pd.DataFrame:
    """Shares of the columns that are counted right, and wrong by how much.

    ``columns``; as shares of these ``exact`` (and ``exact_low, exact_high``, its 95 % interval),
    ``off_by_1, off_by_2, off_by_3plus, within_one``; ``exact_1_6``, likewise, of the columns of 1
    to 6 atoms; ``mean_error`` (counted less true, over the columns found), likewise;
    ``missed, invented`` (numbers); ``errors_by_one`` (share of the columns not exact, the missed
    ones included, that are wrong by one); ``calibration_error`` (NaN where no probabilities are
    stated) and ``position_error_pm``.
    """
    return _by_setting(answers, lambda group: pd.DataFrame([_scores(group, bins)]), setting)


def confusion(answers: pd.DataFrame) -> pd.DataFrame:
    """How often a ``true_height`` (0: there is none) has a ``counted_height`` (0: missed)."""
    names = {"true_class": "true_height", "found_class": "counted_height"}
    table = _by_setting(answers, classification.confusion).rename(columns=names)
    heights = table[list(names.values())].replace({MISSED: "0", NOTHING: "0"}).astype(int)
    return table.assign(**heights)


def reliability(answers: pd.DataFrame, bins: int) -> pd.DataFrame:
    """Stated probabilities beside the share that is right."""
    return _by_setting(answers, lambda group: classification.calibration(*_stated(group), bins))


def abstention(answers: pd.DataFrame) -> pd.DataFrame:
    """What leaving the least certain answers out gains."""
    return _by_setting(answers, lambda group: classification.abstention(*_stated(group)))


def _by_setting(
    answers: pd.DataFrame,
    table: Callable[[pd.DataFrame], pd.DataFrame],
    setting: Sequence[str] = tuple(SETTING),
) -> pd.DataFrame:
    """One table after the other, the setting of each in front of its rows."""
    tables = []
    for values, group in answers.groupby(list(setting), sort=False):
        rows = table(group)
        for place, (name, value) in enumerate(zip(setting, values, strict=True)):
            rows.insert(place, name, value)
        tables.append(rows)
    return pd.concat(tables, ignore_index=True)


def _stated(group: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    p, right = classification.stated(group)
    known = np.isfinite(p)
    return p[known], right[known]


def _scores(group: pd.DataFrame, bins: int) -> dict[str, float]:
    totals = classification.totals(group)
    both = group[(group["true_class"] != NOTHING) & (group["found_class"] != MISSED)]
    error = both["found_class"].astype(int) - both["true_class"].astype(int)
    off = error.abs()
    columns = totals["columns"]
    by = {
        f"off_by_{name}": int(wrong.sum()) / columns
        for name, wrong in (("1", off == 1), ("2", off == 2), ("3plus", off >= 3))
    }
    wrong = 1 - totals["exact"]
    return {
        **{name: totals[name] for name in ("columns", "exact", "exact_low", "exact_high")},
        **by,
        **_of_paper(group),
        **_mean_error(error.to_numpy()),
        "missed": totals["missed"],
        "invented": totals["invented"],
        "within_one": totals["exact"] + by["off_by_1"],
        "errors_by_one": by["off_by_1"] / wrong if wrong else float("nan"),
        "calibration_error": classification.calibration_error(*_stated(group), bins),
        "position_error_pm": totals["position_error_pm"],
    }


def _of_paper(group: pd.DataFrame) -> dict[str, float]:
    """Share of exact counts among the columns that are no higher than those of the paper."""
    low = pd.to_numeric(group["true_class"], errors="coerce") <= _GREATEST_OF_PAPER
    totals = classification.totals(group[low])
    return {f"exact_1_6{end}": totals[f"exact{end}"] for end in ("", "_low", "_high")}


def _mean_error(errors: np.ndarray) -> dict[str, float]:
    """Mean of the errors of counts, and its 95 % interval; NaN where there are too few."""
    mean, half = float("nan"), float("nan")
    if len(errors):
        mean = float(errors.mean())
    if len(errors) > 1:
        half = float(stats.t.ppf(0.975, len(errors) - 1) * stats.sem(errors))
    return {"mean_error": mean, "mean_error_low": mean - half, "mean_error_high": mean + half}
