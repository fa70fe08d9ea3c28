"""From noisy frames to the hop rate of every site, a row per series.

One frame of every series is drawn as recorded, the first one used without --frame. With --truth a
row says that it is simulated, and its hop rates are drawn against the truth. --comparison tells how
two of the series differ. All rows share one scale of rates.

Example:
    python plot.py gold_dynamics dynamics.png --frames vacuum=frames.h5 --maps vacuum=maps.h5 \\
        --atoms vacuum=atoms.h5 --sites vacuum=sites.h5 --substrate vacuum=substrate.h5 \\
        --titles vacuum='Simulated: gold in vacuum' --truth vacuum=dynamics.csv
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from atomsight.errors import InputError
from atomsight.figures.parts import choice, mpl, page, rasters, series_tables, site_maps, style
from atomsight.figures.parts.entry import Picture

if TYPE_CHECKING:
    import pandas as pd

CAPTION = """
From noisy frames to the dynamics of a surface, one row per series: (a) one frame as recorded, with
the columns found in it; (b) the output of the network for it, one minus the probability of the
background; (c) mean of the frames after their drift is removed, with the sites, and the substrate,
which is not analysed, veiled; (d) share of the frames in which a column is seen at a site; (e) hop
rate, the probability that the true occupancy of a site differs between two successive frames,
estimated by a hidden Markov model with the measured detection errors; rings mark sites whose
changes those errors do not explain (p < 0.05 after Holm's correction), and grey discs faint sites,
whose changes an error rate of their own would explain as well. Below, where the truth is
known, the hop rates against it, with intervals of the stated confidence, and the changes as
observed, which contain missed and invented columns; sites that never change are in the strip on the
left, spread out to be visible. Then the share of the sites that hop at a rate or faster, with the
ratio of the mean rates of two series, its interval and the p-value of the test that is named; and
what is seen at some of the hopping sites, evenly chosen from the fastest to the slowest, above the
probability that they are occupied, given all frames. Rows that say "simulated" show simulated
images.
"""
MEMORY_MB = 3000


def of_particles(sheet: Any) -> dict[str, Any]:
    names = choice.particles(sheet)
    known = [name for name in names if sheet.simulation(name, "sequences")]
    compared = [f"results/comparisons/{name}.csv" for name in sheet.comparisons()]
    return choice.files_of_each(names, "frames", "maps", "atoms", "sites", "substrate") | {
        "truth": {name: f"results/series/{name}/dynamics_truth.csv" for name in known},
        "comparison": next(iter(compared), None),
        "titles": {name: sheet.title(name) for name in names},
    }


PICTURES = (Picture("results/gold_dynamics.png", of_particles, "dynamics of the surface", "Gold"),)


@dataclass(frozen=True)
class GoldRow:
    """What is drawn of a series."""

    series: series_tables.SiteSeries
    recording: series_tables.Recording
    truth: pd.DataFrame | None = None  # sites that are analysed, matched with the truth


#: Places and sizes [inch].
_MARGIN = 0.08
_GAP = 0.06
_HEADER = 0.22
_ROW_TEXT = 0.34
_ROW_GAP = 0.12
_BARS = 0.74
_HEADING = 0.2
_PLOT_WORDS = 0.4
_PLOT_HEIGHT = 1.8
_STRIP_NAME = 0.15
_STRIP_TICKS = 0.17
_FOOTER = 0.52

_COLUMNS = {
    "a": "one frame, columns",
    "b": "network output",
    "c": "mean image, sites",
    "d": "occurrence",
    "e": "hop rate",
}
_PANEL = (page.WIDTH - 2 * _MARGIN - (len(_COLUMNS) - 1) * _GAP) / len(_COLUMNS)
_LEFTS = _MARGIN + np.arange(len(_COLUMNS)) * (_PANEL + _GAP)

#: Left edges and widths of the plots below, by their number: truth, rates, rasters.
_PLOTS = {
    3: ((0.46, 1.94), (2.84, 1.66), (5.03, 1.99)),
    2: ((0.42, 2.6), (3.6, 3.42)),
}

#: A panel's height over its width.
_FLATTEST, _TALLEST = 0.6, 1.2

#: Letters of the notes that fit on a line.
_LINE_LETTERS = 120

#: Lines of the raster of a series, all series together.
_STRIPS = 14

#: Colours of the series in plots.
_COLOURS = ("C0", "C1", "C2", "C3", "C4", "C5")

#: Tests of a comparison, the first choice first: pairs tell more, and means are what is shown.
_TESTS = {
    "permutation": "permutation test",
    "wilcoxon": "Wilcoxon test",
    "mann_whitney": "Mann–Whitney test",
}

#: Share of the height of a plot that the words of a comparison take.
_COMPARED = 0.32

#: Names of the rates of a comparison, as they are written.
_RATES = {"hmm": "hop rates", "raw_events": "raw events"}


def plot(
    frames: Annotated[dict[str, Path], "micrographs of every series"],
    maps: Annotated[dict[str, Path], "output of the network"],
    atoms: Annotated[dict[str, Path], "columns found"],
    sites: Annotated[dict[str, Path], "sites"],
    substrate: Annotated[dict[str, Path], "mean images and masks"],
    truth: Annotated[dict[str, Path] | None, "sites of simulated series, with the truth"] = None,
    comparison: Annotated[Path | None, "tests of the difference of two series"] = None,
    titles: Annotated[dict[str, str] | None, "what is to be said of a series"] = None,
    frame: Annotated[int | None, "number of the frame, from 0; the first one used without"] = None,
):
    truth, titles = truth or {}, titles or {}
    needed = {"maps": maps, "atoms": atoms, "sites": sites, "substrate": substrate}
    series_tables.check_names(frames, needed, truth=truth, titles=titles)
    rows = []
    for name in frames:
        series = series_tables.read_series(name, titles.get(name, ""), sites[name], substrate[name])
        recorded = (frames[name], maps[name], atoms[name])
        rows.append(read_row(series, recorded, frame, truth.get(name)))
    return draw(rows, series_tables.read_comparison(comparison) if comparison else None)


def read_row(
    series: series_tables.SiteSeries,
    recorded: tuple[Path, Path, Path],
    frame: int | None,
    truth: Path | None,
) -> GoldRow:
    """Read one frame of a series and where the drift has taken it, from frames, maps and atoms."""
    frame = int(series.used_frames[0]) if frame is None else frame
    recording = series_tables.read_recording(*recorded, frame)
    drift = series.drift[series.drift["frame"] == frame]
    if drift.empty:
        raise InputError(f"{recorded[0]}: its frame {frame} is not among those of the sites")
    x_A, y_A = np.nan_to_num(drift[["x_A", "y_A"]].to_numpy(float)[0])
    return GoldRow(
        series=series,
        recording=replace(recording, drift_A=(float(x_A), float(y_A))),
        truth=series_tables.read_truth(truth) if truth else None,
    )


def draw(rows: Sequence[GoldRow], comparison: pd.DataFrame | None = None) -> mpl.Figure:
    """Draw frame, network output, mean image, occurrence and hop rates, a row per series.

    Below stand hop rates against the truth where there is one, the distribution of the hop rates
    with what a comparison says of two series, and the occupancy of some hopping sites.
    """
    windows = [site_maps.window(row.series) for row in rows]
    colours = dict(zip((row.series.name for row in rows), cycle(_COLOURS), strict=False))
    heights = [_PANEL * np.clip(site_maps.aspect(w), _FLATTEST, _TALLEST) for w in windows]
    tops = _HEADER + np.cumsum([0, *(_ROW_TEXT + height + _ROW_GAP for height in heights)])
    plots_top = tops[-1] + _BARS
    if comparison is not None and comparison.empty:
        comparison = None
    figure = mpl.Figure(
        figsize=(page.WIDTH, plots_top + _HEADING + _PLOT_WORDS + _PLOT_HEIGHT + _FOOTER)
    )
    limit = site_maps.rate_limit(*(row.series for row in rows))
    for row, shown, top, height in zip(rows, windows, tops, heights, strict=False):
        _draw_row(figure, row, shown, top, height, limit)
        _name(figure, row, top, colours[row.series.name])
    for left, (mark, title) in zip(_LEFTS, _COLUMNS.items(), strict=True):
        style.write_heading(figure, left, 0.04, mark, title)
    _explain_maps(figure, rows, tops[-1], limit)
    _draw_plots(figure, rows, colours, comparison, plots_top)
    return figure


def _draw_row(
    figure: mpl.Figure,
    row: GoldRow,
    shown: site_maps.Window,
    top: float,
    height: float,
    limit: float,
) -> None:
    series = row.series
    panels = [style.place(figure, left, top + _ROW_TEXT, _PANEL, height) for left in _LEFTS]
    draw_frame(panels[0], row.recording, shown)
    draw_output(panels[1], row.recording, shown)
    site_maps.draw_mean(panels[2], series, shown)
    site_maps.draw_occurrence(panels[3], series, shown)
    if series.has_hop_rates:
        site_maps.draw_hop_rate(panels[4], series, shown, limit)
    else:
        site_maps.say(panels[4], "no hop rates\nestimated")


def _name(figure: mpl.Figure, row: GoldRow, top: float, colour: str) -> None:
    """Write name, notes and facts above a row."""
    series = row.series
    title = (series.name, series.notes, _LINE_LETTERS)
    style.write_row_title(figure, _MARGIN, top, *title, color=colour)
    style.write(figure, _MARGIN, top + 0.155, facts(row), color=style.MUTED_TEXT, size=6.5)


def facts(row: GoldRow) -> str:
    """Say in one line what was seen, and that a series is simulated where its truth is known."""
    said = [f"frame {row.recording.frame} shown", site_maps.facts(row.series)]
    if row.truth is not None and "simulated" not in row.series.notes.lower():
        said.insert(0, "simulated")
    said.append(site_maps.mask_text(row.series))
    return " · ".join(said)


def draw_frame(axes: mpl.Axes, recording: series_tables.Recording, shown: site_maps.Window) -> None:
    """Draw a frame as recorded, and the columns found in it; the window is of the reference."""
    _show(axes, recording, recording.image, shown, **style.grey(recording.image))
    limits = axes.axis()
    look = {"markersize": 1.3, "markeredgewidth": 0, "color": style.ACCENT}
    axes.plot(*recording.columns.T, "o", **look)
    axes.axis(limits)


def draw_output(
    axes: mpl.Axes, recording: series_tables.Recording, shown: site_maps.Window
) -> None:
    """Draw what the network gives for a frame; the window is of the reference."""
    _show(axes, recording, recording.foreground, shown, **style.probability())


def _show(
    axes: mpl.Axes,
    recording: series_tables.Recording,
    image: np.ndarray,
    shown: site_maps.Window,
    **options: object,
) -> None:
    """Show a part of a frame, moved with the specimen."""
    shifts = zip(shown, recording.drift_A * 2, strict=True)
    moved = tuple(float(edge + shift) for edge, shift in shifts)
    site_maps.show_window(axes, image, recording.pixel_size_A, (0, 0), moved, **options)


def _explain_maps(figure: mpl.Figure, rows: Sequence[GoldRow], top: float, limit: float) -> None:
    """Draw colour bars and explain marks, below the columns they belong to."""
    bars = (
        (1, style.PROBABILITY, 1.0, "1 − prob. of background", "neither"),
        (3, site_maps.OCCURRENCE, 1.0, "share of frames seen in", "neither"),
        (4, site_maps.RATE, limit, "hops per frame", "max"),
    )
    for column, colours, end, label, extend in bars:
        place = (_LEFTS[column] + 0.14, top, _PANEL - 0.28)
        style.colour_bar(figure, place, colours, (0, end), label, extend)
    middles = _LEFTS + _PANEL / 2
    site_maps.explain(figure, middles[0], top, [site_maps.dot_handle("column found")], 1)
    marks = [site_maps.dot_handle("site")]
    if not all(row.series.analysed.all() for row in rows):
        marks.append(site_maps.dot_handle("not analysed", hollow=True))
    site_maps.explain(figure, middles[2], top, marks, 2)
    if any(row.series.substrate.mask.any() for row in rows):
        site_maps.explain(figure, middles[2], top + 0.15, [site_maps.mask_handle("substrate")], 1)
    handles = site_maps.rate_handles(*(row.series for row in rows))
    site_maps.explain(figure, middles[4], top + 0.39, handles, 1)


def _draw_plots(
    figure: mpl.Figure,
    rows: Sequence[GoldRow],
    colours: Mapping[str, str],
    comparison: pd.DataFrame | None,
    top: float,
) -> None:
    known = [row for row in rows if row.truth is not None]
    truths = {row.series.name: row.truth for row in known}
    all_series = [row.series for row in rows]
    places = _PLOTS[3 if truths else 2]
    axes = [
        style.place(figure, left, top + _HEADING + _PLOT_WORDS, width, _PLOT_HEIGHT)
        for left, width in places[:-1]
    ]
    titles = ["hop rates of all sites", "hopping sites, frame by frame"]
    if truths:
        titles.insert(0, "hop rates against the truth")
        draw_truth(axes[0], truths, colours, {row.series.confidence for row in known})
    draw_rates(axes[-1], all_series, colours, comparison)
    _draw_rasters(figure, all_series, colours, places[-1], top + _HEADING)
    for (left, _), mark, title in zip(places, "fgh", titles, strict=False):
        style.write_heading(figure, left - 0.36, top, mark, title)


def draw_truth(
    axes: mpl.Axes,
    truths: Mapping[str, pd.DataFrame],
    colours: Mapping[str, str],
    confidences: Collection[float],
) -> None:
    """Draw estimated rates against the true ones, raw events beside them.

    Tables and colours are by the name of the series. Sites that never change stand in a strip of
    their own, left of zero, spread out to be seen.
    """
    import pandas as pd

    tables = pd.concat(truths.values())
    end = 1.05 * float(np.nanmax([tables["true_hop_rate"].max(), 0.05]))
    strip = 0.2 * end
    axes.axvspan(-1.25 * strip, -0.1 * strip, color="0.94", linewidth=0)
    axes.plot((0, end), (0, end), color="0.5", linewidth=0.7, dashes=(4, 2), zorder=1)
    for name, table in truths.items():
        x = _spread(table, strip)
        low, high = table["hop_rate_low"], table["hop_rate_high"]
        axes.vlines(x, low, high, colours[name], linewidth=0.5, alpha=0.55, zorder=2)
        raw = {"markersize": 2.4, "markeredgewidth": 0.5, "markerfacecolor": "white"}
        axes.plot(x, table["event_rate"], "^", color=colours[name], alpha=0.75, zorder=3, **raw)
        look = {"markersize": 2.6, "markeredgewidth": 0, "zorder": 4}
        axes.plot(x, table["hop_rate"], "o", color=colours[name], **look)
        faint = table["faint"].to_numpy(bool)
        grey = {"color": site_maps.FAINT_SITE, "markersize": 2.4, "markeredgewidth": 0.5}
        axes.plot(x[faint], table["event_rate"][faint], "^", zorder=3.5, **grey)
    _finish_truth(axes, tables, end, strip)
    _explain_truth(axes, tables, confidences)


def _spread(table: pd.DataFrame, strip: float) -> np.ndarray:
    """Give the true rates, and for static sites places left of zero."""
    dynamic = table["dynamic"].to_numpy(bool)
    x = table["true_hop_rate"].to_numpy(float).copy()
    x[~dynamic] = -strip * np.linspace(1.15, 0.2, int((~dynamic).sum()))
    return x


def _finish_truth(axes: mpl.Axes, tables: pd.DataFrame, end: float, strip: float) -> None:
    values = tables[["event_rate", "hop_rate", "hop_rate_high"]].to_numpy(float)
    known = values[np.isfinite(values)]
    top = max(end, 1.05 * np.percentile(known, 99.5)) if known.size else end
    axes.set(xlim=(-1.25 * strip, end), ylim=(-0.02 * top, top))
    axes.set(xlabel="true hops per frame", ylabel="estimated (per frame)")
    axes.yaxis.set_major_locator(mpl.MaxNLocator(5))
    axes.yaxis.set_major_formatter("{x:g}")
    rates = mpl.MaxNLocator(3).tick_values(0, end)
    rates = rates[(rates >= 0) & (rates <= end)]
    labels = ["static", *(f"{rate:g}" for rate in rates)]
    axes.set_xticks([-0.67 * strip, *rates], labels)


def _explain_truth(axes: mpl.Axes, tables: pd.DataFrame, confidences: Collection[float]) -> None:
    percent = " or ".join(f"{100 * confidence:.4g}" for confidence in sorted(confidences))
    look = {"color": "0.3", "linewidth": 0, "marker": "o", "markersize": 3}
    raw = {"marker": "^", "markeredgewidth": 0.6, "markerfacecolor": "white"}
    handles = [
        mpl.Line2D([], [], label=f"hop rate, {percent} % interval", **look),
        mpl.Line2D([], [], label="raw events", **(look | raw)),
    ]
    if count := int(tables["faint"].sum()):
        grey = {"marker": "^", "color": site_maps.FAINT_SITE}
        said = f"raw events of {count:,} faint sites: no rate"
        handles.append(mpl.Line2D([], [], label=said, **(look | grey)))
    if said := coverage(tables):
        handles.append(mpl.Line2D([], [], linewidth=0, label=said))
    _explain_plot(axes, handles)


def _explain_plot(axes: mpl.Axes, handles: list[mpl.Line2D]) -> None:
    """Explain marks in the room above a plot; names of series may be long."""
    axes.legend(
        handles=handles,
        fontsize=6,
        loc="lower left",
        bbox_to_anchor=(0, 1.01),
        borderaxespad=0,
        borderpad=0,
        labelspacing=0.25,
        handletextpad=0.5,
    )


def coverage(table: pd.DataFrame) -> str:
    """Say how often the intervals hold the truth; nothing where no site changes."""
    moving = table[table["dynamic"].astype(bool) & np.isfinite(table["hop_rate"].astype(float))]
    if moving.empty:
        return ""
    truth = moving["true_hop_rate"]
    held = int(((moving["hop_rate_low"] <= truth) & (truth <= moving["hop_rate_high"])).sum())
    return f"intervals hold the truth: {held} of {len(moving)}"


def draw_rates(
    axes: mpl.Axes,
    all_series: Sequence[series_tables.SiteSeries],
    colours: Mapping[str, str],
    comparison: pd.DataFrame | None,
) -> None:
    """Draw the share of the sites that hop faster than a rate, and what a comparison says."""
    end = site_maps.rate_limit(*all_series)
    handles, fewest = [], 100.0
    for series in all_series:
        rates = series.sites.loc[series.analysed, "hop_rate"].to_numpy(float)
        rates = rates[np.isfinite(rates)]
        if rates.size == 0:
            continue
        steps, number = np.unique(rates, return_counts=True)
        share = 100 * np.cumsum(number[::-1])[::-1] / rates.size
        label = f"{series.name}: mean {rates.mean():.3f}"
        (line,) = axes.step(steps, share, where="pre", color=colours[series.name], label=label)
        handles.append(line)
        fewest = min(fewest, share[-1])
    low = min(0.8 * fewest, 10)
    high = 115 if comparison is None else low * (115 / low) ** (1 / (1 - _COMPARED))
    axes.set(yscale="log", xlim=(0, 1.05 * end), ylim=(low, high))
    axes.spines["left"].set_bounds(low, 100)
    axes.yaxis.set_minor_locator(mpl.NullLocator())
    axes.set(xlabel="hops per frame", ylabel="sites as fast or faster (%)")
    ticks = [tick for tick in (0.1, 0.3, 1, 3, 10, 30, 100) if tick >= low]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_major_locator(mpl.MaxNLocator(4))
    axes.xaxis.set_major_formatter("{x:g}")
    if handles:
        _explain_plot(axes, handles)
    else:
        axes.text(0.5, 0.4, "no hop rates", transform=axes.transAxes, ha="center")
    if comparison is not None:
        axes.yaxis.label.set_y((1 - _COMPARED) / 2)
        text = "\n".join(compared(row) for row in main_tests(comparison).to_dict("records"))
        place = {"transform": axes.transAxes, "ha": "right", "va": "top", "parse_math": False}
        axes.text(1, 0.98, text, size=6, linespacing=1.3, **place)


def main_tests(comparison: pd.DataFrame) -> pd.DataFrame:
    """Choose one test for every rate: that of the means of pairs, where there are pairs."""
    choice = list(_TESTS)
    rank = comparison["test"].map(lambda test: choice.index(test) if test in choice else 9)
    best = comparison.assign(rank=rank).sort_values("rank", kind="stable")
    return best.drop_duplicates("rate").sort_index().drop(columns="rank")


def compared(row: Mapping[str, object]) -> str:
    """Say in two lines what a test tells: ratio of the mean rates with its interval, p-value."""
    rate = _RATES.get(str(row["rate"]), str(row["rate"]))
    ratio, low, high, p = (
        float(row[name]) for name in ("ratio", "ratio_low", "ratio_high", "p_value")
    )
    test = _TESTS.get(str(row["test"]), str(row["test"]))
    # Names of series are long, and stand in the legend in their order.
    said = f"{ratio:.2f} ({low:.2f} to {high:.2f})" if np.isfinite(ratio) else "none"
    return f"{rate}, second / first: {said}\n{test}: {p_text(p)}"


def p_text(p_value: float) -> str:
    """Write a p-value with two figures; very small ones are bounded."""
    if not np.isfinite(p_value):
        return "p unknown"
    return "p < 0.0001" if p_value < 1e-4 else f"p = {p_value:.2g}"


def _draw_rasters(
    figure: mpl.Figure,
    all_series: Sequence[series_tables.SiteSeries],
    colours: Mapping[str, str],
    place: tuple[float, float],
    top: float,
) -> None:
    """Draw the occupancy of some hopping sites of each series, one series below the other."""
    left, width = place
    count = len(all_series)
    whole = _PLOT_WORDS + _PLOT_HEIGHT
    step = (whole + _STRIP_TICKS) / count
    room = step - _STRIP_NAME - _STRIP_TICKS
    for index, series in enumerate(all_series):
        above = top + index * step
        name = textwrap.shorten(series.name, 40, placeholder=" …")
        style.write(figure, left, above, name, color=colours[series.name], weight="bold")
        axes = style.place(figure, left, above + _STRIP_NAME, width, room)
        chosen = rasters.sample_of_hopping(series, max(2, _STRIPS // count))
        if len(chosen) == 0:
            site_maps.say(axes, "no site hops beyond doubt")
            continue
        rasters.draw_strips(axes, series, chosen)
        axes.set_ylabel("hops per frame" if count < 3 else "hops/frame")
    axes.set_xlabel("frame")
    full, grey = rasters.OCCUPANCY(1.0), style.MUTED
    handles = [
        mpl.Patch(facecolor=full, edgecolor="0.5", linewidth=0.4, label="occupied"),
        mpl.Patch(facecolor="white", edgecolor="0.5", linewidth=0.4, label="empty"),
        mpl.Patch(facecolor=grey, edgecolor="0.5", linewidth=0.4, label="not in view"),
    ]
    site_maps.explain(figure, left + width / 2, top + whole + 0.36, handles, 3)
