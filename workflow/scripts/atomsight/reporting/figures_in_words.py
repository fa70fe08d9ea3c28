"""Figures of an evaluation as short text, rounded to what they are worth."""

import math

import pandas as pd

#: What stands where nothing was measured, or a quantity makes no sense.
NONE = "–"

#: Marks what a model was not trained on.
BEYOND = " †"


def dose(dose_e_per_A2: float) -> str:
    """Write a dose with three digits, thousands apart: ``31 600``."""
    rounded = float(f"{dose_e_per_A2:.3g}")
    return f"{rounded:,.0f}".replace(",", " ") if rounded >= 100 else f"{rounded:g}"


def share(value: float, low: float = math.nan, high: float = math.nan) -> str:
    """Write a share such as F1 with its interval, if known: ``0.992 (0.990–0.994)``."""
    return _with_interval(value, low, high, "{:.3f}")


def percent(value: float, low: float = math.nan, high: float = math.nan) -> str:
    """Write a share as :func:`share`, in percent: ``84.6 % (82.5–86.5)``."""
    return _with_interval(100 * value, 100 * low, 100 * high, "{:.1f}", " %")


def difference(value: float, low: float = math.nan, high: float = math.nan) -> str:
    """Write a signed number with its interval, if known: ``-0.06 (-0.10 to -0.02)``."""
    return _with_interval(value, low, high, "{:+.2f}", to=" to ")


def picometres(length_A: float) -> str:
    """Write an error of positions [Å] in picometres: ``3.4 pm``."""
    if math.isinf(length_A):
        return "no bound"
    return _with_interval(100 * length_A, math.nan, math.nan, "{:.1f}", " pm")


def bracketed(row: dict | pd.Series, name: str) -> str:
    """Write a share with its interval, if that is known."""
    return share(*ends(row, name))


def ends(row: dict | pd.Series, name: str) -> tuple[float, float, float]:
    """A value and the ends of its interval, NaN where they are not known."""
    return row[name], *(row.get(f"{name}{end}", math.nan) for end in ("_low", "_high"))


def _with_interval(
    value: float, low: float, high: float, form: str, unit: str = "", to: str = "–"
) -> str:
    if math.isnan(value):
        return NONE
    text = form.format(value) + unit
    if math.isnan(low) or math.isnan(high):
        return text
    return f"{text} ({form.format(low)}{to}{form.format(high)})"
