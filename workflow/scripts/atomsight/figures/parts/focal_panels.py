"""Panels of the images of focal series."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.spatial import KDTree

from atomsight.figures.parts import error_curves, page, site_maps, style
from atomsight.figures.parts.column_tables import FocalImages

_FAINT = style.greys(0.72)

#: Places and sizes of six panels [inch].
MARGIN, GAP = 0.1, 0.1
PANEL = (page.WIDTH - 2 * MARGIN - 2 * GAP) / 3
LEFTS = MARGIN + np.arange(3) * (PANEL + GAP)
TITLE, LETTER = 0.4, 0.22

#: Room around columns [Å], diameter of a disc in distances between neighbours, and that distance
#: where there is one column only [Å].
_ROOM_A = 4.0

_DISC = 0.86

_USUAL_DISTANCE_A = 2.5


def window(points: np.ndarray, series: FocalImages) -> site_maps.Window:
    """Choose a square around columns, as far as all images show it; all of it without columns."""
    first, last = series.view_A
    extent = last - first
    if len(points) == 0:
        return (*map(float, first), *map(float, first + extent))
    low, high = points.min(axis=0) - _ROOM_A, points.max(axis=0) + _ROOM_A
    size = np.minimum((high - low).max(), extent)
    start = np.clip((low + high - size) / 2, first, first + extent - size)
    return (*map(float, start), *map(float, start + size))


def busy_window(points: np.ndarray, series: FocalImages, size_A: float) -> site_maps.Window:
    """Choose the square of an edge [Å] that holds most of some points, such as vacancies.

    It lies in what all images show: smaller where they are, and in the middle without points.
    """
    first, last = series.view_A
    extent = last - first
    size = np.minimum(size_A, extent)
    middles = np.clip(points, first + size / 2, first + extent - size / 2)
    inside = (np.abs(points[None] - middles[:, None]) < size / 2).all(axis=2).sum(axis=1)
    middle = middles[inside.argmax()] if len(points) else first + extent / 2
    return (*map(float, middle - size / 2), *map(float, middle + size / 2))


def six_panels(height: float, footer: float) -> tuple[Figure, list[Axes], list[Axes], float]:
    """Lay out two rows of panels under a title: figure, upper and lower row, their end [inch]."""
    tops = TITLE + LETTER + np.array([0, height + LETTER + 0.04])
    figure = Figure(figsize=(page.WIDTH, tops[1] + height + footer))
    upper, lower = (
        [style.place(figure, left, top, PANEL, height) for left in LEFTS] for top in tops
    )
    return figure, upper, lower, tops[1] + height


def images_text(series: FocalImages, dose_e_per_A2: float | None) -> str:
    """Say how many images there are, and their dose together [e/Å²] where it is known."""
    count = len(series.images)
    said = f"{count} images" if count > 1 else "one image"
    if dose_e_per_A2 is None:
        return said
    return f"{said}, {error_curves.dose_text(dose_e_per_A2)} in all"


def focus_text(focus_A: float) -> str:
    """Write a focus in nm, with its direction, which no two programs sign alike."""
    if focus_A == 0:
        return "in focus"
    return f"{abs(focus_A) / 10:.3g} nm {'underfocus' if focus_A > 0 else 'overfocus'}"


def draw_focal_image(
    axes: Axes, series: FocalImages, index: int, shown: site_maps.Window, faint: bool = False
) -> None:
    """Draw one image of a focal series, faint where it lies under colours."""
    image = series.images[index]
    look = style.grey(image) | ({"cmap": _FAINT} if faint else {})
    site_maps.show_window(axes, image, series.pixel_size_A, (0.0, 0.0), shown, **look)


def draw_middle(axes: Axes, series: FocalImages, shown: site_maps.Window) -> None:
    """Draw the image in the middle of a focal series, faint under what is found in it."""
    draw_focal_image(axes, series, len(series.images) // 2, shown, faint=True)


def draw_focal_series(
    panels: Sequence[Axes], series: FocalImages, shown: site_maps.Window, letters: str
) -> None:
    """Draw the images of a focal series, evenly chosen where there are more than panels."""
    chosen = shown_images(series, len(panels))
    for axes, mark, index in zip(panels, letters, chosen, strict=False):
        draw_focal_image(axes, series, index, shown)
        known = focus_text(series.focus_A[index]) if series.focus_A else "image, focus not known"
        style.letter(axes, mark, known)
    for axes in panels[len(chosen) :]:
        axes.set_axis_off()


def shown_images(series: FocalImages, most: int) -> np.ndarray:
    """Choose numbers of images from the first to the last of a series."""
    count = len(series.images)
    return np.linspace(0, count - 1, min(count, most)).round().astype(int)


def disc_diameter(points: np.ndarray) -> float:
    """Diameter of discs round points that just do not touch [Å]."""
    if len(points) < 2:
        return _DISC * _USUAL_DISTANCE_A
    distances, _ = KDTree(points).query(points, 2)
    return _DISC * float(np.median(distances[:, 1]))
