"""Panels of counted columns: discs with their numbers of atoms."""

import numpy as np
import pandas as pd
from cmcrameri import cm
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from atomsight.figures.parts import style
from atomsight.figures.parts.focal_panels import disc_diameter

#: Heights: dark is few, bright is many.
HEIGHTS: Colormap = style.ramp(cm.batlow, 0.08, 0.97)

#: Differences: blue is too few, brown too many.
DIFFERENCES: Colormap = style.ramp(cm.vik, 0.1, 0.9)

#: Probabilities of counts: dark is certain.
CERTAINTY: Colormap = style.ramp(cm.devon_r, 0, 0.85)

#: Size of a number on a disc, in diameters of the disc, and the smallest that is read [point].
_NUMBER, _MIN_NUMBER = 0.62, 2.8

#: Letters that fit on a disc at that size.
_LETTERS = 2

#: Colours darker than this carry white numbers.
_DARK = 0.5

#: Furthest difference with a colour of its own.
_MAX_OFF = 3


def draw_heights(axes: Axes, table: pd.DataFrame, greatest: int) -> None:
    """Draw counted columns as discs with their numbers; those not reliable are open.

    The greatest height is the last class, which holds all greater heights too.
    """
    heights = table["height"].to_numpy(int)
    filled = table["reliable"].to_numpy(bool) if "reliable" in table else np.ones(len(table), bool)
    colours = HEIGHTS((np.minimum(heights, greatest) - 1) / max(greatest - 1, 1))
    _numbered_discs(axes, table, colours, filled, class_texts(heights, greatest))


def class_texts(heights: np.ndarray, greatest: int) -> list[str]:
    """Write heights as the classes of a model: from the greatest on "≥" and that class."""
    return [str(height) if height < greatest else f"≥{greatest}" for height in heights]


def height_ticks(greatest: int) -> np.ndarray:
    """Choose eight heights or so to be written at an axis, the greatest among them."""
    return np.arange(greatest, 0, -max(1, round(greatest / 8)))[::-1]


def draw_probabilities(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the probabilities of the counts, with the two figures after the point."""
    p = table["p_height"].to_numpy(float)
    numbers = ["1" if value >= 0.995 else f"{value:.2f}"[1:] for value in p]
    _numbered_discs(axes, table, CERTAINTY(p), np.ones(len(p), bool), numbers)


def draw_differences(axes: Axes, true: pd.DataFrame, found: pd.DataFrame, greatest: int) -> None:
    """Draw how far counts are from the truth; missed columns are crosses.

    The true columns have the row of their partner, ``found``, or -1.
    """
    is_found = true["found"].to_numpy() >= 0
    pairs = true[is_found]
    off = differences(true, found, greatest)
    colours = DIFFERENCES(0.5 + np.clip(off, -_MAX_OFF, _MAX_OFF) / (2 * _MAX_OFF))
    colours[off == 0] = (1, 1, 1, 1)
    numbers = [f"{value:+d}".replace("-", "−") if value else "" for value in off]
    _numbered_discs(axes, pairs, colours, np.ones(len(pairs), bool), numbers)
    limits = axes.axis()
    missed = true.loc[~is_found, ["x_A", "y_A"]].to_numpy(float)
    axes.plot(*missed.T, "x", color="black", markersize=4, markeredgewidth=0.9)
    alone = np.setdiff1d(np.arange(len(found)), true["found"])
    invented = found.iloc[alone][["x_A", "y_A"]].to_numpy(float)
    axes.plot(*invented.T, "+", color="C1", markersize=5, markeredgewidth=1.1)
    axes.axis(limits)


def differences(true: pd.DataFrame, found: pd.DataFrame, greatest: int) -> np.ndarray:
    """Counts minus truth, of the columns that were found, in the order of the true ones."""
    pairs = true[true["found"] >= 0]
    counted = found["height"].to_numpy(int)[pairs["found"].to_numpy(int)]
    return counted - np.minimum(pairs["height"].to_numpy(int), greatest)


def _numbered_discs(
    axes: Axes,
    table: pd.DataFrame,
    colours: np.ndarray,
    filled: np.ndarray,
    numbers: list[str],
) -> None:
    """Draw discs of one diameter; those not filled are white with a coloured rim."""
    points = table[["x_A", "y_A"]].to_numpy(float)
    if len(points) == 0:
        return
    diameter = disc_diameter(points)
    rims = np.where(filled[:, None], (0.25, 0.25, 0.25, 1.0), colours)
    faces = np.where(filled[:, None], colours, (1.0, 1.0, 1.0, 1.0))
    widths = np.where(filled, 0.25, 1.1)
    look = {"facecolors": faces, "edgecolors": rims, "linewidths": widths}
    style.discs(axes, points, diameter, **look)
    _write_numbers(axes, points, faces, numbers, diameter)


def _write_numbers(
    axes: Axes, points: np.ndarray, faces: np.ndarray, numbers: list[str], diameter: float
) -> None:
    left, right = axes.get_xlim()
    figure_width = axes.figure.get_size_inches()[0] * axes.get_position().width
    size = _NUMBER * diameter * 72 * figure_width / (right - left)
    if size < _MIN_NUMBER:
        return
    bright = faces[:, :3] @ (0.30, 0.59, 0.11)
    look = {"ha": "center", "va": "center_baseline", "clip_on": True}
    for (x, y), number, lightness in zip(points, numbers, bright, strict=True):
        colour = "white" if lightness < _DARK else "black"
        fitting = size * min(1, _LETTERS / max(len(number), 1))
        axes.text(x, y, number, color=colour, size=fitting, **look)


def height_bar(figure: Figure, place: tuple[float, float, float], greatest: int) -> Axes:
    """Explain the colours of heights at a left, top and width [inch]."""
    heights = np.arange(1, greatest + 1)
    colours = ListedColormap(HEIGHTS((heights - 1) / max(greatest - 1, 1)))
    ticks = height_ticks(greatest)
    axes = _step_bar(figure, place, colours, heights, ticks, "atoms in the column")
    axes.set_xticks(ticks, class_texts(ticks, greatest))
    return axes


def difference_bar(figure: Figure, place: tuple[float, float, float]) -> Axes:
    """Explain the colours of differences at a left, top and width [inch]."""
    steps = np.arange(-_MAX_OFF, _MAX_OFF + 1)
    colours = DIFFERENCES(0.5 + steps / (2 * _MAX_OFF))
    colours[_MAX_OFF] = (1, 1, 1, 1)
    return _step_bar(figure, place, ListedColormap(colours), steps, steps, "counted − true")


def _step_bar(
    figure: Figure,
    place: tuple[float, float, float],
    colours: ListedColormap,
    values: np.ndarray,
    ticks: np.ndarray,
    label: str,
) -> Axes:
    left, top, width = place
    axes = style.place(figure, left, top, width, 0.09)
    norm = BoundaryNorm(np.append(values, values[-1] + 1) - 0.5, len(values))
    bar = figure.colorbar(
        ScalarMappable(norm, colours), axes, orientation="horizontal", ticks=ticks, label=label
    )
    bar.outline.set_linewidth(0.4)
    axes.tick_params(length=0, which="both")
    return axes


def mistake_handles() -> list[Line2D]:
    """Handles of a legend for columns that were missed or invented."""
    look = {"linewidth": 0, "markersize": 4.5, "markeredgewidth": 1}
    return [
        Line2D([], [], marker="x", color="black", label="missed", **look),
        Line2D([], [], marker="+", color="C1", label="invented", **look),
    ]
