"""How well a model finds atoms, and how precisely, against the dose (the paper, Fig 6).

EVALUATION.csv has one row per camera and dose: camera (only main is drawn), dose_e_per_A2,
true_positives, false_positives, false_negatives, precision, recall, f1, rms_error_A (along one
axis), and recall_<region> if it is to be drawn too.

Example:
    python plot.py dose_performance performance.png --evaluation evaluation.csv
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from atomsight.figures.parts import choice, mpl, page, score_tables, style
from atomsight.figures.parts.entry import Picture

if TYPE_CHECKING:
    import pandas as pd

CAPTION = """
How well the model finds atoms in simulated images of polycrystalline graphene, of a kind absent
from the training: (a) precision, recall (of all atoms, and by region of the specimen) and F1
against the dose, with 95 % intervals (Wilson) from the numbers of atoms; (b) root mean square error
of the positions along one axis.
"""
MEMORY_MB = 1000


def of_first_model(sheet: Any) -> dict[str, Any]:
    model = choice.trained(sheet, "atoms", "graphene")
    return {"evaluation": f"results/models/{model}/evaluation.csv"}


PICTURES = (
    Picture(
        "results/figures/fig06_dose_performance.png",
        of_first_model,
        "6: performance against dose",
    ),
)

#: Columns that are drawn; ``recall_<region>`` besides them where it is there.
COLUMNS = (
    "dose_e_per_A2",
    "true_positives",
    "false_positives",
    "false_negatives",
    "precision",
    "recall",
    "f1",
    "rms_error_A",
)

_REGION = "recall_"

#: Places and sizes [inch].
_HEIGHT = 2.78
_PLOT = (2.9, 1.95)
_LEFTS = (0.5, 4.1)
_TOP = 0.45


def plot(evaluation: Annotated[Path, "scores by dose, of evaluate.py atoms"]):
    return draw(score_tables.read(evaluation, COLUMNS, ("camera",)))


def draw(scores: pd.DataFrame) -> mpl.Figure:
    """Draw precision, recall and F1, and the position error, against the dose."""
    scores = score_tables.of_main_camera(scores).sort_values("dose_e_per_A2")
    figure = mpl.Figure(figsize=(page.WIDTH, _HEIGHT))
    detection, precision = (style.place(figure, left, _TOP, *_PLOT) for left in _LEFTS)
    draw_detection(detection, scores)
    draw_position_error(precision, scores)
    style.letter(detection, "a", "atoms found, with 95 % intervals")
    style.letter(precision, "b", "position error")
    for axes in (detection, precision):
        axes.set(xscale="log", xlabel="dose (e/Å²)")
        axes.set_xlim(0.8 * scores["dose_e_per_A2"].min(), 1.25 * scores["dose_e_per_A2"].max())
    style.write(figure, 0.1, 0.06, "Simulated polycrystalline graphene", weight="bold", size=8)
    return figure


def draw_detection(axes: mpl.Axes, scores: pd.DataFrame) -> None:
    """Draw precision, recall with the recall by region, and F1."""
    from atomsight.evaluation.classification import wilson_interval

    dose, hits = scores["dose_e_per_A2"], scores["true_positives"]
    for name, misses, marker in (
        ("precision", "false_positives", "o"),
        ("recall", "false_negatives", "s"),
    ):
        low, high = wilson_interval(hits, hits + scores[misses])
        (line,) = axes.plot(dose, scores[name], marker=marker, markersize=3, label=name, zorder=3)
        axes.vlines(dose, low, high, line.get_color(), linewidth=1.2)
        axes.plot(dose, np.stack([low, high], axis=1), "_", color=line.get_color(), markersize=7)
    look = {"color": line.get_color(), "linewidth": 0.7}
    ends = ("_low", "_high")
    regions = [
        name
        for name in scores
        if name.startswith(_REGION) and not f"_{name.removeprefix(_REGION)}".endswith(ends)
    ]
    for region, dashes in zip(regions, _DASHES, strict=False):
        label = f"recall, {region.removeprefix(_REGION)}"
        axes.plot(dose, scores[region], dashes=dashes, label=label, **look)
    axes.plot(dose, scores["f1"], color="black", marker="D", markersize=2.5, label="F1", zorder=3)
    axes.set(ylim=(0, 1.02), ylabel="share of atoms")
    axes.legend(loc="lower right")


_DASHES = ((1, 1), (4, 1.5), (6, 1.5, 1, 1.5), (8, 3))


def draw_position_error(axes: mpl.Axes, scores: pd.DataFrame) -> None:
    """Draw the root mean square error of the positions along one axis."""
    axes.plot(scores["dose_e_per_A2"], 100 * scores["rms_error_A"], "o-", color="C0")
    axes.set_ylabel("rms position error per axis (pm)")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(mpl.MaxNLocator(6, integer=True))
