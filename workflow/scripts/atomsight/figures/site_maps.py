"""Maps of the sites of one series: what several figures of occupancy draw alike."""

import numpy as np
from cmcrameri import cm
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import EllipseCollection
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from scipy.spatial import KDTree

from atomsight.figures import style
from atomsight.figures.series_tables import SiteSeries

#: Colour maps: dark is much. Occurrence and rates of change are never taken for one another. The
#: darkest browns are left out: black is for rings.
OCCURRENCE: Colormap = cm.imola_r
RATE: Colormap = ListedColormap(cm.lajolla_r(np.linspace(0, 0.85, 256)))

#: Grey levels under coloured sites: so faint that the colours are read.
_FAINT = ListedColormap(np.repeat(np.linspace(0.66, 1, 256)[:, None], 3, axis=1))

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
    """Edges of everything that was seen of a series.

    Parameters
    ----------
    series : SiteSeries
        The series.

    Returns
    -------
    tuple of 4 floats
        Left, top, right and bottom edge of the mean image [Å].
    """
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
    """Choose what to show: a square around the sites that are analysed.

    Parameters
    ----------
    series : SiteSeries
        The series.

    Returns
    -------
    tuple of 4 floats
        Left, top, right and bottom edge [Å]; the whole field where the sites fill most of it or
        there are none. No square where the field is too narrow for it.
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
    """Height of a window over its width.

    Parameters
    ----------
    shown : tuple of 4 floats
        Left, top, right and bottom edge [Å].

    Returns
    -------
    float
        The ratio.
    """
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
    """Show the part of an image that lies in a window.

    Parameters
    ----------
    axes : Axes
        Where to.
    image : ndarray of shape (H, W) or (H, W, 3)
        Grey levels or colours.
    pixel_size_A : float
        Size of a pixel [Å].
    corner_A : tuple of 2 floats
        Position ``(x, y)`` of the centre of the first pixel [Å].
    shown : tuple of 4 floats
        Left, top, right and bottom edge [Å].
    **options
        Options of ``imshow``.
    """
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
    """Draw the mean image, its substrate under a veil, and the sites.

    Parameters
    ----------
    axes : Axes
        Where to.
    series : SiteSeries
        The series.
    shown : tuple of 4 floats
        What to show of it [Å].
    """
    _show_mean(axes, series, shown, "gray")
    draw_substrate(axes, series)
    diameter = _DOT * neighbour_distance(series)
    _discs(axes, series.positions[series.analysed], diameter, color=style.ACCENT, linewidths=0)
    hollow = {"facecolors": "none", "edgecolors": style.ACCENT, "linewidths": 0.4}
    _discs(axes, series.positions[~series.analysed], 1.3 * diameter, **hollow)


def _show_mean(axes: Axes, series: SiteSeries, shown: Window, cmap: str | Colormap) -> None:
    substrate = series.substrate
    seen = np.isfinite(substrate.mean_image)
    filled = np.where(seen, substrate.mean_image, 0)
    low, high = style.grey_limits(filled, seen)
    show_window(
        axes,
        substrate.mean_image,
        substrate.pixel_size_A,
        substrate.corner_A,
        shown,
        cmap=cmap,
        vmin=low,
        vmax=high,
    )


def draw_substrate(axes: Axes, series: SiteSeries) -> None:
    """Lay a veil with an outline over the substrate.

    Parameters
    ----------
    axes : Axes
        Shows the series.
    series : SiteSeries
        The series.
    """
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
    """Frame the part of an image that other panels show.

    Parameters
    ----------
    axes : Axes
        Shows the image.
    shown : tuple of 4 floats
        The part [Å].
    """
    left, top, right, bottom = shown
    look = {"fill": False, "edgecolor": style.ACCENT, "linewidth": 0.9, "linestyle": (0, (3, 2))}
    axes.add_patch(Rectangle((left, top), right - left, bottom - top, **look))


def draw_occurrence(axes: Axes, series: SiteSeries, shown: Window) -> None:
    """Draw the sites, coloured by the share of frames in which they are seen.

    Parameters
    ----------
    axes : Axes
        Where to.
    series : SiteSeries
        The series.
    shown : tuple of 4 floats
        What to show of it [Å].
    """
    draw_values(axes, series, shown, "occurrence", OCCURRENCE, Normalize(0, 1))


def draw_event_rate(axes: Axes, series: SiteSeries, shown: Window, limit: float) -> None:
    """Draw the sites, coloured by their changes as observed.

    Parameters
    ----------
    axes : Axes
        Where to.
    series : SiteSeries
        The series.
    shown : tuple of 4 floats
        What to show of it [Å].
    limit : float
        End of the colour scale [changes per frame].
    """
    draw_values(axes, series, shown, "event_rate", RATE, Normalize(0, limit))


def draw_hop_rate(axes: Axes, series: SiteSeries, shown: Window, limit: float) -> None:
    """Draw the sites, coloured by their hop rate; a ring is round those that hop beyond doubt.

    Parameters
    ----------
    axes : Axes
        Where to.
    series : SiteSeries
        The series.
    shown : tuple of 4 floats
        What to show of it [Å].
    limit : float
        End of the colour scale [hops per frame].
    """
    draw_values(axes, series, shown, "hop_rate", RATE, Normalize(0, limit))
    diameter = _RING * neighbour_distance(series)
    ring = {"facecolors": "none", "edgecolors": "black", "linewidths": 0.6}
    _discs(axes, series.positions[series.hopping], diameter, **ring)


def draw_values(
    axes: Axes,
    series: SiteSeries,
    shown: Window,
    column: str,
    colours: Colormap,
    scale: Normalize,
) -> None:
    """Draw a coloured disc at every site that is analysed, over the faint mean image.

    Parameters
    ----------
    axes : Axes
        Where to.
    series : SiteSeries
        The series.
    shown : tuple of 4 floats
        What to show of it [Å].
    column : str
        What gives the colour; a site without it is an empty circle.
    colours : Colormap
        Colours.
    scale : Normalize
        What the colours stand for.
    """
    _show_mean(axes, series, shown, _FAINT)
    draw_substrate(axes, series)
    values = series.sites[column].to_numpy(float)
    known = series.analysed & np.isfinite(values)
    diameter = _DISC * neighbour_distance(series)
    edge = {"edgecolors": "0.25", "linewidths": 0.25}
    filled = colours(scale(values[known]))
    _discs(axes, series.positions[known], diameter, facecolors=filled, **edge)
    _discs(axes, series.positions[series.analysed & ~known], diameter, facecolors="none", **edge)
    if not series.analysed.any():
        text = "no sites found" if len(series.sites) == 0 else "all sites lie on the substrate"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", size=8)


def _discs(axes: Axes, positions: np.ndarray, diameter_A: float, **look: object) -> None:
    """Draw circles of a diameter in Å."""
    if len(positions) == 0:
        return
    sizes = np.full(len(positions), diameter_A)
    circles = EllipseCollection(
        sizes,
        sizes,
        np.zeros(len(positions)),
        units="xy",
        offsets=positions,
        offset_transform=axes.transData,
        **look,
    )
    limits = axes.axis()
    axes.add_collection(circles)
    axes.axis(limits)


def neighbour_distance(series: SiteSeries) -> float:
    """Usual distance from a site to the next.

    Parameters
    ----------
    series : SiteSeries
        The series.

    Returns
    -------
    float
        Median [Å]; the usual distance of columns of a metal where there is only one site.
    """
    if len(series.sites) < 2:
        return _USUAL_DISTANCE_A
    distances, _ = KDTree(series.positions).query(series.positions, 2)
    return float(np.median(distances[:, 1]))


def rate_limit(*all_series: SiteSeries, columns: tuple[str, ...] = ("hop_rate",)) -> float:
    """End of a scale of rates that several maps share.

    Parameters
    ----------
    *all_series : SiteSeries
        The series.
    columns : tuple of str
        The rates that are shown.

    Returns
    -------
    float
        A round number that holds nearly all of them, at most 1 [per frame].
    """
    rates = [
        series.sites.loc[series.analysed, column].to_numpy(float)
        for series in all_series
        for column in columns
    ]
    return min(1.0, style.symmetric_limit(np.concatenate(rates), _MIN_RATE))


def colour_bar(
    figure: Figure,
    place: tuple[float, float, float],
    colours: Colormap,
    end: float,
    label: str,
    extend: str = "neither",
) -> Axes:
    """Draw a lying colour bar from zero.

    Parameters
    ----------
    figure : Figure
        The figure.
    place : tuple of 3 floats
        Left, top and width [inch].
    colours : Colormap
        Colours.
    end : float
        What the last colour stands for.
    label : str
        What is shown, with its unit.
    extend : str
        ``max`` where there is more than the last colour.

    Returns
    -------
    Axes
        The bar.
    """
    left, top, width = place
    axes = style.place(figure, left, top, width, 0.07)
    bar = figure.colorbar(
        ScalarMappable(Normalize(0, end), colours),
        axes,
        orientation="horizontal",
        extend=extend,
        label=label,
        ticks=np.linspace(0, end, 3),
        format="{x:g}",
    )
    bar.outline.set_linewidth(0.4)
    return axes


def mask_text(series: SiteSeries) -> str:
    """Say where the mask of the substrate comes from.

    Parameters
    ----------
    series : SiteSeries
        The series.

    Returns
    -------
    str
        A few words.
    """
    source = series.substrate.source
    if source == "none":
        return "no substrate mask"
    kind = "mask from a file" if source.startswith("file") else f"{source} mask"
    return f"substrate ({kind})" if series.substrate.mask.any() else f"no substrate ({kind})"


def mask_handle(text: str) -> Patch:
    """Handle of a legend for the substrate.

    Parameters
    ----------
    text : str
        What :func:`mask_text` gives.

    Returns
    -------
    Patch
        The handle; without colour where there is no substrate.
    """
    if text.startswith("no"):
        return Patch(facecolor="none", edgecolor=style.MUTED, linewidth=0.7, label=text)
    return Patch(facecolor=style.VEIL, edgecolor=OUTLINE, linewidth=0.7, label=text)


def dot_handle(text: str, hollow: bool = False) -> Line2D:
    """Handle of a legend for a mark on a micrograph.

    Parameters
    ----------
    text : str
        What is marked.
    hollow : bool
        Whether the mark is a circle.

    Returns
    -------
    Line2D
        The handle.
    """
    face = "none" if hollow else style.ACCENT
    look = {"markersize": 3.2, "markeredgewidth": 0.7, "linewidth": 0}
    return Line2D([], [], marker="o", color=style.ACCENT, markerfacecolor=face, label=text, **look)


def ring_handle() -> Line2D:
    """Handle of a legend for the sites that hop beyond doubt.

    Returns
    -------
    Line2D
        The handle.
    """
    look = {"markersize": 5.5, "markeredgewidth": 0.6, "linewidth": 0, "markerfacecolor": "none"}
    return Line2D([], [], marker="o", color="black", label="hops (p < 0.05, Holm)", **look)


def explain(figure: Figure, middle: float, top: float, handles: list, columns: int) -> Legend:
    """Explain marks in lines of their own.

    Parameters
    ----------
    figure : Figure
        The figure.
    middle, top : float
        Where [inch].
    handles : list of artists
        The marks, with their labels.
    columns : int
        Marks on a line.

    Returns
    -------
    Legend
        The legend.
    """
    width, height = figure.get_size_inches()
    return figure.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(middle / width, 1 - top / height),
        ncols=columns,
        borderaxespad=0,
        borderpad=0,
        handletextpad=0.5,
        columnspacing=1.2,
        labelspacing=0.3,
    )


def say(axes: Axes, text: str) -> None:
    """Say why a panel is empty.

    Parameters
    ----------
    axes : Axes
        The panel.
    text : str
        The reason.
    """
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", linespacing=1.4)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=style.MUTED)


def facts(series: SiteSeries) -> str:
    """Say what was seen of a series.

    Parameters
    ----------
    series : SiteSeries
        The series.

    Returns
    -------
    str
        One line.
    """
    frames, used = len(series.drift), len(series.used_frames)
    said = [f"{used:,} of {frames:,} frames" if frames > 1 else "1 frame"]
    if np.isfinite(series.dose_e_per_A2):
        said.append(f"{series.dose_e_per_A2:,.4g} e/Å² per frame")
    sites, covered = int(series.analysed.sum()), int((~series.analysed).sum())
    said.append(f"{sites:,} sites" + (f", {covered:,} more on the substrate" if covered else ""))
    if series.has_hop_rates:
        said.append(f"{int(series.hopping.sum()):,} hopping")
    return " · ".join(said)
