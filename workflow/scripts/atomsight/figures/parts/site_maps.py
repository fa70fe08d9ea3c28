"""Maps of the sites of one series: what several figures of occupancy draw alike."""

import numpy as np
from cmcrameri import cm
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from scipy.spatial import KDTree

from atomsight.figures.parts import style
from atomsight.figures.parts.series_tables import SiteSeries

#: Colour maps: dark is much. Occurrence and rates of change are never taken for one another. The
#: darkest browns are left out: black is for rings.
OCCURRENCE: Colormap = cm.imola_r
RATE: Colormap = style.ramp(cm.lajolla_r, 0, 0.85)

_FAINT = style.greys(0.66)

#: Colour of sites that are too faint for a hop rate.
FAINT_SITE = "0.5"

#: Outline of the substrate.
OUTLINE = "#0072B2"

#: Room around the sites [Å], and the part of the field from which on all of it is shown.
_MARGIN_A = 5.0
_NEARLY_ALL = 0.85

#: Diameters of dots on the mean image, discs and rings, in distances between neighbours, and that
#: distance where there are no neighbours [Å].
_DOT, _DISC, _RING = 0.22, 0.66, 0.92
_USUAL_DISTANCE_A = 2.5

#: Smallest end of a scale of rates [changes per frame].
_MIN_RATE = 0.02

#: Left, top, right and bottom edge of what is shown, in reference coordinates [Å].
Window = tuple[float, float, float, float]


def field(series: SiteSeries) -> Window:
    """Edges of the mean image, which is everything that was seen of a series."""
    substrate = series.substrate
    height, width = substrate.mean_image.shape
    left, top = (edge - substrate.pixel_size_A / 2 for edge in substrate.corner_A)
    return (
        left,
        top,
        left + width * substrate.pixel_size_A,
        top + height * substrate.pixel_size_A,
    )


def window(series: SiteSeries) -> Window:
    """Choose a square around the sites that are analysed.

    It is the whole field where the sites fill most of it or there are none, and no square where the
    field is too narrow for it.
    """
    whole = field(series)
    edges = np.array(whole).reshape(2, 2)
    points = series.positions[series.analysed] if series.analysed.any() else series.positions
    if len(points) == 0:
        return whole
    low, high = points.min(axis=0) - _MARGIN_A, points.max(axis=0) + _MARGIN_A
    extent = edges[1] - edges[0]
    size = np.minimum((high - low).max(), extent)
    if (size > _NEARLY_ALL * extent).all():
        return whole
    start = np.clip((low + high - size) / 2, edges[0], edges[1] - size)
    return (*(float(edge) for edge in start), *(float(edge) for edge in start + size))


def aspect(shown: Window) -> float:
    """Height of a window over its width."""
    left, top, right, bottom = shown
    return (bottom - top) / (right - left)


def show_window(
    axes: Axes,
    image: np.ndarray,
    pixel_size_A: float,
    corner_A: tuple[float, float],
    shown: Window,
    **options: object,
) -> None:
    """Show the part of an image that lies in a window; see :func:`style.show_image`."""
    first = np.array(corner_A) - pixel_size_A / 2
    edges = (np.array(shown).reshape(2, 2) - first) / pixel_size_A
    start = np.clip(np.floor(edges[0] + 1e-6), 0, np.array(image.shape[1::-1]) - 1).astype(int)
    stop = np.maximum(np.ceil(edges[1] - 1e-6).astype(int), start + 1)
    part = image[start[1] : stop[1], start[0] : stop[0]]
    x_A, y_A = np.array(corner_A) + start * pixel_size_A
    style.show_image(axes, part, pixel_size_A, (x_A, y_A), **options)
    left, top, right, bottom = shown
    axes.set(xlim=(left, right), ylim=(bottom, top), facecolor=style.MUTED)


def draw_mean(axes: Axes, series: SiteSeries, shown: Window) -> None:
    """Draw the mean image, its substrate under a veil, and the sites."""
    _show_mean(axes, series, shown, "gray")
    draw_substrate(axes, series)
    diameter = _DOT * neighbour_distance(series)
    dots = {"color": style.ACCENT, "linewidths": 0}
    style.discs(axes, series.positions[series.analysed], diameter, **dots)
    hollow = {"facecolors": "none", "edgecolors": style.ACCENT, "linewidths": 0.4}
    style.discs(axes, series.positions[~series.analysed], 1.3 * diameter, **hollow)


def _show_mean(axes: Axes, series: SiteSeries, shown: Window, cmap: str | Colormap) -> None:
    substrate = series.substrate
    seen = np.isfinite(substrate.mean_image)
    look = style.grey(np.where(seen, substrate.mean_image, 0), seen) | {"cmap": cmap}
    at = substrate.pixel_size_A, substrate.corner_A
    show_window(axes, substrate.mean_image, *at, shown, **look)


def draw_substrate(axes: Axes, series: SiteSeries) -> None:
    """Lay a veil with an outline over the substrate."""
    substrate = series.substrate
    if not substrate.mask.any():
        return
    limits = axes.axis()
    left, top, right, bottom = field(series)
    veil = np.ma.masked_where(~substrate.mask, np.zeros(substrate.mask.shape, np.uint8))
    axes.imshow(
        veil,
        extent=(left, right, bottom, top),
        cmap=ListedColormap([style.VEIL]),
        interpolation="nearest",
    )
    if not substrate.mask.all():
        x, y = (
            edge + substrate.pixel_size_A * np.arange(count)
            for edge, count in zip(substrate.corner_A, substrate.mask.shape[::-1], strict=True)
        )
        axes.contour(x, y, substrate.mask, [0.5], colors=OUTLINE, linewidths=0.7)
    axes.axis(limits)


def frame_window(axes: Axes, shown: Window) -> None:
    """Frame the part of an image that other panels show."""
    left, top, right, bottom = shown
    look = {"fill": False, "edgecolor": style.ACCENT, "linewidth": 0.9, "linestyle": (0, (3, 2))}
    axes.add_patch(Rectangle((left, top), right - left, bottom - top, **look))


def draw_occurrence(axes: Axes, series: SiteSeries, shown: Window) -> None:
    """Draw the sites, coloured by the share of frames in which they are seen."""
    draw_values(axes, series, shown, "occurrence", OCCURRENCE, Normalize(0, 1))


def draw_event_rate(axes: Axes, series: SiteSeries, shown: Window, limit: float) -> None:
    """Draw the sites, coloured by their changes as observed, up to a limit [per frame]."""
    draw_values(axes, series, shown, "event_rate", RATE, Normalize(0, limit))


def draw_hop_rate(axes: Axes, series: SiteSeries, shown: Window, limit: float) -> None:
    """Draw the sites, coloured by their hop rate, up to a limit [per frame].

    A ring is round those whose changes the errors of detection do not explain. Faint ones are grey.
    """
    draw_values(axes, series, shown, "hop_rate", RATE, Normalize(0, limit))
    distance = neighbour_distance(series)
    grey = {"facecolors": FAINT_SITE, "edgecolors": "0.25", "linewidths": 0.25}
    style.discs(axes, series.positions[series.faint], _DISC * distance, **grey)
    diameter = _RING * distance
    ring = {"facecolors": "none", "edgecolors": "black", "linewidths": 0.6}
    style.discs(axes, series.positions[series.hopping], diameter, **ring)


def draw_values(
    axes: Axes,
    series: SiteSeries,
    shown: Window,
    column: str,
    colours: Colormap,
    scale: Normalize,
) -> None:
    """Draw a coloured disc at every site that is analysed, over the faint mean image.

    A site without a value is an empty circle.
    """
    _show_mean(axes, series, shown, _FAINT)
    draw_substrate(axes, series)
    values = series.sites[column].to_numpy(float)
    known = series.analysed & np.isfinite(values)
    diameter = _DISC * neighbour_distance(series)
    edge = {"edgecolors": "0.25", "linewidths": 0.25}
    filled = colours(scale(values[known]))
    style.discs(axes, series.positions[known], diameter, facecolors=filled, **edge)
    unknown = series.positions[series.analysed & ~known]
    style.discs(axes, unknown, diameter, facecolors="none", **edge)
    if not series.analysed.any():
        text = "no sites found" if len(series.sites) == 0 else "all sites lie on the substrate"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", size=8)


def neighbour_distance(series: SiteSeries) -> float:
    """Median distance from a site to the next [Å]; that of a metal where there is one site only."""
    if len(series.sites) < 2:
        return _USUAL_DISTANCE_A
    distances, _ = KDTree(series.positions).query(series.positions, 2)
    return float(np.median(distances[:, 1]))


def rate_limit(*all_series: SiteSeries, columns: tuple[str, ...] = ("hop_rate",)) -> float:
    """Round end of a scale that holds nearly all rates of several maps, at most 1 [per frame]."""
    rates = [
        series.sites.loc[series.analysed, column].to_numpy(float)
        for series in all_series
        for column in columns
    ]
    return min(1.0, style.symmetric_limit(np.concatenate(rates), _MIN_RATE))


def mask_text(series: SiteSeries) -> str:
    """Say where the mask of the substrate comes from."""
    source = series.substrate.source
    if source == "none":
        return "no substrate mask"
    kind = "mask from a file" if source.startswith("file") else f"{source} mask"
    return f"substrate ({kind})" if series.substrate.mask.any() else f"no substrate ({kind})"


def mask_handle(text: str) -> Patch:
    """Handle of a legend for the substrate; without colour where :func:`mask_text` finds none."""
    if text.startswith("no"):
        return Patch(facecolor="none", edgecolor=style.MUTED, linewidth=0.7, label=text)
    return Patch(facecolor=style.VEIL, edgecolor=OUTLINE, linewidth=0.7, label=text)


def dot_handle(text: str, hollow: bool = False) -> Line2D:
    """Handle of a legend for a mark on a micrograph."""
    face = "none" if hollow else style.ACCENT
    look = {"markersize": 3.2, "markeredgewidth": 0.7, "linewidth": 0}
    return Line2D([], [], marker="o", color=style.ACCENT, markerfacecolor=face, label=text, **look)


def rate_handles(*all_series: SiteSeries) -> list[Line2D]:
    """Handles of a legend for the ringed sites, and for the faint ones where there are some."""
    look = {"marker": "o", "markersize": 5.5, "markeredgewidth": 0.6, "linewidth": 0}
    ring = {"color": "black", "markerfacecolor": "none", "label": "hops (p < 0.05, Holm)"}
    handles = [Line2D([], [], **look | ring)]
    if any(series.faint.any() for series in all_series):
        grey = {"color": "0.25", "markerfacecolor": FAINT_SITE, "markersize": 4.5}
        grey |= {"markeredgewidth": 0.25, "label": "faint: no rate"}
        handles.append(Line2D([], [], **look | grey))
    return handles


def explain(figure: Figure, middle: float, top: float, handles: list, columns: int) -> None:
    """Explain marks in lines of their own, so many on a line, centred below a panel [inch]."""
    style.explain(
        figure,
        middle,
        top,
        handles,
        ncols=columns,
        borderpad=0,
        handletextpad=0.5,
        columnspacing=1.2,
        labelspacing=0.3,
    )


def say(axes: Axes, text: str) -> None:
    """Say why a panel is empty."""
    style.say(axes, text, linespacing=1.4)


def facts(series: SiteSeries) -> str:
    """Say in one line what was seen of a series."""
    frames, used = len(series.drift), len(series.used_frames)
    said = [f"{used:,} of {frames:,} frames" if frames > 1 else "1 frame"]
    if np.isfinite(series.dose_e_per_A2):
        said.append(f"{series.dose_e_per_A2:,.4g} e/Å² per frame")
    sites, covered = int(series.analysed.sum()), int((~series.analysed).sum())
    said.append(f"{sites:,} sites" + (f", {covered:,} more on the substrate" if covered else ""))
    if series.has_hop_rates:
        said.append(f"{int(series.hopping.sum()):,} hopping")
        if faint := int(series.faint.sum()):
            said.append(f"{faint:,} faint")
    return " · ".join(said)
