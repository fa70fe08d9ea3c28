"""Species of a monolayer named from a focal series, and what the series is worth."""

import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from atomsight.figures import (
    column_tables,
    error_curves,
    focal_panels,
    site_maps,
    species_panels,
    style,
)
from atomsight.figures.column_tables import FocalImages, SeriesTruth

#: Columns of a summary that are drawn.
SUMMARY_COLUMNS = (
    "frames",
    "dose_e_per_A2",
    "sites",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "f1_S",
)

#: Places and sizes [inch].
_MARGIN, _GAP = 0.1, 0.1
_WIDTH = 7.1
_PANEL = (_WIDTH - 2 * _MARGIN - 2 * _GAP) / 3
_TITLE, _LETTER = 0.4, 0.22
_LEGEND = 0.3
_MAP = 3.9
_PLOT_LEFT = 4.62
_PLOT_GAP = 0.45
_FOOTER = 0.12

#: Edge of what is shown [Å].
_SHOWN_A = 42.0

_VACANCY = "S"
_TITLE_LETTERS = 100
_MARKERS = "osD^"


@style.styled()
def draw(
    series: FocalImages,
    found: pd.DataFrame,
    names: tuple[str, ...],
    truth: SeriesTruth,
    summaries: Mapping[str, pd.DataFrame],
    title: str,
) -> Figure:
    """Draw the images, the species found with the vacancies ringed, and scores against the dose.

    Parameters
    ----------
    series : FocalImages
        The images.
    found : DataFrame
        The sites found: ``x_A, y_A`` [Å] and ``class``.
    names : tuple of str
        Names of the species.
    truth : SeriesTruth
        The true sites.
    summaries : mapping of str to DataFrame
        By the name of the model: :data:`SUMMARY_COLUMNS`.
    title : str
        What the specimen is.

    Returns
    -------
    Figure
        Three images, a large map, two plots.
    """
    rare = truth.columns.loc[truth.columns["class"] == _VACANCY, ["x_A", "y_A"]].to_numpy(float)
    shown = focal_panels.busy_window(rare, series, _SHOWN_A)
    aspect = site_maps.aspect(shown)
    upper_top = _TITLE + _LETTER
    lower_top = upper_top + _PANEL * aspect + _LETTER + 0.05
    map_height = _MAP * aspect
    figure = Figure(figsize=(_WIDTH, lower_top + map_height + _LEGEND + _FOOTER))
    upper = [
        style.place(figure, _MARGIN + index * (_PANEL + _GAP), upper_top, _PANEL, _PANEL * aspect)
        for index in range(3)
    ]
    focal_panels.draw_focal_series(upper, series, shown, "abc")
    species = style.place(figure, _MARGIN, lower_top, _MAP, map_height)
    true = column_tables.match(found, truth.columns)
    _draw_map(species, series, found, names, true, shown)
    style.letter(species, "d", "species found; rings: an S is missing")
    handles = [*species_panels.species_handles(names), _mistake_handle()]
    below = lower_top + map_height + 0.08
    site_maps.explain(figure, _MARGIN + _MAP / 2, below, handles, len(handles))
    _draw_plots(figure, summaries, lower_top, map_height)
    heading = textwrap.shorten(title, _TITLE_LETTERS, placeholder=" …")
    style.write(figure, _MARGIN, 0.05, heading, weight="bold", size=8)
    dose = error_curves.dose_text(truth.dose_e_per_A2)
    said = f"{len(series.images)} images, {dose} in all · "
    said += species_panels.named_text(true, found, shown)
    style.write(figure, _MARGIN, 0.21, said, color=style.MUTED_TEXT)
    return figure


def _draw_map(
    axes: Axes,
    series: FocalImages,
    found: pd.DataFrame,
    names: tuple[str, ...],
    true: pd.DataFrame,
    shown: site_maps.Window,
) -> None:
    focal_panels.draw_focal_image(axes, series, len(series.images) // 2, shown, faint=True)
    species_panels.draw_species(axes, found, names, ringed=(_VACANCY,))
    limits = axes.axis()
    wrong = true.loc[~species_panels.is_named(true, found), ["x_A", "y_A"]].to_numpy(float)
    axes.plot(*wrong.T, "x", color="black", markersize=5.5, markeredgewidth=1.1)
    axes.axis(limits)


def _mistake_handle() -> Line2D:
    look = {"linewidth": 0, "markersize": 4.5, "markeredgewidth": 1}
    return Line2D([], [], marker="x", color="black", label="missed or wrong", **look)


def _draw_plots(
    figure: Figure, summaries: Mapping[str, pd.DataFrame], top: float, height: float
) -> None:
    """Draw accuracy and F1 of single sulfur on many sheets against dose, one curve per model."""
    room = (height - _PLOT_GAP - 0.1) / 2
    width = _WIDTH - _PLOT_LEFT - 0.12
    doses = np.concatenate([table["dose_e_per_A2"] for table in summaries.values()])
    panels = (
        ("e", "many simulated sheets: accuracy", "sites named rightly", "accuracy"),
        ("f", "many simulated sheets: F1 of single S", "F1", "f1_S"),
    )
    for index, (mark, title, label, column) in enumerate(panels):
        axes = style.place(figure, _PLOT_LEFT, top + index * (room + _PLOT_GAP), width, room)
        for number, (name, table) in enumerate(summaries.items()):
            rows = table.sort_values("dose_e_per_A2")
            look = {"marker": _MARKERS[number % 4], "markersize": 3.2, "color": f"C{number}"}
            error_curves.draw_shares(axes, rows, column, label=name, **look)
        error_curves.finish_dose_axis(axes, doses, "total dose (e/Å²)" if index else "")
        error_curves.finish_share_axis(axes, label)
        style.letter(axes, mark, title)
        axes.legend(loc="lower right")
