"""The columns of one particle: images, counted and true numbers of atoms (the paper, Fig 11).

With --truth, the truth file of a simulated series, the true heights and the differences are drawn;
without it the probabilities of the counts, and how many columns have which height.

Example:
    python plot.py column_heights heights.png --frames frames.h5 --heights heights.csv \\
        --truth truth.h5
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from atomsight.figures.parts import (
    choice,
    column_tables,
    counted_panels,
    focal_panels,
    height_panels,
    mpl,
    site_maps,
    style,
)
from atomsight.figures.parts.entry import Picture

if TYPE_CHECKING:
    import pandas as pd

CAPTION = """
The columns of one particle; the title says whether it is simulated: (a–c) images of the focal
series, of which more than three are shown in part, with their defocus; where a stack holds several
series, the second line says which one is drawn; (d) the most likely number of atoms in every column
that was found, over the faint image in the middle of the series; open discs are columns whose count
is not reliable: near the edge of the image or unusable pixels, in the model's last class, which
holds all greater heights too, or less probable than the settings demand. Where the truth is known,
(e) the true numbers and (f) the difference, with crosses where a column is missed or invented; a
true height above the last class counts as the last, which is marked ≥. The share of exact counts in
the second line leaves the rim of the image out, 2 Å wide, as the table of class scores does. Else
(e) the probability of the count and (f) how many columns have which height. The number of atoms in
the second line is the sum of the expected heights.
"""


def of_series(sheet: Any, series: str) -> dict[str, Any]:
    truth = sheet.truth(series, "focal_series")
    return {
        "frames": f"results/series/{series}/frames.h5",
        "heights": f"results/series/{series}/heights.csv",
        "truth": next(iter(truth), None),
        "dose": None if truth else sheet.dose_e_per_A2(series),
        "title": sheet.title(series),
    }


def of_simulated(sheet: Any) -> dict[str, Any]:
    return of_series(sheet, choice.focal_series(sheet, "heights"))


PICTURES = (
    Picture(
        "results/series/{series}/heights.png", of_series, "atoms in columns", "Series", "heights"
    ),
    Picture("results/figures/fig11_column_heights.png", of_simulated, "11: atoms in columns"),
)

#: A panel's height over its width.
_TALLEST = 1.2


def plot(
    frames: Annotated[Path, "images"],
    heights: Annotated[Path, "counted columns"],
    truth: Annotated[Path | None, "truth of a simulated series"] = None,
    dose: Annotated[float | None, "dose of all images together [e/Å²], if known"] = None,
    specimen: Annotated[int, "number of the particle, from 0"] = 0,
    title: Annotated[str, "what the particle is"] = "",
):
    series = column_tables.read_images(frames, specimen)
    counted = column_tables.read_heights(heights, specimen)
    if not truth:
        return draw(series, counted, None, dose, title)
    known = column_tables.with_heights(column_tables.read_truth(truth), truth)
    return draw(series, counted, known, known.dose_e_per_A2, title or "Simulated particle")


def draw(
    series: column_tables.FocalImages,
    counted: pd.DataFrame,
    truth: column_tables.SeriesTruth | None,
    dose_e_per_A2: float | None,
    title: str,
) -> mpl.Figure:
    """Draw the images, the counted columns, and the true ones with the difference.

    Without the truth the last two panels show the probability of the counts and how many columns
    have which height. The dose is of all images together.
    """
    greatest = column_tables.greatest_height(counted)
    known = [counted] if truth is None else [counted, truth.columns]
    points = [table[["x_A", "y_A"]].to_numpy(float) for table in known]
    shown = focal_panels.window(np.concatenate(points), series)
    height = focal_panels.PANEL * min(site_maps.aspect(shown), _TALLEST)
    figure, upper, lower, end = focal_panels.six_panels(height, 0.62)
    focal_panels.draw_focal_series(upper, series, shown, "abc")
    counted_panels.draw_counted(lower[0], series, counted, greatest, shown)
    style.letter(lower[0], "d", "counted; open discs: not reliable")
    bars = [(left + 0.2, end + 0.08, focal_panels.PANEL - 0.4) for left in focal_panels.LEFTS]
    height_panels.height_bar(figure, bars[0], greatest)
    said = counted_panels.facts(series, counted, dose_e_per_A2)
    if truth is None:
        _draw_without_truth(figure, lower[1:], series, counted, shown, bars[1])
    else:
        pairs = column_tables.match(counted, truth.columns)
        counted_panels.draw_counted(lower[1], series, truth.columns, greatest, shown)
        style.letter(lower[1], "e", "true")
        counted_panels.draw_difference(lower[2], series, pairs, counted, greatest, shown)
        style.letter(lower[2], "f", "counted − true")
        height_panels.height_bar(figure, bars[1], greatest)
        height_panels.difference_bar(figure, bars[2])
        middle = focal_panels.LEFTS[2] + focal_panels.PANEL / 2
        handles = height_panels.mistake_handles()
        site_maps.explain(figure, middle, end + 0.08 + 0.37, handles, 2)
        said += " · " + counted_panels.exact_text(counted, truth)
    style.write_title(figure, focal_panels.MARGIN, 0.05, title, said)
    return figure


def _draw_without_truth(
    figure: mpl.Figure,
    panels: Sequence[mpl.Axes],
    series: column_tables.FocalImages,
    counted: pd.DataFrame,
    shown: site_maps.Window,
    bar: tuple[float, float, float],
) -> None:
    probability, histogram = panels
    focal_panels.draw_middle(probability, series, shown)
    height_panels.draw_probabilities(probability, counted)
    style.letter(probability, "e", "probability of the count")
    style.colour_bar(figure, bar, height_panels.CERTAINTY, (0, 1), "probability of the height")
    _draw_histogram(histogram, counted)
    style.letter(histogram, "f", "columns of every height")


def _draw_histogram(axes: mpl.Axes, counted: pd.DataFrame) -> None:
    greatest = column_tables.greatest_height(counted)
    heights = np.arange(1, greatest + 1)
    below = np.zeros(greatest)
    for reliable, colour, label in ((True, "C0", "reliable"), (False, style.MUTED, "not reliable")):
        chosen = counted.loc[counted["reliable"] == reliable, "height"].to_numpy(int)
        number = np.bincount(chosen, minlength=greatest + 1)[1:]
        axes.bar(heights, number, 0.8, below, color=colour, label=label)
        below += number
    box = axes.get_position()
    axes.set_position((box.x0 + 0.05, box.y0 + 0.03, box.width - 0.055, box.height - 0.03))
    axes.set(xlabel="atoms in the column", ylabel="columns")
    axes.yaxis.set_major_locator(mpl.MaxNLocator(5, integer=True))
    ticks = height_panels.height_ticks(greatest)
    axes.set_xticks(ticks, height_panels.class_texts(ticks, greatest))
    axes.set_ylim(0, 1.3 * max(below.max(), 1))
    axes.legend(loc="upper right")
