"""Species of a monolayer of MoS2 named from a focal series, and what the series is worth.

The monolayer is given by its images, its sites and its truth; the models by the summaries of their
scores, one row per model and dose: model, frames, dose_e_per_A2, sites, accuracy, accuracy_low,
accuracy_high, f1_S.

Example:
    python plot.py mos2_species mos2.png --frames frames.h5 --atoms atoms.h5 --truth truth.h5 \\
        --summaries species_summary.csv
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from atomsight.figures.parts import (
    choice,
    column_tables,
    error_curves,
    focal_panels,
    mpl,
    page,
    score_tables,
    site_maps,
    species_panels,
    style,
)
from atomsight.figures.parts.entry import Picture

if TYPE_CHECKING:
    import pandas as pd

CAPTION = """
The species of a simulated monolayer of MoS₂, identified from a focal series: (a–c) images of the
series with their defocus; (d) the sites found, marked by their most probable species: molybdenum,
two sulfur atoms on top of each other, and single ones whose partner is missing (ringed); crosses
mark true sites that are missed or named wrongly. The part of the field with most vacancies is
shown. On many sheets of the same kind, made by another generator than the training's, against the
dose of all images together: (e) share of the true sites that are found with the right species, with
95 % intervals (Wilson); (f) F1 of the single sulfur atoms, which are the vacancies; one curve for
every number of images that a model reads.
"""


def of_simulated(sheet: Any) -> dict[str, Any]:
    series = choice.focal_series(sheet, "species", "mos2")
    models = [
        name
        for name in sheet.models.trained("species")
        if sheet.models.sections[name]["material"] == "mos2"
    ]
    return choice.files(series, "frames", "atoms") | {
        "truth": sheet.truth(series, "focal_series")[0],
        "summaries": [f"results/models/{name}/species_summary.csv" for name in models],
        "title": sheet.title(series),
    }


PICTURES = (Picture("results/mos2_species.png", of_simulated, "species", "MoS2"),)

SPECIES = ("Mo", "S2", "S")

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
_LEGEND = 0.3
_MAP = 3.9
_PLOT_LEFT = 4.62
_PLOT_GAP = 0.45
_FOOTER = 0.12

#: Edge of what is shown [Å].
_SHOWN_A = 42.0

_VACANCY = "S"
_MARKERS = "osD^"


def plot(
    frames: Annotated[Path, "images of the monolayer"],
    atoms: Annotated[Path, "sites found in them"],
    truth: Annotated[Path, "truth"],
    summaries: Annotated[list[Path], "scores of one model or several"],
    specimen: Annotated[int, "number of the specimen, from 0"] = 0,
    title: Annotated[str, "what the specimen is"] = "Simulated MoS₂ monolayer",
):
    return draw(
        column_tables.read_images(frames, specimen),
        column_tables.read_sites(atoms, specimen),
        SPECIES,
        column_tables.read_truth(truth),
        score_tables.read_species(summaries, SUMMARY_COLUMNS),
        title,
    )


def draw(
    series: column_tables.FocalImages,
    found: pd.DataFrame,
    names: tuple[str, ...],
    truth: column_tables.SeriesTruth,
    summaries: Mapping[str, pd.DataFrame],
    title: str,
) -> mpl.Figure:
    """Draw the images, the species found with the vacancies ringed, and scores against the dose.

    The summaries are by what the model of each is called.
    """
    rare = truth.columns.loc[truth.columns["class"] == _VACANCY, ["x_A", "y_A"]].to_numpy(float)
    shown = focal_panels.busy_window(rare, series, _SHOWN_A)
    aspect = site_maps.aspect(shown)
    upper_top = focal_panels.TITLE + focal_panels.LETTER
    height = focal_panels.PANEL * aspect
    lower_top = upper_top + height + focal_panels.LETTER + 0.05
    map_height = _MAP * aspect
    figure = mpl.Figure(figsize=(page.WIDTH, lower_top + map_height + _LEGEND + _FOOTER))
    upper = [
        style.place(figure, left, upper_top, focal_panels.PANEL, height)
        for left in focal_panels.LEFTS
    ]
    focal_panels.draw_focal_series(upper, series, shown, "abc")
    species = style.place(figure, focal_panels.MARGIN, lower_top, _MAP, map_height)
    true = column_tables.match(found, truth.columns)
    _draw_map(species, series, found, names, true, shown)
    style.letter(species, "d", "species found; rings: an S is missing")
    handles = [*species_panels.species_handles(names), _mistake_handle()]
    below = lower_top + map_height + 0.08
    middle = focal_panels.MARGIN + _MAP / 2
    site_maps.explain(figure, middle, below, handles, len(handles))
    _draw_plots(figure, summaries, lower_top, map_height)
    said = focal_panels.images_text(series, truth.dose_e_per_A2) + " · "
    said += species_panels.named_text(true, found, shown)
    style.write_title(figure, focal_panels.MARGIN, 0.05, title, said)
    return figure


def _draw_map(
    axes: mpl.Axes,
    series: column_tables.FocalImages,
    found: pd.DataFrame,
    names: tuple[str, ...],
    true: pd.DataFrame,
    shown: site_maps.Window,
) -> None:
    species_panels.draw_found(axes, series, found, names, shown, ringed=(_VACANCY,))
    limits = axes.axis()
    wrong = true.loc[~species_panels.is_named(true, found), ["x_A", "y_A"]].to_numpy(float)
    axes.plot(*wrong.T, "x", color="black", markersize=5.5, markeredgewidth=1.1)
    axes.axis(limits)


def _mistake_handle() -> mpl.Line2D:
    look = {"linewidth": 0, "markersize": 4.5, "markeredgewidth": 1}
    return mpl.Line2D([], [], marker="x", color="black", label="missed or wrong", **look)


def _draw_plots(
    figure: mpl.Figure, summaries: Mapping[str, pd.DataFrame], top: float, height: float
) -> None:
    """Draw accuracy and F1 of single sulfur on many sheets against dose, one curve per model."""
    room = (height - _PLOT_GAP - 0.1) / 2
    width = page.WIDTH - _PLOT_LEFT - 0.12
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
