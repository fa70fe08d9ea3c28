"""How well columns of tilted particles are found, against the dose (the paper, Fig 9).

COLUMNS.csv has one row per zone axis, tilt, camera and dose: zone_axis, tilt_deg, camera,
dose_e_per_A2, particles, f1, rms_error_pm (along one axis), and classical_f1,
classical_rms_error_pm of peak finding. The main camera is drawn.

Example:
    python plot.py column_performance performance.png --columns columns.csv
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from atomsight.figures.parts import choice, mpl, page, score_tables, style
from atomsight.figures.parts.entry import Picture

if TYPE_CHECKING:
    import pandas as pd

CAPTION = """
How well the model finds the columns of simulated nanoparticles, made by another generator than the
training's, against the dose, one curve for each tilt off the zone axis: above, F1; below, the root
mean square position error of the columns found, along one axis. Dashed is classical peak finding on
the same images, with the settings of the best F1, chosen with the truth in hand, which no user has.
"""
MEMORY_MB = 1000


def of_first_model(sheet: Any) -> dict[str, Any]:
    model = choice.trained(sheet, "columns", "nanoparticle")
    return {"columns": f"results/models/{model}/columns.csv"}


PICTURES = (
    Picture(
        "results/figures/fig09_column_performance.png",
        of_first_model,
        "9: columns against dose and tilt",
    ),
)

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
_WIDEST = 2.6

#: Marks of the tilts, from the smallest.
_MARKERS = "osD^vPX*"

_DASHES = (2.5, 1.5)


def plot(columns: Annotated[Path, "scores by zone axis, tilt and dose, of evaluate.py columns"]):
    return draw(score_tables.of_main_camera(score_tables.read(columns, COLUMNS, ("camera",))))


def draw(scores: pd.DataFrame) -> mpl.Figure:
    """Draw F1 and below it the position error, a curve per tilt, a panel per zone axis."""
    axes_names = sorted(scores["zone_axis"].astype(str).unique())
    tilts = sorted(scores["tilt_deg"].unique())
    count = len(axes_names)
    room = page.WIDTH - _LEFT - _LEGEND - _MARGIN - (count - 1) * _GAP_X
    width = min(room / count, _WIDEST)
    used = _LEFT + count * width + (count - 1) * _GAP_X
    figure = mpl.Figure(figsize=(used + _LEGEND + _MARGIN, _TOP + sum(_HEIGHTS) + _GAP_Y + _FOOTER))
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
    style.write_title(figure, 0.1, 0.06, title)
    _legend(figure, tilts, used + 0.1)
    return figure


def _particles(scores: pd.DataFrame) -> str:
    fewest, most = int(scores["particles"].min()), int(scores["particles"].max())
    return f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"


def draw_curves(axes: mpl.Axes, scores: pd.DataFrame, tilts: Sequence[float], name: str) -> None:
    """Draw a score of one zone axis against the dose, a curve per tilt.

    That of the classical peak finding, ``classical_<name>``, is dashed. The colours depend on all
    tilts of the figure.
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
    colour = mpl.cm.batlow(0.08 + 0.72 * index / max(count - 1, 1))
    return {"color": colour, "marker": _MARKERS[index % len(_MARKERS)], "markersize": 3}


def _finish(upper: Sequence[mpl.Axes], lower: Sequence[mpl.Axes], scores: pd.DataFrame) -> None:
    """Give all panels of a row one scale, and labels to the first."""
    dose = scores["dose_e_per_A2"]
    errors = scores[["rms_error_pm", "classical_rms_error_pm"]].to_numpy(float)
    known = errors[np.isfinite(errors)]
    highest = 1.08 * known.max() if known.size else 1.0
    for f1, error in zip(upper, lower, strict=True):
        f1.set(ylim=(0, 1.02), xlim=(0.8 * dose.min(), 1.25 * dose.max()))
        error.set(ylim=(0, highest), xlim=f1.get_xlim(), xlabel="dose (e/Å²)")
        error.yaxis.set_major_locator(mpl.MaxNLocator(5))
        f1.tick_params(labelbottom=False)
        for axes in (f1, error):
            axes.tick_params(labelleft=f1 is upper[0])
            style.faint_lines(axes)
    upper[0].set_ylabel("F1 of the columns")
    lower[0].set_ylabel("rms error per axis (pm)")


def _legend(figure: mpl.Figure, tilts: Sequence[float], left: float) -> None:
    """Explain colours and dashes, right of the panels."""
    handles = [
        mpl.Line2D([], [], label=f"tilt {tilt:g}°", **_look(index, len(tilts)))
        for index, tilt in enumerate(tilts)
    ]
    plain = {"color": "0.3", "linewidth": 1.2, "label": "network"}
    dashed = {"color": "0.3", "linewidth": 0.8, "dashes": _DASHES, "label": "peak finding, best F1"}
    handles += [mpl.Line2D([], [], **plain), mpl.Line2D([], [], **dashed)]
    style.explain(figure, left, _TOP, handles, loc="upper left", handlelength=2)
