"""Where the sites of one series are, how often they are occupied, and how they change.

SITES.h5 comes from follow_sites.py, SUBSTRATE.h5 from mask_substrate.py. The mask of the substrate
is always drawn. The title should say so where the series is simulated.

Example:
    python plot.py occupancy occupancy.png --sites sites.h5 --substrate substrate.h5 \\
        --title 'Simulated: gold in vacuum'
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np

from atomsight.figures.parts import choice, mpl, rasters, series_tables, site_maps, style
from atomsight.figures.parts.entry import Picture

CAPTION = """
The sites of the series: (a) mean of the frames after their drift is removed, with the sites, where
columns are seen again and again, and the substrate, which is not analysed, veiled; the dashed frame
is what (b) and (c) show; (b) share of the frames in which a column is seen at a site; (c) hop rate,
the probability that the true occupancy of a site differs between two successive frames, estimated
by a hidden Markov model with the measured detection errors; rings mark sites whose changes those
errors do not explain (p < 0.05 after Holm's correction); where no errors were given, the changes as
observed are shown instead, some of which are missed and invented columns; (d) what is seen in every
frame at the sites that change, at most sixty of them, clockwise around the particle; (e) where
there are hop rates, the probability that the sites are occupied, given all frames; lastly the drift
of the specimen. With many frames, one column of the rasters is the mean of several.
"""


def of_series(sheet: Any, series: str) -> dict[str, Any]:
    return choice.files(series, "sites", "substrate") | {"title": sheet.title(series)}


PICTURES = (
    Picture(
        "results/series/{series}/occupancy.png",
        of_series,
        "occupancy of sites",
        "Series",
        "columns",
    ),
)

#: Places and sizes [inch].
_MARGIN = 0.1
_PANEL = 2.22
_GAP = 0.12
_WIDTH = 2 * _MARGIN + 3 * _PANEL + 2 * _GAP
_TITLE = 0.42
_LETTER = 0.2
_BARS = 0.62
_RASTER_LABELS = 0.24
_RASTERS = 4.9
_RASTER_GAP = 0.14
_DRIFT_LEFT = 5.75
_DRIFT = 1.0
_LINE = 0.031
_SHORTEST, _TALLEST = 1.3, 2.3
_FOOTER, _NO_FOOTER = 0.74, 0.12

#: A panel's height over its width.
_FLATTEST, _HIGHEST = 0.5, 1.3

#: Letters of a title that fit on the line.
_TITLE_LETTERS = 95


def plot(
    sites: Annotated[Path, "sites of the series, whose folder gives its name"],
    substrate: Annotated[Path, "mean image and mask"],
    title: Annotated[str, "what the series is"] = "",
):
    return draw(series_tables.read_series(Path(sites).parent.name, title, sites, substrate))


def draw(series: series_tables.SiteSeries) -> mpl.Figure:
    """Draw mean image, occurrence, hop rates, occupancy in every frame, and drift.

    The notes of the series are the title. Panels say so where there is one frame only, or no site.
    """
    shown, whole = site_maps.window(series), site_maps.field(series)
    chosen = rasters.changing_sites(series)
    ratios = np.clip([site_maps.aspect(shown), site_maps.aspect(whole)], _FLATTEST, _HIGHEST)
    maps_top = _TITLE + _LETTER
    rasters_top = maps_top + _PANEL * ratios.max() + _BARS + _LETTER
    lines, footer = _DRIFT, _NO_FOOTER
    if len(series.used_frames) > 1:
        lines = float(np.clip(_LINE * len(chosen) + 0.3, _SHORTEST, _TALLEST))
        footer = _FOOTER
    figure = mpl.Figure(figsize=(_WIDTH, rasters_top + lines + footer))
    _write_title(figure, series)
    lefts = _MARGIN + np.arange(3) * (_PANEL + _GAP)
    panels = [
        style.place(figure, left, maps_top, _PANEL, _PANEL * ratio)
        for left, ratio in zip(lefts, ratios[[1, 0, 0]], strict=True)
    ]
    _draw_maps(panels, series, shown)
    _draw_bars(figure, series, lefts, maps_top + _PANEL * ratios.max() + 0.08)
    _draw_rasters(figure, series, chosen, rasters_top, lines)
    has_both = len(chosen) > 0 and bool(np.isfinite(series.p_occupied[chosen]).any())
    _draw_drift(figure, series, rasters_top, "f" if has_both else "e")
    return figure


def _write_title(figure: mpl.Figure, series: series_tables.SiteSeries) -> None:
    title, said = series.notes or series.name, site_maps.facts(series)
    style.write_title(figure, _MARGIN, 0.06, title, said, _TITLE_LETTERS)


def _draw_maps(
    panels: list[mpl.Axes], series: series_tables.SiteSeries, shown: site_maps.Window
) -> None:
    whole = site_maps.field(series)
    site_maps.draw_mean(panels[0], series, whole)
    if shown != whole:
        site_maps.frame_window(panels[0], shown)
    style.letter(panels[0], "a", "mean image, drift removed; sites")
    site_maps.draw_occurrence(panels[1], series, shown)
    style.letter(panels[1], "b", "occurrence of the sites")
    limit = site_maps.rate_limit(series, columns=(_rate(series),))
    if len(series.used_frames) < 2:
        site_maps.say(panels[2], "one frame:\nno changes can be seen")
        style.letter(panels[2], "c", "hop rate")
    elif series.has_hop_rates:
        site_maps.draw_hop_rate(panels[2], series, shown, limit)
        style.letter(panels[2], "c", "hop rate, errors of detection removed")
    else:
        site_maps.draw_event_rate(panels[2], series, shown, limit)
        style.letter(panels[2], "c", "raw event rate (no hop rates estimated)")


def _rate(series: series_tables.SiteSeries) -> str:
    return "hop_rate" if series.has_hop_rates else "event_rate"


def _draw_bars(
    figure: mpl.Figure, series: series_tables.SiteSeries, lefts: np.ndarray, top: float
) -> None:
    """Explain marks and colours below the maps."""
    middle = lefts[0] + _PANEL / 2
    mask = site_maps.mask_handle(site_maps.mask_text(series))
    site_maps.explain(figure, middle, top, [mask], 1)
    dots = [site_maps.dot_handle("site")] if series.analysed.any() else []
    if not series.analysed.all():
        dots.append(site_maps.dot_handle("site on the substrate, not analysed", hollow=True))
    if dots:
        site_maps.explain(figure, middle, top + 0.15, dots, 2)
    bar = (0.35, _PANEL - 0.7)
    place = (lefts[1] + bar[0], top, bar[1])
    label = "share of frames in which it is seen"
    style.colour_bar(figure, place, site_maps.OCCURRENCE, (0, 1), label)
    if len(series.used_frames) < 2:
        return
    limit = site_maps.rate_limit(series, columns=(_rate(series),))
    label = "hops per frame" if series.has_hop_rates else "changes per frame as observed"
    place = (lefts[2] + bar[0], top, bar[1])
    style.colour_bar(figure, place, site_maps.RATE, (0, limit), label, "max")
    if series.has_hop_rates:
        middle = lefts[2] + _PANEL / 2
        site_maps.explain(figure, middle, top + 0.38, site_maps.rate_handles(series), 2)


def _draw_rasters(
    figure: mpl.Figure,
    series: series_tables.SiteSeries,
    chosen: np.ndarray,
    top: float,
    height: float,
) -> None:
    """Draw the raw observation, and beside it the smoothed one where there is one."""
    left = _MARGIN + _RASTER_LABELS
    smoothed = bool(np.isfinite(series.p_occupied[chosen]).any())
    width = (_RASTERS - _RASTER_GAP) / 2 if smoothed else _RASTERS
    raw = style.place(figure, left, top, width, height)
    if len(series.used_frames) < 2 or len(chosen) == 0:
        style.letter(raw, "d", "occupancy in every frame")
        one = "one frame: no changes can be seen"
        site_maps.say(raw, one if len(series.used_frames) < 2 else "no site changes")
        return
    size = rasters.draw_raster(raw, series, chosen, rasters.observed(series))
    style.letter(raw, "d", f"seen or not: {_sites_text(series, chosen)}")
    raw.set_ylabel("side of the particle")
    if smoothed:
        beside = style.place(figure, left + width + _RASTER_GAP, top, width, height)
        rasters.draw_raster(beside, series, chosen, series.p_occupied.astype(float))
        beside.set_yticks([])
        style.letter(beside, "e", "occupied, estimated from all frames")
    label = "d: seen or not; e: probability of being occupied" if smoothed else "seen or not"
    if size > 1:
        label += f" (means over {size} frames)"
    place = (left + _RASTERS - 2.6, top + height + 0.34, 1.8)
    style.colour_bar(figure, place, rasters.OCCUPANCY, (0, 1), label)
    unknown = "out of view, or frame not used"
    if smoothed and series.faint[chosen].any():
        unknown = "out of view, frame not used,\nor (e) faint"
    grey = [mpl.Patch(color=style.MUTED, label=unknown)]
    site_maps.explain(figure, left + 0.8, top + height + 0.34, grey, 1)


def _sites_text(series: series_tables.SiteSeries, chosen: np.ndarray) -> str:
    changing = int((series.analysed & (series.sites["events"].to_numpy() > 0)).sum())
    if changing == len(chosen):
        return f"{changing:,} sites that change"
    return f"{len(chosen)} of {changing:,} sites that change"


def _draw_drift(
    figure: mpl.Figure, series: series_tables.SiteSeries, top: float, mark: str
) -> None:
    """Draw the way of the specimen, with a bar that tells the frames."""
    axes = style.place(figure, _DRIFT_LEFT, top, _DRIFT, _DRIFT)
    style.letter(axes, mark, "drift")
    if len(series.used_frames) < 2:
        site_maps.say(axes, "one frame:\nno drift")
        return
    scale = mpl.Normalize(series.used_frames.min(), series.used_frames.max())
    draw_drift(axes, series, scale)
    place, ends = (_DRIFT_LEFT, top + _DRIFT + 0.4, _DRIFT), (scale.vmin, scale.vmax)
    style.colour_bar(figure, place, mpl.cm.batlow, ends, "frame (circle: first)", ticks=2)


def draw_drift(axes: mpl.Axes, series: series_tables.SiteSeries, scale: mpl.Normalize) -> None:
    """Draw the way of the specimen, coloured by the frame; y runs down, as in the images.

    There must be two used frames or more.
    """
    path = series.drift[series.drift["used"].astype(bool)]
    x, y, frame = (path[name].to_numpy(float) for name in ("x_A", "y_A", "frame"))
    axes.plot(x, y, color="0.6", linewidth=0.5)
    size = np.clip(120 / len(path), 1, 8)
    axes.scatter(x, y, size, frame, cmap=mpl.cm.batlow, norm=scale, linewidths=0, zorder=3)
    axes.plot(x[0], y[0], "o", markersize=4.5, color="black", markerfacecolor="none", zorder=4)
    across, down = (x.min() + x.max()) / 2, (y.min() + y.max()) / 2
    half = max(0.6 * np.ptp(x), 0.6 * np.ptp(y), 0.1)
    axes.set(xlim=(across - half, across + half), ylim=(down + half, down - half))
    axes.set(xlabel="x (Å)", ylabel="y (Å)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(mpl.MaxNLocator(3))
