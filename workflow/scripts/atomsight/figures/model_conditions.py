"""How well a model finds atoms against every condition of the microscope."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from atomsight.figures import model_curves, style
from atomsight.figures.error_curves import dose_text

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
_WIDTH = 7.1
_PLOT = (2.0, 1.2)
_LEFT, _TOP = 0.42, 0.74
_STEP_X, _STEP_Y = 2.28, 1.78
_COLUMNS = 3
_MARGIN = 0.14


@style.styled()
def draw(scores: pd.DataFrame, model: str) -> Figure:
    """Draw F1 against every condition, a panel each and a curve per dose.

    Parameters
    ----------
    scores : DataFrame
        One row per condition, value and dose, with ``condition``, ``unit`` and :data:`COLUMNS`.
    model : str
        Name of the model.

    Returns
    -------
    Figure
        A panel per condition, in the order of the table.
    """
    names = list(dict.fromkeys(scores["condition"]))
    doses = sorted(scores["dose_e_per_A2"].unique())
    lines = -(-len(names) // _COLUMNS)
    figure = Figure(figsize=(_WIDTH, _TOP + lines * _STEP_Y - 0.1))
    for number, name in enumerate(names):
        row, column = divmod(number, _COLUMNS)
        place = _LEFT + column * _STEP_X, _TOP + row * _STEP_Y
        axes = style.place(figure, *place, *_PLOT)
        draw_condition(axes, scores[scores["condition"] == name], doses)
        style.letter(axes, "abcdefghijkl"[number])
        axes.set_ylabel("F1" if column == 0 else "")
        axes.tick_params(labelleft=column == 0)
    title = f"Model {model} on simulated graphene, one condition varied at a time"
    style.write(figure, 0.1, 0.06, title, weight="bold", size=8)
    _legend(figure, doses)
    return figure


def draw_condition(axes: Axes, scores: pd.DataFrame, doses: list[float]) -> None:
    """Draw F1 against one condition, and shade where the model was not trained.

    Parameters
    ----------
    axes : Axes
        Where to.
    scores : DataFrame
        Rows of one condition.
    doses : list of float
        All doses of the figure, which give the colours [e/Å²].
    """
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


def _legend(figure: Figure, doses: list[float]) -> None:
    """Explain the curves above the panels."""
    handles = [Line2D([], [], label=dose_text(dose), **_look(n)) for n, dose in enumerate(doses)]
    dashed = {"color": "0.4", "linewidth": 0.8, "dashes": model_curves.CLASSICAL_DASHES}
    handles.append(Line2D([], [], label="peak finding, best threshold", **dashed))
    handles.append(model_curves.UNTRAINED_HANDLE)
    model_curves.legend_above(figure, handles, _LEFT)
