"""How well a model finds atoms against the dose, beside the physical limit and peak finding.

Example:
    python plot.py model_doses dose.png --evaluation evaluation.csv --model graphene
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from atomsight.config.evaluation import MAIN_CAMERA
from atomsight.figures.parts import model_curves, mpl, page, score_tables, style
from atomsight.figures.parts.entry import Picture

if TYPE_CHECKING:
    import pandas as pd

CAPTION = """
How well the model {wildcards.model} finds atoms in simulated images of polycrystalline graphene, of
a kind absent from the training, against the dose, under favourable conditions: (a) precision,
recall and F1, with 95 % intervals, and F1 of classical peak finding and of other cameras (hollow
where their transfer is outside that of the training); (b) recall by region of the
specimen; (c) root mean square error of the positions along one axis, beside the Cramér–Rao bound,
which holds for a method that knows nothing of graphene. The filter and the threshold of peak
finding are those with the best F1, chosen with the truth in hand, which no user has. Hatched doses
are outside the model's training range.
"""
MEMORY_MB = 1000


def of_model(sheet: Any, of: str, model: str) -> dict[str, Any]:
    return {"evaluation": f"results/{of}/{model}/evaluation.csv", "model": model}


PICTURES = (Picture("results/{of}/{model}/dose.png", of_model, "dose", "Metrics", "atoms"),)

#: Columns that are drawn; ``recall_<region>`` with ``_low`` and ``_high`` besides them.
COLUMNS = (
    "dose_e_per_A2",
    "in_range",
    "true_positives",
    "false_positives",
    *(f"{name}{end}" for name in ("precision", "recall", "f1") for end in ("", "_low", "_high")),
    "rms_error_A",
    "bound_A",
    "peaks_f1",
    "peaks_rms_error_A",
)

#: What regions of a specimen are called, with colour and mark, in this order.
REGIONS = {
    "grain": ("grains", "C0", "o"),
    "boundary": ("boundaries", "C1", "s"),
    "edge": ("edges", "C3", "^"),
}

_SCORES = {"precision": ("C0", "o"), "recall": ("C2", "s"), "f1": ("black", "D")}

#: Places and sizes [inch].
_HEIGHT = 2.97
_PLOT = (1.93, 1.85)
_LEFTS = (0.42, 2.72, 5.05)
_TOP = 0.74

#: Room below the least error, as a factor.
_MARGIN = 1.25

#: How the curves of the network and of peak finding look.
_POINTS = {"markersize": 2.6, "linewidth": 1}
_CLASSICAL = {"color": "0.45", "linewidth": 0.9, "dashes": (2.5, 1.5)}


def plot(
    evaluation: Annotated[Path, "scores by dose, of evaluate.py atoms"],
    model: Annotated[str, "name of the model, for the title"] = "",
):
    return draw(score_tables.read(evaluation, COLUMNS, ("camera",)), model)


def draw(scores: pd.DataFrame, model: str) -> mpl.Figure:
    """Draw precision, recall and F1, the recall by region, and the position error."""
    everything = scores.sort_values("dose_e_per_A2", kind="stable")
    scores = score_tables.of_main_camera(everything)
    figure = mpl.Figure(figsize=(page.WIDTH, _HEIGHT))
    detection, regions, errors = (style.place(figure, left, _TOP, *_PLOT) for left in _LEFTS)
    doses = scores["dose_e_per_A2"]
    for axes in (detection, regions, errors):
        axes.set(xscale="log", xlabel="dose (e/Å²)", xlim=(0.75 * doses.min(), 1.33 * doses.max()))
        axes.xaxis.set_minor_formatter(mpl.NullFormatter())
        model_curves.shade_untrained(axes, doses, *model_curves.trained_doses(scores))
    draw_detection(detection, scores)
    draw_cameras(detection, everything[everything["camera"] != MAIN_CAMERA])
    draw_regions(regions, scores)
    draw_errors(errors, scores)
    style.letter(detection, "a", "atoms found")
    style.letter(regions, "b", "recall by place (number of atoms)")
    style.letter(errors, "c", "position error")
    style.write_title(figure, 0.1, 0.06, f"Model {model} on simulated polycrystalline graphene")
    bold = {"color": "0.3", "marker": "o", **_POINTS}
    handles = [
        mpl.Line2D([], [], label="network, with 95 % intervals", **bold),
        mpl.Line2D([], [], label="peak finding, best filter and threshold", **_CLASSICAL),
        mpl.Line2D([], [], color="black", linewidth=1, label="Cramér–Rao bound"),
        *([] if scores["in_range"].all() else [model_curves.UNTRAINED_HANDLE]),
    ]
    model_curves.legend_above(figure, handles, _LEFTS[0])
    return figure


def draw_detection(axes: mpl.Axes, scores: pd.DataFrame) -> None:
    """Draw precision, recall and F1, and the F1 of peak finding."""
    doses = scores["dose_e_per_A2"]
    # Where nothing was found, there is no precision.
    found = scores["true_positives"] + scores["false_positives"] > 0
    precision = ["precision", "precision_low", "precision_high"]
    scores = scores.assign(**scores[precision].where(found))
    for name, (colour, marker) in _SCORES.items():
        look = {"color": colour, "marker": marker, **_POINTS}
        label = "F1" if name == "f1" else name
        model_curves.draw_scores(axes, doses, scores, name, label=label, **look)
    axes.plot(doses, scores["peaks_f1"], label="F1, peaks", zorder=2.5, **_CLASSICAL)
    model_curves.finish(axes)
    axes.set_ylabel("share of atoms")
    axes.legend(loc="lower right")


def draw_cameras(axes: mpl.Axes, scores: pd.DataFrame) -> None:
    """Draw the F1 of other cameras, hollow where the model was not trained on them."""
    for marker, (camera, rows) in zip("^vPX", scores.groupby("camera", sort=False), strict=False):
        trained = rows["in_range"].to_numpy(bool).all()
        look = {"color": "black", "markersize": 4, "markeredgewidth": 0.7, "zorder": 4}
        look |= {} if trained else {"markerfacecolor": "white"}
        label = f"F1, {camera} camera"
        axes.plot(rows["dose_e_per_A2"], rows["f1"], marker, label=label, **look)
    axes.legend(loc="lower right", fontsize=5.5)


def draw_regions(axes: mpl.Axes, scores: pd.DataFrame) -> None:
    """Draw the recall in every region of the specimen."""
    for region, (label, colour, marker) in REGIONS.items():
        name = f"recall_{region}"
        if name in scores and scores[name].notna().any():
            atoms = scores[f"atoms_{region}"].iloc[0] if f"atoms_{region}" in scores else None
            label += f" ({atoms:,.0f})" if atoms else ""
            look = {"color": colour, "marker": marker, **_POINTS}
            model_curves.draw_scores(
                axes, scores["dose_e_per_A2"], scores, name, label=label, **look
            )
    model_curves.finish(axes)
    axes.set_ylabel("recall")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right")


def draw_errors(axes: mpl.Axes, scores: pd.DataFrame) -> None:
    """Draw the position error along one axis, the bound below it and that of peak finding."""
    doses = scores["dose_e_per_A2"]
    look = {"color": "C0", "marker": "o", **_POINTS, "zorder": 3}
    axes.plot(doses, 100 * scores["rms_error_A"], label="network", **look)
    axes.plot(doses, 100 * scores["peaks_rms_error_A"], label="peak finding", **_CLASSICAL)
    measured = 100 * scores[["rms_error_A", "peaks_rms_error_A"]].to_numpy(float)
    bound = 100 * scores["bound_A"].to_numpy(float)
    axes.plot(doses, bound, color="black", linewidth=1, label="Cramér–Rao bound", zorder=2.5)
    known = np.append(measured[np.isfinite(measured)], bound[np.isfinite(bound)].min(initial=1e3))
    axes.set_yscale("log")
    axes.set_ylim(known.min() / _MARGIN, 2 * known[known < 1e3].max(initial=1))
    style.faint_lines(axes, zorder=0.5, which="both")
    axes.yaxis.set_major_formatter(mpl.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(mpl.FuncFormatter(_some_minor))
    axes.set_ylabel("rms error per axis (pm)")


def _some_minor(value: float, _place: int) -> str:
    """Number the twos and fives between the powers of ten."""
    leading = f"{value:.0e}"[0]
    return f"{value:g}" if leading in "25" else ""
