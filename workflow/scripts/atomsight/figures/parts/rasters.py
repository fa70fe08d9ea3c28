"""Occupancy of sites in every frame: one line per site."""

import numpy as np
from cmcrameri import cm
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.ticker import MaxNLocator

from atomsight.figures.parts import site_maps, style
from atomsight.figures.parts.series_tables import SiteSeries

#: White is empty, dark blue is occupied, grey is not known.
OCCUPANCY: Colormap = style.ramp(cm.devon_r, 0, 0.85).with_extremes(bad=style.MUTED)

#: More lines than this cannot be told apart.
MAX_SITES = 60

#: More frames than this are drawn as shares of several frames each.
MAX_FRAMES = 400

#: Quarters of the way round a particle, clockwise from the upper left.
_SIDES = ("above", "right", "below", "left")

#: A side with fewer lines has no room for its name.
_MIN_LINES = 0.13


def changing_sites(series: SiteSeries, most: int = MAX_SITES) -> np.ndarray:
    """Choose rows of sites that change, clockwise from the upper left of the particle.

    Those that hop beyond doubt come first, then those that change most often.
    """
    sites = series.sites
    changing = np.flatnonzero(series.analysed & (sites["events"].to_numpy() > 0))
    rank = np.lexsort((-sites["event_rate"].to_numpy()[changing], ~series.hopping[changing]))
    chosen = changing[rank[:most]]
    return chosen[np.argsort(_turn(series)[chosen], kind="stable")]


def _turn(series: SiteSeries) -> np.ndarray:
    """Direction from the middle, in quarters of a turn clockwise from the upper left."""
    points = series.positions
    middle = points[series.analysed].mean(axis=0) if series.analysed.any() else np.zeros(2)
    dx, dy = (points - middle).T
    return np.mod(np.arctan2(dy, dx) / (np.pi / 2) + 1.5, 4)


def bin_frames(values: np.ndarray, most: int = MAX_FRAMES) -> tuple[np.ndarray, int]:
    """Take the mean of successive frames where there are too many to be drawn.

    Gives the means of what is known, shape (S, B), NaN without it, and the frames in one column.
    """
    sites, frames = values.shape
    size = int(np.ceil(frames / most))
    padded = np.full((sites, int(np.ceil(frames / size)) * size), np.nan)
    padded[:, :frames] = values
    parts = padded.reshape(sites, -1, size)
    known = np.isfinite(parts)
    count = known.sum(axis=-1)
    total = np.where(known, parts, 0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), size


def observed(series: SiteSeries) -> np.ndarray:
    """What was seen at the sites, shape (S, F): 1 a column, 0 none, NaN out of view."""
    return np.where(series.occupied < 0, np.nan, series.occupied.astype(float))


def draw_raster(axes: Axes, series: SiteSeries, chosen: np.ndarray, values: np.ndarray) -> int:
    """Draw the occupancy of some sites in all frames, from left to right; grey where it is NaN.

    Gives the frames in one column of the raster.
    """
    means, size = bin_frames(values[chosen])
    last = means.shape[1] * size - 0.5
    _show(axes, means, (-0.5, last, len(chosen) - 0.5, -0.5))
    axes.set(xlabel="frame", xlim=(-0.5, values.shape[1] - 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    _name_sides(axes, _turn(series)[chosen])
    return size


def _show(axes: Axes, values: np.ndarray, extent: tuple[float, float, float, float]) -> None:
    axes.imshow(
        values,
        cmap=OCCUPANCY,
        vmin=0,
        vmax=1,
        extent=extent,
        aspect="auto",
        interpolation="nearest",
    )
    axes.spines[:].set(visible=True, color=style.MUTED)


def _name_sides(axes: Axes, turn: np.ndarray) -> None:
    """Name the sides of the particle that the lines come from."""
    sides = np.clip(turn.astype(int), 0, 3)
    counts = np.bincount(sides, minlength=4)
    ends = np.cumsum(counts)
    named = counts >= max(1, _MIN_LINES * len(turn))
    middles = (ends - counts / 2 - 0.5)[named]
    names = np.array(_SIDES)[named]
    axes.set_yticks(middles, names, rotation=90, va="center")
    axes.tick_params(axis="y", length=0)
    for end in ends[:-1][(ends[:-1] > 0) & (ends[:-1] < len(turn))]:
        axes.axhline(end - 0.5, color=site_maps.OUTLINE, linewidth=0.5)


def sample_of_hopping(series: SiteSeries, most: int) -> np.ndarray:
    """Choose rows of hopping sites that have a rate, evenly from the fastest to the slowest."""
    rows = np.flatnonzero(series.hopping & ~series.faint)
    rows = rows[np.argsort(-series.sites["hop_rate"].to_numpy(float)[rows], kind="stable")]
    if len(rows) == 0:
        return rows
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int))]


def draw_strips(axes: Axes, series: SiteSeries, chosen: np.ndarray) -> int:
    """Draw the occupancy of a few sites as seen and, under it, as estimated; rates on the left."""
    seen, size = bin_frames(observed(series)[chosen])
    smooth, _ = bin_frames(series.p_occupied[chosen].astype(float))
    last = seen.shape[1] * size - 0.5
    for line, (above, below) in enumerate(zip(seen, smooth, strict=True)):
        _show(axes, np.stack([above, below]), (-0.5, last, line + 0.38, line - 0.38))
        _outline(axes, last, line)
    rates = [f"{rate:.2f}" for rate in series.sites["hop_rate"].to_numpy(float)[chosen]]
    axes.set_yticks(np.arange(len(chosen)), rates)
    axes.set(xlim=(-0.5, series.occupied.shape[1] - 0.5), ylim=(len(chosen) - 0.45, -0.55))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    return size


def _outline(axes: Axes, last: float, line: int) -> None:
    x, y = (-0.5, last, last, -0.5, -0.5), np.array([-1, -1, 1, 1, -1]) * 0.38 + line
    axes.plot(x, y, color="0.5", linewidth=0.4)
    axes.plot(x[:2], (line, line), color="0.5", linewidth=0.3)
