"""What the figures of how good a model is draw alike: scores with intervals, untrained ranges."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from atomsight.figures.parts import style

#: Where a model was not trained.
UNTRAINED = {"facecolor": "#F6F2EA", "edgecolor": "#E6DCC9", "hatch": "////", "linewidth": 0}

#: Lines of peak finding.
CLASSICAL_DASHES = (2.5, 1.5)

#: Explains the shading.
UNTRAINED_HANDLE = Patch(**UNTRAINED, label="outside the trained range")


def draw_scores(axes: Axes, x: pd.Series, rows: pd.DataFrame, name: str, **look: object) -> Line2D:
    """Draw a score of a network with its interval, from its ``_low`` to its ``_high``."""
    (line,) = axes.plot(x, rows[name], zorder=3, **look)
    ends = [rows[f"{name}_{end}"] for end in ("low", "high")]
    axes.fill_between(x, *ends, color=line.get_color(), alpha=0.22, linewidth=0, zorder=2)
    return line


def shade_untrained(axes: Axes, values: pd.Series, low: float, high: float) -> None:
    """Shade what lies outside a trained range, on the sides where something was measured.

    The limits of the axis must be set.
    """
    left, right = axes.get_xlim()
    if values.min() < low:
        axes.axvspan(left, min(low, right), zorder=0, **UNTRAINED)
    if values.max() > high:
        axes.axvspan(max(high, left), right, zorder=0, **UNTRAINED)
    axes.set_xlim(left, right)


def trained_doses(scores: pd.DataFrame) -> tuple[float, float]:
    """Doses between which a model was trained, as far as ``in_range`` at rising doses tells.

    They are half-way, on a logarithmic scale, between the last dose outside and the first inside;
    infinite where all are inside, and an empty range if none is.
    """
    doses, inside = scores["dose_e_per_A2"].to_numpy(float), scores["in_range"].to_numpy(bool)
    if not inside.any():
        return float("inf"), float("inf")
    first, last = np.flatnonzero(inside)[[0, -1]]
    low = np.sqrt(doses[first - 1] * doses[first]) if first else 0.0
    high = np.sqrt(doses[last] * doses[last + 1]) if last + 1 < len(doses) else float("inf")
    return float(low), float(high)


def finish(axes: Axes) -> None:
    """Give a panel of shares its axis and faint lines."""
    axes.set(ylim=(0, 1.02))
    style.faint_lines(axes, "0.9", 0.5)


def legend_above(figure: Figure, handles: list, left: float, top: float = 0.27) -> None:
    """Explain the curves of a figure in one line under its title."""
    options = {"ncols": len(handles), "columnspacing": 1.6, "handlelength": 1.8}
    style.explain(figure, left, top, handles, loc="upper left", **options)
