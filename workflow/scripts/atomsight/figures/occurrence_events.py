"""Occurrence, raw events and hop rates of the sites of several series (the paper, Fig 10).

A title should say so where its series is simulated. All rows share one scale of rates.

Example:
    python plot.py occurrence_events events.png --sites vacuum=sites.h5 \\
        --substrate vacuum=substrate.h5 --titles vacuum='Simulated: gold in vacuum'
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from atomsight.figures.parts import choice, mpl, page, series_tables, site_maps, style
from atomsight.figures.parts.entry import Picture

CAPTION = """
Occurrence and events of the sites, one row per series, over the faint mean image: (a) share of the
frames in which a column is seen at a site; (b) changes between successive frames as observed, which
contain missed and invented columns; (c) hop rates from a hidden Markov model, which removes the
measured detection errors, on the scale of (b); rings mark sites whose changes the errors do not
explain (p < 0.05 after Holm's correction). The veiled substrate is not analysed. Rows that say
"simulated" show simulated images.
"""
MEMORY_MB = 1000


def of_particles(sheet: Any) -> dict[str, Any]:
    names = choice.particles(sheet)
    titles = {name: sheet.title(name) for name in names}
    return choice.files_of_each(names, "sites", "substrate") | {"titles": titles}


PICTURES = (
    Picture(
        "results/figures/fig10_occurrence_events.png", of_particles, "10: occurrence and events"
    ),
)

#: Places and sizes [inch].
_MARGIN = 0.08
_GAP = 0.1
_HEADER = 0.24
_ROW_TEXT = 0.36
_ROW_GAP = 0.14
_FOOTER = 0.58

_COLUMNS = {
    "a": "occurrence",
    "b": "changes as observed",
    "c": "hop rate, errors of detection removed",
}
_PANEL = (page.WIDTH - 2 * _MARGIN - 2 * _GAP) / 3
_LEFTS = _MARGIN + np.arange(3) * (_PANEL + _GAP)

#: A panel's height over its width.
_FLATTEST, _TALLEST = 0.5, 1.3

#: Letters of the notes that fit on a line.
_LINE_LETTERS = 120


def plot(
    sites: Annotated[dict[str, Path], "sites of every series"],
    substrate: Annotated[dict[str, Path], "mean images and masks"],
    titles: Annotated[dict[str, str] | None, "what is to be said of a series"] = None,
):
    titles = titles or {}
    series_tables.check_names(sites, {"substrate": substrate}, titles=titles)
    return draw(
        [
            series_tables.read_series(name, titles.get(name, ""), path, substrate[name])
            for name, path in sites.items()
        ]
    )


def draw(all_series: Sequence[series_tables.SiteSeries]) -> mpl.Figure:
    """Draw occurrence, raw events and hop rates, a row per series.

    All share one scale of rates, and changes as observed have the same.
    """
    windows = [site_maps.window(series) for series in all_series]
    heights = [_PANEL * np.clip(site_maps.aspect(w), _FLATTEST, _TALLEST) for w in windows]
    tops = _HEADER + np.cumsum([0, *(_ROW_TEXT + height + _ROW_GAP for height in heights)])
    figure = mpl.Figure(figsize=(page.WIDTH, tops[-1] + _FOOTER))
    limit = site_maps.rate_limit(*all_series, columns=("event_rate", "hop_rate"))
    for left, (mark, title) in zip(_LEFTS, _COLUMNS.items(), strict=True):
        style.write_heading(figure, left, 0.04, mark, title, size=7.5)
    for series, shown, top, height in zip(all_series, windows, tops, heights, strict=False):
        _draw_row(figure, series, shown, top, height, limit)
    _explain(figure, all_series, tops[-1], limit)
    return figure


def _draw_row(
    figure: mpl.Figure,
    series: series_tables.SiteSeries,
    shown: site_maps.Window,
    top: float,
    height: float,
    limit: float,
) -> None:
    style.write_row_title(figure, _MARGIN, top, series.name, series.notes, _LINE_LETTERS)
    said = f"{site_maps.facts(series)} · {site_maps.mask_text(series)}"
    style.write(figure, _MARGIN, top + 0.16, said, color=style.MUTED_TEXT)
    panels = [style.place(figure, left, top + _ROW_TEXT, _PANEL, height) for left in _LEFTS]
    site_maps.draw_occurrence(panels[0], series, shown)
    if len(series.used_frames) < 2:
        site_maps.say(panels[1], "one frame:\nno changes can be seen")
    else:
        site_maps.draw_event_rate(panels[1], series, shown, limit)
    if series.has_hop_rates:
        site_maps.draw_hop_rate(panels[2], series, shown, limit)
    else:
        site_maps.say(panels[2], "no hop rates estimated")


def _explain(
    figure: mpl.Figure, all_series: Sequence[series_tables.SiteSeries], top: float, limit: float
) -> None:
    """Draw colour bars and explain marks, below the columns they belong to."""
    bars = (
        (site_maps.OCCURRENCE, 1.0, "share of frames in which it is seen", "neither"),
        (site_maps.RATE, limit, "changes per frame as observed", "max"),
        (site_maps.RATE, limit, "hops per frame", "max"),
    )
    for left, (colours, end, label, extend) in zip(_LEFTS, bars, strict=True):
        place = (left + 0.35, top, _PANEL - 0.7)
        style.colour_bar(figure, place, colours, (0, end), label, extend)
    middles = _LEFTS + _PANEL / 2
    if any(series.substrate.mask.any() for series in all_series):
        mask = site_maps.mask_handle("substrate, not analysed")
        site_maps.explain(figure, middles[0], top + 0.4, [mask], 1)
    site_maps.explain(figure, middles[2], top + 0.4, site_maps.rate_handles(*all_series), 2)
