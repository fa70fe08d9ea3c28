"""How well columns of tilted particles are found, against the dose (the paper, Fig 9)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from cmcrameri import cm
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from atomsight.figures import style

#: Columns that are drawn.
COLUMNS = (
    "zone_axis",
    "tilt_deg",
    "dose_e_per_A2",
    "particles",
    "f1",
    "rms_error_pm",
    "classical_f1",
    "classical_rms_error_pm",
)

#: Places and sizes [inch].
_LEFT, _TOP, _MARGIN = 0.5, 0.46, 0.12
_GAP_X, _GAP_Y = 0.22, 0.16
_HEIGHTS = (1.75, 1.35)
_LEGEND = 1.4
_FOOTER = 0.4
_WIDTH = 7.1
_WIDEST = 2.6

#: Marks of the tilts, from the smallest.
_MARKERS = "osD^vPX*"

_DASHES = (2.5, 1.5)


@style.styled()
def draw(scores: pd.DataFrame) -> Figure:
    """Draw F1 and the position error against the dose, a curve per tilt, a panel per zone axis.

    Parameters
    ----------
    scores : DataFrame
        One row per zone axis, tilt and dose, with :data:`COLUMNS`.

    Returns
    -------
    Figure
        Above F1, below the position error; the classical peak finding is dashed.
    """
    axes_names = sorted(scores["zone_axis"].astype(str).unique())
    tilts = sorted(scores["tilt_deg"].unique())
    count = len(axes_names)
    room = _WIDTH - _LEFT - _LEGEND - _MARGIN - (count - 1) * _GAP_X
    width = min(room / count, _WIDEST)
    used = _LEFT + count * width + (count - 1) * _GAP_X
    figure = Figure(figsize=(used + _LEGEND + _MARGIN, _TOP + sum(_HEIGHTS) + _GAP_Y + _FOOTER))
    lefts = _LEFT + np.arange(count) * (width + _GAP_X)
    below = _TOP + _HEIGHTS[0] + _GAP_Y
    upper = [style.place(figure, left, _TOP, width, _HEIGHTS[0]) for left in lefts]
    lower = [style.place(figure, left, below, width, _HEIGHTS[1]) for left in lefts]
    for name, f1, error in zip(axes_names, upper, lower, strict=True):
        part = scores[scores["zone_axis"].astype(str) == name]
        draw_curves(f1, part, tilts, "f1")
        draw_curves(error, part, tilts, "rms_error_pm")
    _finish(upper, lower, scores)
    for axes, mark, name in zip(upper, "abcdefg", axes_names, strict=False):
        style.letter(axes, mark, f"⟨{name}⟩ zone axis")
    title = f"Simulated particles, none of the training; {_particles(scores)} per point"
    style.write(figure, 0.1, 0.06, title, weight="bold", size=8)
    _legend(figure, tilts, used + 0.1)
    return figure


def _particles(scores: pd.DataFrame) -> str:
    fewest, most = int(scores["particles"].min()), int(scores["particles"].max())
    return f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"


def draw_curves(axes: Axes, scores: pd.DataFrame, tilts: Sequence[float], name: str) -> None:
    """Draw a score against the dose, a curve per tilt, the classical one dashed.

    Parameters
    ----------
    axes : Axes
        Where to.
    scores : DataFrame
        Rows of one zone axis.
    tilts : sequence of float
        All tilts of the figure, which give the colours [°].
    name : str
        The score; ``classical_`` before it is the score of peak finding.
    """
    for index, tilt in enumerate(tilts):
        rows = scores[scores["tilt_deg"] == tilt].sort_values("dose_e_per_A2")
        look = _look(index, len(tilts))
        dose = rows["dose_e_per_A2"]
        classical = look | {"marker": "", "linewidth": 0.8, "dashes": _DASHES}
        axes.plot(dose, rows[f"classical_{name}"], zorder=2, **classical)
        axes.plot(dose, rows[name], zorder=3, **look)
    axes.set_xscale("log")


def _look(index: int, count: int) -> dict[str, object]:
    """Colour and mark of a tilt: darker is less."""
    colour = cm.batlow(0.08 + 0.72 * index / max(count - 1, 1))
    return {"color": colour, "marker": _MARKERS[index % len(_MARKERS)], "markersize": 3}


def _finish(upper: Sequence[Axes], lower: Sequence[Axes], scores: pd.DataFrame) -> None:
    """Give all panels of a row one scale, and labels to the first."""
    dose = scores["dose_e_per_A2"]
    errors = scores[["rms_error_pm", "classical_rms_error_pm"]].to_numpy(float)
    known = errors[np.isfinite(errors)]
    highest = 1.08 * known.max() if known.size else 1.0
    for f1, error in zip(upper, lower, strict=True):
        f1.set(ylim=(0, 1.02), xlim=(0.8 * dose.min(), 1.25 * dose.max()))
        error.set(ylim=(0, highest), xlim=f1.get_xlim(), xlabel="dose (e/Å²)")
        error.yaxis.set_major_locator(MaxNLocator(5))
        f1.tick_params(labelbottom=False)
        for axes in (f1, error):
            axes.tick_params(labelleft=f1 is upper[0])
            axes.grid(axis="y", color="0.92", linewidth=0.5, zorder=0)
            axes.set_axisbelow(True)
    upper[0].set_ylabel("F1 of the columns")
    lower[0].set_ylabel("rms error per axis (pm)")


def _legend(figure: Figure, tilts: Sequence[float], left: float) -> None:
    """Explain colours and dashes, right of the panels."""
    width, height = figure.get_size_inches()
    handles = [
        Line2D([], [], label=f"tilt {tilt:g}°", **_look(index, len(tilts)))
        for index, tilt in enumerate(tilts)
    ]
    plain = {"color": "0.3", "linewidth": 1.2, "label": "network"}
    dashed = {"color": "0.3", "linewidth": 0.8, "dashes": _DASHES, "label": "peak finding, best F1"}
    handles += [Line2D([], [], **plain), Line2D([], [], **dashed)]
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(left / width, 1 - _TOP / height),
        borderaxespad=0,
        handlelength=2,
    )
