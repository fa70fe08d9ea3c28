"""How well a model finds atoms under microscopes drawn at random, against what these can show.

Example:
    python plot.py model_settings settings.png --settings settings.csv --model graphene
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
F1 of the model {wildcards.model} on simulated polycrystalline graphene, seen by microscopes drawn
at random from all ranges of the paper's Table 1, against their information limit, one panel for
every dose, with 95 % intervals. The information limit is where focal spread and vibration leave
exp(−2); where it does not reach the 1.42 Å between neighbours (grey, open marks) the image hardly
resolves them. Colours show the phase contrast of the lattice planes that defocus and aberrations
leave; without it even a microscope that resolves shows little. Diamonds are outside the model's
training ranges.
"""
MEMORY_MB = 1000


def of_model(sheet: Any, of: str, model: str) -> dict[str, Any]:
    return {"settings": f"results/{of}/{model}/settings.csv", "model": model}


PICTURES = (
    Picture(
        "results/{of}/{model}/settings.png", of_model, "microscopes at random", "Metrics", "atoms"
    ),
)

#: Columns that are drawn.
COLUMNS = (
    "setting",
    "dose_e_per_A2",
    "information_limit_A",
    "resolves_bond",
    "phase_contrast",
    "in_range",
    "f1",
    "f1_low",
    "f1_high",
)

#: Distance of neighbouring atoms [Å].
_BOND_A = 1.42

#: What is missing to one is drawn on a logarithmic scale down to about here.
_LEAST = 1e-3
_TICKS = (0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1)

#: Behind microscopes that do not resolve a bond.
_BLURRED = "0.93"

#: Places and sizes [inch].
_LEFT, _TOP, _RIGHT = 0.5, 0.74, 0.62
_GAP = 0.14
_PLOT_HEIGHT = 1.75
_FOOTER = 0.42


def plot(
    settings: Annotated[Path, "scores by microscope, the second table of evaluate.py conditions"],
    model: Annotated[str, "name of the model, for the title"] = "",
):
    return draw(score_tables.read(settings, COLUMNS), model)


def draw(scores: pd.DataFrame, model: str) -> mpl.Figure:
    """Draw F1 of every microscope against its information limit, a panel per dose."""
    doses = sorted(scores["dose_e_per_A2"].unique())
    room = page.WIDTH - _LEFT - _RIGHT - (len(doses) - 1) * _GAP
    width = min(room / len(doses), 2.6)
    figure = mpl.Figure(figsize=(page.WIDTH, _TOP + _PLOT_HEIGHT + _FOOTER))
    limits = scores["information_limit_A"]
    ends = min(limits.min(), _BOND_A) - 0.03, max(limits.max(), _BOND_A) + 0.05
    for number, dose in enumerate(doses):
        axes = style.place(figure, _LEFT + number * (width + _GAP), _TOP, width, _PLOT_HEIGHT)
        axes.set(xlim=ends, xlabel="information limit (Å)")
        stretch(axes)
        draw_dose(axes, scores[scores["dose_e_per_A2"] == dose])
        style.letter(axes, "abcdefgh"[number % 8], error_curves.dose_text(dose))
        axes.tick_params(labelleft=number == 0)
        axes.set_ylabel("F1" if number == 0 else "")
    bar = style.place(figure, _LEFT + len(doses) * (width + _GAP), _TOP, 0.09, _PLOT_HEIGHT)
    mapped = mpl.ScalarMappable(mpl.Normalize(0, 1), _contrast())
    figure.colorbar(mapped, cax=bar, label="phase contrast of the 2.13 Å planes")
    bar.tick_params(length=1.5)
    count, resolving = scores["setting"].nunique(), _resolving(scores)
    title = f"Model {model} on simulated graphene, {count} microscopes drawn at random"
    style.write_title(figure, 0.1, 0.06, title)
    _legend(figure, resolving, count)
    return figure


def _contrast() -> mpl.Colormap:
    """Colours of the contrast of the lattice planes, from none to full."""
    return style.ramp(mpl.cm.batlow, 0.02, 0.88)


def stretch(axes: mpl.Axes) -> None:
    """Stretch an axis of F1 towards one, as the logarithm of what is missing to it."""
    axes.set_yscale(
        "function",
        functions=(
            lambda f1: -np.log10(np.maximum(1 + _LEAST - np.asarray(f1), 1e-9)),
            lambda place: 1 + _LEAST - 10 ** -np.asarray(place),
        ),
    )
    axes.set_ylim(0, 1 + _LEAST - _LEAST / 3)
    axes.set_yticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    axes.minorticks_off()


def _resolving(scores: pd.DataFrame) -> int:
    return int(scores.loc[scores["resolves_bond"].astype(bool), "setting"].nunique())


def draw_dose(axes: mpl.Axes, scores: pd.DataFrame) -> None:
    """Draw F1 of every microscope at one dose, and the mean of those that resolve a bond.

    The limits of the axes must be set.
    """
    axes.axvspan(_BOND_A, axes.get_xlim()[1], color=_BLURRED, linewidth=0, zorder=0)
    resolves = scores["resolves_bond"].to_numpy(bool)
    trained = scores["in_range"].to_numpy(bool)
    colours = _contrast()(scores["phase_contrast"].to_numpy(float))
    ends = scores[["f1_low", "f1_high"]].to_numpy(float).T
    axes.vlines(scores["information_limit_A"], *ends, colours, linewidth=0.8, zorder=2)
    for chosen, look in ((trained, {"marker": "o", "s": 13}), (~trained, {"marker": "D", "s": 11})):
        for filled in (True, False):
            which = chosen & (resolves == filled)
            rows = scores[which]
            face = colours[which] if filled else "white"
            axes.scatter(
                rows["information_limit_A"],
                rows["f1"],
                facecolors=face,
                edgecolors=colours[which],
                linewidths=0.8,
                zorder=3,
                **look,
            )
    style.faint_lines(axes, "0.88", 0.5)
    if resolves.any():
        mean = float(scores.loc[resolves, "f1"].mean())
        lowest = float(scores.loc[resolves, "f1"].min())
        axes.hlines(mean, axes.get_xlim()[0], _BOND_A, "black", linewidth=0.9, zorder=2.5)
        text = f"mean {mean:.3f}; lowest {lowest:.3f}"
        axes.text(0.03, 0.985, text, transform=axes.transAxes, va="top", size=6.5)


def _legend(figure: mpl.Figure, resolving: int, count: int) -> None:
    """Explain the marks above the panels."""
    plain = {"linestyle": "", "color": "0.3", "markersize": 3.6}
    handles = [
        mpl.Line2D([], [], marker="o", label=f"resolves 1.42 Å: {resolving} of {count}", **plain),
        mpl.Line2D([], [], marker="o", markerfacecolor="white", label="does not", **plain),
        mpl.Line2D([], [], marker="D", label="outside the trained ranges", **plain),
        mpl.Line2D([], [], color="black", linewidth=0.9, label="mean of those that resolve it"),
    ]
    model_curves.legend_above(figure, handles, _LEFT)
