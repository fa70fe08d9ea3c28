"""How well a model finds atoms against every condition of the microscope.

Example:
    python plot.py model_conditions conditions.png --conditions conditions.csv --model graphene
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from atomsight.figures.parts import error_curves, model_curves, mpl, page, score_tables, style
from atomsight.figures.parts.entry import Picture

if TYPE_CHECKING:
    import pandas as pd

CAPTION = """
F1 of the model {wildcards.model} on simulated polycrystalline graphene when one condition of the
microscope is varied and the others stay favourable, one curve for every dose, with 95 % intervals.
Dashed is classical peak finding on the same images, with a filter and a threshold chosen with the
truth in hand, which no user has. Hatched values are outside the model's training ranges.
"""
MEMORY_MB = 1000


def of_model(sheet: Any, of: str, model: str) -> dict[str, Any]:
    return {"conditions": f"results/{of}/{model}/conditions.csv", "model": model}


PICTURES = (
    Picture("results/{of}/{model}/conditions.png", of_model, "conditions", "Metrics", "atoms"),
)

#: Columns of numbers that are drawn, besides ``condition`` and ``unit``.
COLUMNS = (
    "value",
    "dose_e_per_A2",
    "trained_low",
    "trained_high",
    "in_range",
    "f1",
    "f1_low",
    "f1_high",
    "peaks_f1",
)

#: What conditions are called on an axis.
LABELS = {
    "defocus": "defocus, underfocus positive",
    "cs": "spherical aberration Cs",
    "astigmatism": "twofold astigmatism",
    "vibration": "rms vibration",
    "pixel size": "pixel size",
    "tilt": "tilt of the sheet",
}

#: Colours and marks of the doses, from the lowest.
_LOOKS = (("C1", "s"), ("C0", "o"), ("C2", "D"), ("C3", "^"))

#: Places and sizes [inch].
_PLOT = (2.0, 1.2)
_LEFT, _TOP = 0.42, 0.74
_STEP_X, _STEP_Y = 2.28, 1.78
_COLUMNS = 3


def plot(
    conditions: Annotated[Path, "scores by condition, the first table of evaluate.py conditions"],
    model: Annotated[str, "name of the model, for the title"] = "",
):
    return draw(score_tables.read(conditions, COLUMNS, ("condition", "unit")), model)


def draw(scores: pd.DataFrame, model: str) -> mpl.Figure:
    """Draw F1 against every condition, a panel each in the order of the table, a curve per dose."""
    names = list(dict.fromkeys(scores["condition"]))
    doses = sorted(scores["dose_e_per_A2"].unique())
    lines = -(-len(names) // _COLUMNS)
    figure = mpl.Figure(figsize=(page.WIDTH, _TOP + lines * _STEP_Y - 0.1))
    for number, name in enumerate(names):
        row, column = divmod(number, _COLUMNS)
        place = _LEFT + column * _STEP_X, _TOP + row * _STEP_Y
        axes = style.place(figure, *place, *_PLOT)
        draw_condition(axes, scores[scores["condition"] == name], doses)
        style.letter(axes, "abcdefghijkl"[number])
        axes.set_ylabel("F1" if column == 0 else "")
        axes.tick_params(labelleft=column == 0)
    title = f"Model {model} on simulated graphene, one condition varied at a time"
    style.write_title(figure, 0.1, 0.06, title)
    _legend(figure, doses)
    return figure


def draw_condition(axes: mpl.Axes, scores: pd.DataFrame, doses: list[float]) -> None:
    """Draw F1 against one condition, and shade where the model was not trained."""
    values = scores["value"]
    margin = 0.04 * max(float(np.ptp(values)), 1e-9) or 1.0
    axes.set_xlim(values.min() - margin, values.max() + margin)
    low, high = scores[["trained_low", "trained_high"]].iloc[0]
    # A range that is a single value is left clear as wide as a mark.
    slack = margin if low == high else 0
    model_curves.shade_untrained(axes, values, low - slack, high + slack)
    for number, dose in enumerate(doses):
        rows = scores[scores["dose_e_per_A2"] == dose].sort_values("value")
        look = _look(number)
        classical = {"linewidth": 0.8, "dashes": model_curves.CLASSICAL_DASHES}
        axes.plot(rows["value"], rows["peaks_f1"], color=look["color"], zorder=2.5, **classical)
        model_curves.draw_scores(axes, rows["value"], rows, "f1", **look)
    model_curves.finish(axes)
    name, unit = scores[["condition", "unit"]].iloc[0]
    axes.set_xlabel(f"{LABELS.get(name, name)} ({unit})")


def _look(number: int) -> dict[str, object]:
    colour, marker = _LOOKS[number % len(_LOOKS)]
    return {"color": colour, "marker": marker, "markersize": 2.8, "linewidth": 1.1}


def _legend(figure: mpl.Figure, doses: list[float]) -> None:
    """Explain the curves above the panels."""
    handles = [
        mpl.Line2D([], [], label=error_curves.dose_text(dose), **_look(n))
        for n, dose in enumerate(doses)
    ]
    dashed = {"color": "0.4", "linewidth": 0.8, "dashes": model_curves.CLASSICAL_DASHES}
    handles.append(mpl.Line2D([], [], label="peak finding, best threshold", **dashed))
    handles.append(model_curves.UNTRAINED_HANDLE)
    model_curves.legend_above(figure, handles, _LEFT)
