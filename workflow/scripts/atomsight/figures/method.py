"""The method on one frame: micrograph, probability, columns (the paper, Fig 1)."""

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from atomsight.figures import site_maps, style
from atomsight.figures.series_tables import Recording

#: Places and sizes [inch].
_WIDTH = 7.1
_MARGIN = 0.08
_ARROW = 0.72
_PANEL = (_WIDTH - 2 * _MARGIN - 2 * _ARROW) / 3
_TITLE = 0.22
_LETTER = 0.2
_FOOTER = 0.45

#: Room around the columns, and the smallest part of a frame that is shown [Å].
_ROOM_A = 5.0
_MIN_A = 20.0

#: A panel's height over its width.
_FLATTEST, _TALLEST = 0.6, 1.3

#: Diameter of a ring round a column [Å], and its smallest and largest size in print [point].
_RING_A = 1.9
_RING_POINTS = (2.0, 7.0)

#: Letters of a title that fit on the line.
_TITLE_LETTERS = 100


@style.styled()
def draw(recording: Recording, title: str) -> Figure:
    """Draw a frame, the output of the network and the columns found, with arrows between.

    Parameters
    ----------
    recording : Recording
        The frame.
    title : str
        What it is.

    Returns
    -------
    Figure
        Three images of the same part of the frame.
    """
    shown = window(recording)
    height = _PANEL * float(np.clip(site_maps.aspect(shown), _FLATTEST, _TALLEST))
    top = _TITLE + _LETTER
    figure = Figure(figsize=(_WIDTH, top + height + _FOOTER))
    heading = textwrap.shorten(title, _TITLE_LETTERS, placeholder=" …")
    style.write(figure, _MARGIN, 0.06, heading, weight="bold", size=8)
    lefts = _MARGIN + np.arange(3) * (_PANEL + _ARROW)
    panels = [style.place(figure, left, top, _PANEL, height) for left in lefts]
    part = {"pixel_size_A": recording.pixel_size_A, "corner_A": (0.0, 0.0), "shown": shown}
    low, high = style.grey_limits(recording.image)
    grey = {"cmap": "gray", "vmin": low, "vmax": high}
    probability = {"cmap": style.PROBABILITY, "vmin": 0, "vmax": 1}
    site_maps.show_window(panels[0], recording.image, **part, **grey)
    site_maps.show_window(panels[1], recording.foreground, **part, **probability)
    site_maps.show_window(panels[2], recording.image, **part, **grey)
    _rings(panels[2], recording, shown)
    inside = int(_is_shown(recording.columns, shown).sum())
    titles = ("micrograph", "network output", f"{inside:,} columns found")
    for axes, mark, words in zip(panels, "abc", titles, strict=True):
        style.letter(axes, mark, words)
    middle = top + height / 2
    _arrow(figure, lefts[0] + _PANEL, middle, "neural\nnetwork")
    _arrow(figure, lefts[1] + _PANEL, middle, "segments,\ntheir\ncentres")
    below = top + height + 0.08
    place = (lefts[1] + 0.25, below, _PANEL - 0.5)
    site_maps.colour_bar(figure, place, style.PROBABILITY, 1.0, "1 − probability of background")
    ring = site_maps.dot_handle("column", hollow=True)
    site_maps.explain(figure, lefts[2] + _PANEL / 2, below, [ring], 1)
    return figure


def window(recording: Recording) -> site_maps.Window:
    """Choose what to show: a square around the columns found.

    Parameters
    ----------
    recording : Recording
        The frame.

    Returns
    -------
    tuple of 4 floats
        Left, top, right and bottom edge [Å]; the whole frame where nothing is found.
    """
    extent = np.array(recording.image.shape[::-1]) * recording.pixel_size_A
    start = -recording.pixel_size_A / 2
    if len(recording.columns) == 0:
        return (start, start, float(extent[0] + start), float(extent[1] + start))
    low, high = recording.columns.min(axis=0) - _ROOM_A, recording.columns.max(axis=0) + _ROOM_A
    size = np.minimum(max(float((high - low).max()), _MIN_A), extent)
    first = np.clip((low + high - size) / 2, start, extent - size + start)
    return (*(float(edge) for edge in first), *(float(edge) for edge in first + size))


def _is_shown(points: np.ndarray, shown: site_maps.Window) -> np.ndarray:
    low, high = np.array(shown).reshape(2, 2)
    return ((points >= low) & (points <= high)).all(axis=1)


def _rings(axes: Axes, recording: Recording, shown: site_maps.Window) -> None:
    size = np.clip(_RING_A * 72 * _PANEL / (shown[2] - shown[0]), *_RING_POINTS)
    look = {"markerfacecolor": "none", "markeredgewidth": 0.7, "color": style.ACCENT}
    limits = axes.axis()
    axes.plot(*recording.columns.T, "o", markersize=size, **look)
    axes.axis(limits)


def _arrow(figure: Figure, left: float, top: float, words: str) -> None:
    """Draw an arrow from one panel to the next, and say above it what is done."""
    width, height = figure.get_size_inches()
    y = 1 - top / height
    ends = [((left + inset) / width, y) for inset in (0.1, _ARROW - 0.1)]
    look = {"arrowstyle": "-|>", "mutation_scale": 9, "linewidth": 1.2, "color": "black"}
    figure.add_artist(FancyArrowPatch(*ends, shrinkA=0, shrinkB=0, **look))
    middle = (left + _ARROW / 2) / width
    figure.text(middle, y + 0.07 / height, words, ha="center", va="bottom", linespacing=1.2)
