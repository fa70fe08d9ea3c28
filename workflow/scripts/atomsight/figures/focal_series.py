"""A focal series, the class map a network reads from it, and the species (the paper, Fig 3)."""

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from atomsight.figures import column_tables, focal_panels, site_maps, species_panels, style
from atomsight.figures.column_tables import FocalImages, SeriesTruth
from atomsight.figures.error_curves import dose_text

#: Places and sizes [inch].
_MARGIN, _GAP = 0.1, 0.1
_WIDTH = 7.1
_PANEL = (_WIDTH - 2 * _MARGIN - 2 * _GAP) / 3
_TITLE, _LETTER, _FOOTER = 0.4, 0.22, 0.3

#: Edge of what is shown [Å].
_SHOWN_A = 32.0

_TITLE_LETTERS = 100


@style.styled()
def draw(
    series: FocalImages,
    maps: np.ndarray,
    names: Sequence[str],
    found: pd.DataFrame,
    truth: SeriesTruth | None,
    title: str,
) -> Figure:
    """Draw the images, the class map, the sites found and the true ones.

    Parameters
    ----------
    series : FocalImages
        The images.
    maps : ndarray of shape (H, W, C)
        Probabilities; class 0 is the background.
    names : sequence of C - 1 str
        Names of the classes but the background.
    found : DataFrame
        The sites found: ``x_A, y_A`` [Å] and ``class``.
    truth : SeriesTruth, optional
        The true sites of a simulated series.
    title : str
        What the specimen is.

    Returns
    -------
    Figure
        Six panels of one part of the specimen; five where there is no truth.
    """
    shown = focal_panels.busy_window(_rare_sites(found, names), series, _SHOWN_A)
    height = _PANEL * site_maps.aspect(shown)
    tops = _TITLE + _LETTER + np.array([0, height + _LETTER + 0.04])
    lefts = _MARGIN + np.arange(3) * (_PANEL + _GAP)
    figure = Figure(figsize=(_WIDTH, tops[1] + height + _FOOTER))
    upper, lower = (
        [style.place(figure, left, top, _PANEL, height) for left in lefts] for top in tops
    )
    focal_panels.draw_focal_series(upper, series, shown, "abc")
    species_panels.draw_class_map(lower[0], maps, names, series.pixel_size_A, shown)
    style.letter(lower[0], "d", "network: probabilities of the species")
    _draw_sites(lower[1], series, found, names, shown)
    style.letter(lower[1], "e", "found")
    handles = species_panels.species_handles(names)
    said = _facts(series, truth)
    if truth is None:
        lower[2].set_axis_off()
    else:
        true = column_tables.match(found, truth.columns)
        _draw_sites(lower[2], series, truth.columns, names, shown)
        species_panels.draw_mistakes(lower[2], true, found)
        style.letter(lower[2], "f", "true; rings: missed or named wrongly")
        handles.append(_ring_handle())
        said += " · " + species_panels.named_text(true, found, shown)
    heading = textwrap.shorten(title, _TITLE_LETTERS, placeholder=" …")
    style.write(figure, _MARGIN, 0.05, heading, weight="bold", size=8)
    style.write(figure, _MARGIN, 0.21, said, color=style.MUTED_TEXT)
    site_maps.explain(figure, _WIDTH / 2, tops[1] + height + 0.1, handles, len(handles))
    return figure


def _rare_sites(found: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Positions of the sites of the last class, such as vacancies, without those at the border."""
    return found.loc[found["class"] == names[-1], ["x_A", "y_A"]].to_numpy(float)


def _facts(series: FocalImages, truth: SeriesTruth | None) -> str:
    count = len(series.images)
    said = f"{count} images" if count > 1 else "one image"
    return said if truth is None else f"{said}, {dose_text(truth.dose_e_per_A2)} in all"


def _draw_sites(
    axes: Axes,
    series: FocalImages,
    sites: pd.DataFrame,
    names: Sequence[str],
    shown: site_maps.Window,
) -> None:
    focal_panels.draw_focal_image(axes, series, len(series.images) // 2, shown, faint=True)
    species_panels.draw_species(axes, sites, names)


def _ring_handle() -> Line2D:
    look = {"markersize": 6, "markeredgewidth": 0.9, "linewidth": 0, "markerfacecolor": "none"}
    return Line2D([], [], marker="o", color="black", label="missed or wrong", **look)
