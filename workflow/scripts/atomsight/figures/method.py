"""The method on one frame: micrograph, probability, columns (the paper, Fig 1).

The title should say so where the frame is simulated.

Example:
    python plot.py method method.png --frames frames.h5 --maps maps.h5 --atoms atoms.h5 \\
        --title 'Simulated: gold'
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np

from atomsight.figures.parts import choice, mpl, page, series_tables, site_maps, style
from atomsight.figures.parts.entry import Picture

CAPTION = """
The method on one frame of a nanoparticle; the title says whether it is simulated: (a) the
micrograph; (b) the output of the network, one minus the probability of the background; (c) the
columns found: where that output exceeds a threshold it is divided into segments, and the centre of
mass of a segment is a column.
"""
MEMORY_MB = 1000


def of_first_particle(sheet: Any) -> dict[str, Any]:
    series = choice.particles(sheet)[0]
    return choice.files(series, "frames", "maps", "atoms") | {"title": sheet.title(series)}


PICTURES = (Picture("results/figures/fig01_method.png", of_first_particle, "1: the method"),)

#: Places and sizes [inch].
_MARGIN = 0.08
_ARROW = 0.72
_PANEL = (page.WIDTH - 2 * _MARGIN - 2 * _ARROW) / 3
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


def plot(
    frames: Annotated[Path, "micrographs"],
    maps: Annotated[Path, "output of the network"],
    atoms: Annotated[Path, "columns found"],
    title: Annotated[str, "what it is"] = "Simulated image",
    frame: Annotated[int, "number of the frame, from 0"] = 0,
):
    return draw(series_tables.read_recording(frames, maps, atoms, frame), title)


def draw(recording: series_tables.Recording, title: str) -> mpl.Figure:
    """Draw a frame, the output of the network and the columns found, with arrows between.

    The three images show the same part of the frame.
    """
    shown = window(recording)
    height = _PANEL * float(np.clip(site_maps.aspect(shown), _FLATTEST, _TALLEST))
    top = _TITLE + _LETTER
    figure = mpl.Figure(figsize=(page.WIDTH, top + height + _FOOTER))
    style.write_title(figure, _MARGIN, 0.06, title)
    lefts = _MARGIN + np.arange(3) * (_PANEL + _ARROW)
    panels = [style.place(figure, left, top, _PANEL, height) for left in lefts]
    part = {"pixel_size_A": recording.pixel_size_A, "corner_A": (0.0, 0.0), "shown": shown}
    grey = style.grey(recording.image)
    site_maps.show_window(panels[0], recording.image, **part, **grey)
    site_maps.show_window(panels[1], recording.foreground, **part, **style.probability())
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
    style.colour_bar(figure, place, style.PROBABILITY, (0, 1), "1 − probability of background")
    ring = site_maps.dot_handle("column", hollow=True)
    site_maps.explain(figure, lefts[2] + _PANEL / 2, below, [ring], 1)
    return figure


def window(recording: series_tables.Recording) -> site_maps.Window:
    """Choose a square around the columns found; the whole frame where nothing is found."""
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


def _rings(axes: mpl.Axes, recording: series_tables.Recording, shown: site_maps.Window) -> None:
    size = np.clip(_RING_A * 72 * _PANEL / (shown[2] - shown[0]), *_RING_POINTS)
    look = {"markerfacecolor": "none", "markeredgewidth": 0.7, "color": style.ACCENT}
    limits = axes.axis()
    axes.plot(*recording.columns.T, "o", markersize=size, **look)
    axes.axis(limits)


def _arrow(figure: mpl.Figure, left: float, top: float, words: str) -> None:
    """Draw an arrow from one panel to the next, and say above it what is done."""
    width, height = figure.get_size_inches()
    y = 1 - top / height
    ends = [((left + inset) / width, y) for inset in (0.1, _ARROW - 0.1)]
    look = {"arrowstyle": "-|>", "mutation_scale": 9, "linewidth": 1.2, "color": "black"}
    figure.add_artist(mpl.FancyArrowPatch(*ends, shrinkA=0, shrinkB=0, **look))
    middle = (left + _ARROW / 2) / width
    figure.text(middle, y + 0.07 / height, words, ha="center", va="bottom", linespacing=1.2)
