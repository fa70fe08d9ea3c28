"""Tables of how well the atoms of columns are counted, from the answers to all columns.

All take the answers of :func:`atomsight.evaluation.heights.evaluate`, and have one or more rows per
method, range of tilts and dose. Where probabilities are needed, they are only of methods that state
them.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from atomsight.evaluation import classification
from atomsight.evaluation.classification import MISSED, NOTHING

#: What tells the settings apart.
SETTING = ["method", "tilt_low_deg", "tilt_high_deg", "dose_e_per_A2"]


def summarise(answers: pd.DataFrame, bins: int) -> pd.DataFrame:
    """Shares of the columns that are counted right, and wrong by how much.

    ``columns``; as shares of these ``exact`` (and ``exact_low, exact_high``, its 95 % interval),
    ``off_by_1, off_by_2, off_by_3plus, within_one``; ``missed, invented`` (numbers);
    ``errors_by_one`` (share of the columns not exact, the missed ones included, that are wrong by
    one); ``calibration_error`` (NaN where no probabilities are stated) and ``position_error_pm``.
    """
    return _by_setting(answers, lambda group: pd.DataFrame([_scores(group, bins)]))


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
    answers: pd.DataFrame, table: Callable[[pd.DataFrame], pd.DataFrame]
) -> pd.DataFrame:
    """One table after the other, the setting of each in front of its rows."""
    tables = []
    for setting, group in answers.groupby(SETTING, sort=False):
        rows = table(group)
        for place, (name, value) in enumerate(zip(SETTING, setting, strict=True)):
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
    off = (both["found_class"].astype(int) - both["true_class"].astype(int)).abs()
    columns = totals["columns"]
    by = {
        f"off_by_{name}": int(wrong.sum()) / columns
        for name, wrong in (("1", off == 1), ("2", off == 2), ("3plus", off >= 3))
    }
    wrong = 1 - totals["exact"]
    return {
        **{name: totals[name] for name in ("columns", "exact", "exact_low", "exact_high")},
        **by,
        "missed": totals["missed"],
        "invented": totals["invented"],
        "within_one": totals["exact"] + by["off_by_1"],
        "errors_by_one": by["off_by_1"] / wrong if wrong else float("nan"),
        "calibration_error": classification.calibration_error(*_stated(group), bins),
        "position_error_pm": totals["position_error_pm"],
    }
