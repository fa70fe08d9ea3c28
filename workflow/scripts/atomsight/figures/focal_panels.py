"""Panels of the images of focal series."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from scipy.spatial import KDTree

from atomsight.figures import site_maps, style
from atomsight.figures.column_tables import FocalImages

#: Grey levels under coloured discs: so faint that the colours are read.
_FAINT = ListedColormap(np.repeat(np.linspace(0.72, 1, 256)[:, None], 3, axis=1))

#: Room around columns [Å], diameter of a disc in distances between neighbours, and that distance
#: where there is one column only [Å].
_ROOM_A = 4.0

_DISC = 0.86

_USUAL_DISTANCE_A = 2.5


def window(points: np.ndarray, series: FocalImages) -> site_maps.Window:
    """Choose what to show: a square around the columns, as far as all images show it.

    Parameters
    ----------
    points : ndarray of shape (N, 2)
        Positions ``(x, y)`` [Å].
    series : FocalImages
        The images.

    Returns
    -------
    tuple of 4 floats
        Left, top, right and bottom edge [Å]; the whole image where there is no column.
    """
    first, last = series.view_A
    extent = last - first
    if len(points) == 0:
        return (*map(float, first), *map(float, first + extent))
    low, high = points.min(axis=0) - _ROOM_A, points.max(axis=0) + _ROOM_A
    size = np.minimum((high - low).max(), extent)
    start = np.clip((low + high - size) / 2, first, first + extent - size)
    return (*map(float, start), *map(float, start + size))


def busy_window(points: np.ndarray, series: FocalImages, size_A: float) -> site_maps.Window:
    """Choose the square, of what all images show, that holds most of some points.

    Parameters
    ----------
    points : ndarray of shape (N, 2)
        Positions ``(x, y)``, such as those of vacancies [Å].
    series : FocalImages
        The images.
    size_A : float
        Edge of the square [Å].

    Returns
    -------
    tuple of 4 floats
        Left, top, right and bottom edge [Å]; the whole width or height where it is less, the middle
        where there are no points.
    """
    first, last = series.view_A
    extent = last - first
    size = np.minimum(size_A, extent)
    middles = np.clip(points, first + size / 2, first + extent - size / 2)
    inside = (np.abs(points[None] - middles[:, None]) < size / 2).all(axis=2).sum(axis=1)
    middle = middles[inside.argmax()] if len(points) else first + extent / 2
    return (*map(float, middle - size / 2), *map(float, middle + size / 2))


def focus_text(focus_A: float) -> str:
    """Write a focus.

    Parameters
    ----------
    focus_A : float
        Defocus, underfocus positive [Å].

    Returns
    -------
    str
        In nm, with its direction, which no two programs sign alike.
    """
    if focus_A == 0:
        return "in focus"
    return f"{abs(focus_A) / 10:.3g} nm {'underfocus' if focus_A > 0 else 'overfocus'}"


def draw_focal_image(
    axes: Axes, series: FocalImages, index: int, shown: site_maps.Window, faint: bool = False
) -> None:
    """Draw one image of a focal series.

    Parameters
    ----------
    axes : Axes
        Where to.
    series : FocalImages
        The images.
    index : int
        Which.
    shown : tuple of 4 floats
        What to show of it [Å].
    faint : bool
        Whether it lies under colours.
    """
    image = series.images[index]
    low, high = style.grey_limits(image)
    look = {"cmap": _FAINT if faint else "gray", "vmin": low, "vmax": high}
    site_maps.show_window(axes, image, series.pixel_size_A, (0.0, 0.0), shown, **look)


def draw_focal_series(
    panels: Sequence[Axes], series: FocalImages, shown: site_maps.Window, letters: str
) -> None:
    """Draw the images of a focal series, evenly chosen where there are more than panels.

    Parameters
    ----------
    panels : sequence of Axes
        Where to.
    series : FocalImages
        The images.
    shown : tuple of 4 floats
        What to show of them [Å].
    letters : str
        Letters of the panels.
    """
    chosen = shown_images(series, len(panels))
    for axes, mark, index in zip(panels, letters, chosen, strict=False):
        draw_focal_image(axes, series, index, shown)
        known = focus_text(series.focus_A[index]) if series.focus_A else "image, focus not known"
        style.letter(axes, mark, known)
    for axes in panels[len(chosen) :]:
        axes.set_axis_off()


def shown_images(series: FocalImages, most: int) -> np.ndarray:
    """Choose images from the first to the last of a series.

    Parameters
    ----------
    series : FocalImages
        The images.
    most : int
        Images at most.

    Returns
    -------
    ndarray of int
        Their numbers.
    """
    count = len(series.images)
    return np.linspace(0, count - 1, min(count, most)).round().astype(int)


def disc_diameter(points: np.ndarray) -> float:
    """Diameter of discs that just do not touch.

    Parameters
    ----------
    points : ndarray of shape (N, 2)
        Positions of their centres [Å].

    Returns
    -------
    float
        The diameter [Å].
    """
    if len(points) < 2:
        return _DISC * _USUAL_DISTANCE_A
    distances, _ = KDTree(points).query(points, 2)
    return _DISC * float(np.median(distances[:, 1]))
