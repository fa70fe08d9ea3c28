"""How well the classes of columns, heights or species, are identified.

Classes are texts here, such as ``7`` or ``S2``. Two more stand for what was not paired: a true
column that was not found is answered with :data:`MISSED`, and what was found where there is nothing
is in truth :data:`NOTHING`.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import scipy

from atomsight.analysis.matching import match_atoms
from atomsight.evaluation.scores import BORDER_A, inside

#: Answer to a true column that was not found.
MISSED = "missed"

#: Truth of what was found where there is nothing.
NOTHING = "none"

_POSITION = ["x_A", "y_A"]


def pair_columns(
    found: pd.DataFrame,
    true: pd.DataFrame,
    field_of_view_A: tuple[float, float],
    radius_A: float,
    border_A: float = BORDER_A,
) -> pd.DataFrame:
    """Say of every column what was answered, and of every answer what is true.

    All columns are paired before the rim is left out, and a pair counts where its true column lies.

    Parameters
    ----------
    found : DataFrame
        ``x_A, y_A, class, p_class`` of the columns found.
    true : DataFrame
        ``x_A, y_A, class`` of the true columns, also of those in the rim and just outside the
        image; ``region`` if known.
    field_of_view_A : tuple of 2 floats
        Distance ``(x, y)`` from the centre of the first pixel to that of the last [Å].
    radius_A, border_A : float
        Largest distance of a pair, and width of the rim that does not count [Å].

    Returns
    -------
    DataFrame
        One row per true column that counts and per invention: ``true_class, found_class, region``
        (empty if not known), ``p_class`` (NaN if missed) and ``x_error_A, y_error_A`` (NaN without
        a pair).
    """
    found_positions, true_positions = (
        table[_POSITION].to_numpy(float).reshape(-1, 2) for table in (found, true)
    )
    found_index, true_index = match_atoms(found_positions, true_positions, radius_A)
    partner = np.full(len(true), -1)
    partner[true_index] = found_index
    alone = np.ones(len(found), bool)
    alone[found_index] = False

    counted = np.flatnonzero(inside(true_positions, field_of_view_A, border_A))
    invented = np.flatnonzero(alone & inside(found_positions, field_of_view_A, border_A))
    answer = np.concatenate([partner[counted], invented])
    truth = np.concatenate([counted, np.full(len(invented), -1)])
    pairs = {
        "true_class": _taken(_texts(true["class"]), truth, NOTHING),
        "found_class": _taken(_texts(found["class"]), answer, MISSED),
        "region": _taken(
            _texts(true["region"]) if "region" in true else [""] * len(true), truth, ""
        ),
        "p_class": _taken(found["p_class"].to_numpy(float), answer, np.nan),
    }
    both = (answer >= 0) & (truth >= 0)
    errors = np.full((len(truth), 2), np.nan)
    errors[both] = found_positions[answer[both]] - true_positions[truth[both]]
    return pd.DataFrame(pairs | {"x_error_A": errors[:, 0], "y_error_A": errors[:, 1]})


def _texts(values: Iterable) -> list[str]:
    return [str(value) for value in values]


def _taken(values: Iterable, index: np.ndarray, otherwise: object) -> np.ndarray:
    """Values at an index; something else where the index is -1."""
    kind = float if isinstance(otherwise, float) else object
    return np.array([*values, otherwise], dtype=kind)[index]


def cap_heights(heights: Iterable, largest: int) -> list[str]:
    """Let the last class of a model that counts stand for all heights from its own on."""
    return [str(min(int(height), largest)) for height in heights]


def confusion(pairs: pd.DataFrame) -> pd.DataFrame:
    """Count the answers to every class that occur: ``true_class, found_class, columns``, sorted."""
    counts = pairs.groupby(["true_class", "found_class"]).size().rename("columns").reset_index()
    order = counts[["true_class", "found_class"]].map(_class_order)
    return counts.loc[order.sort_values(["true_class", "found_class"]).index].reset_index(drop=True)


def _class_order(name: str) -> tuple[int, int, str]:
    """Numbers by size, then names, then what stands for no class."""
    if name in (MISSED, NOTHING):
        return 2, 0, name
    return (0, int(name), "") if name.isdigit() else (1, 0, name)


def totals(pairs: pd.DataFrame) -> dict[str, float]:
    """Share of the columns with the right class, and what was missed and invented.

    ``columns`` is the number of true ones, ``exact`` the share found with the right class, with its
    95 % interval ``exact_low, exact_high``; ``missed, invented`` are numbers, ``position_error_pm``
    is the root mean square along one axis over those found, NaN if none was.
    """
    true = pairs["true_class"] != NOTHING
    columns = int(true.sum())
    exact = int((pairs["true_class"] == pairs["found_class"]).sum())
    low, high = wilson_interval(exact, columns)
    errors = pairs[["x_error_A", "y_error_A"]].to_numpy()
    return {
        "columns": columns,
        "exact": exact / columns if columns else float("nan"),
        "exact_low": float(low),
        "exact_high": float(high),
        "missed": int((pairs["found_class"] == MISSED).sum()),
        "invented": int((~true).sum()),
        "position_error_pm": 100 * _root_mean_square(errors[np.isfinite(errors)]),
    }


def _root_mean_square(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(errors**2))) if errors.size else float("nan")


def class_scores(pairs: pd.DataFrame, classes: Iterable[str]) -> pd.DataFrame:
    """``class, columns`` (true ones), ``precision, recall, f1``; NaN where nothing is counted."""
    true, found = pairs["true_class"], pairs["found_class"]
    rows = []
    for name in classes:
        there, told = int((true == name).sum()), int((found == name).sum())
        right = int(((true == name) & (found == name)).sum())
        rows.append(
            {
                "class": name,
                "columns": there,
                "precision": _share(right, told),
                "recall": _share(right, there),
                "f1": _share(2 * right, told + there),
            }
        )
    return pd.DataFrame(rows)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def stated(pairs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of the answers to true columns, and whether these are right.

    A class is stated on the condition that there is a column, so inventions are not among them.
    """
    answered = pairs[(pairs["true_class"] != NOTHING) & (pairs["found_class"] != MISSED)]
    right = (answered["true_class"] == answered["found_class"]).to_numpy(bool)
    return answered["p_class"].to_numpy(float), right


def wilson_interval(
    successes: np.ndarray, trials: np.ndarray, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the confidence interval of a probability of success; 0 and 1 without a trial.

    E. B. Wilson, *J. Am. Stat. Assoc.* 22, 209 (1927).
    """
    successes, trials = np.asarray(successes, float), np.asarray(trials, float)
    z = scipy.stats.norm.ppf((1 + confidence) / 2)
    share = successes / np.maximum(trials, 1)
    weight = trials + z**2
    centre = (successes + z**2 / 2) / weight
    half = z * np.sqrt(trials * share * (1 - share) + z**2 / 4) / weight
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def calibration(p: np.ndarray, right: np.ndarray, bins: int = 10) -> pd.DataFrame:
    """Compare stated probabilities with how often the answers are right.

    One row per equally wide bin that holds an answer: ``low, high`` (its ends), ``confidence``
    (mean stated probability), ``columns`` (answers), ``exact`` (share right).
    """
    p, right = np.asarray(p, float), np.asarray(right, float)
    of_answer = np.minimum((p * bins).astype(int), bins - 1)
    columns = np.bincount(of_answer, minlength=bins)
    taken = np.flatnonzero(columns)
    return pd.DataFrame(
        {
            "low": taken / bins,
            "high": (taken + 1) / bins,
            "confidence": np.bincount(of_answer, p, bins)[taken] / columns[taken],
            "columns": columns[taken],
            "exact": np.bincount(of_answer, right, bins)[taken] / columns[taken],
        }
    )


def calibration_error(p: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error, Σ n_b |exact_b - confidence_b| / Σ n_b; NaN without answers.

    The bins b are those of :func:`calibration`. Naeini, Cooper and Hauskrecht, AAAI 2015.
    """
    table = calibration(p, right, bins)
    if table.empty:
        return float("nan")
    return float(np.average((table["exact"] - table["confidence"]).abs(), weights=table["columns"]))


def abstention(p: np.ndarray, right: np.ndarray, points: int = 100) -> pd.DataFrame:
    """What leaving the least certain answers out gains.

    ``min_p`` (answers below it are left out), ``answered_share``, ``error`` (share wrong of those
    answered), from few answers to all, in at most ``points`` rows spread evenly over the share.
    Answers of one probability stand or fall together.
    """
    p, right = np.asarray(p, float), np.asarray(right, bool)
    order = np.argsort(-p, kind="stable")
    sorted_p, wrong = p[order], np.cumsum(~right[order])
    ends = np.flatnonzero(np.diff(sorted_p, append=-np.inf))
    wanted = np.linspace(0, len(p), points + 1)[1:]
    kept = (
        np.unique(ends[np.searchsorted(ends + 1, wanted).clip(max=len(ends) - 1)])
        if len(p)
        else ends
    )
    return pd.DataFrame(
        {
            "min_p": sorted_p[kept],
            "answered_share": (kept + 1) / max(len(p), 1),
            "error": wrong[kept] / (kept + 1),
        }
    )
