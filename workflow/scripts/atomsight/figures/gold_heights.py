"""Atoms counted in the columns of a particle, and how far the counts are to be trusted.

The particle is given by its images, its counted columns and its truth; the scores of many by the
tables that evaluate.py heights writes.

Example:
    python plot.py gold_heights gold.png --frames frames.h5 --heights heights.csv \\
        --truth truth.h5 --summary summary.csv --confusion confusion.csv \\
        --reliability reliability.csv --abstention abstention.csv
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from atomsight.figures.parts import (
    choice,
    column_tables,
    counted_panels,
    counting_scores,
    focal_panels,
    height_panels,
    mpl,
    page,
    site_maps,
    style,
)
from atomsight.figures.parts.entry import Picture

if TYPE_CHECKING:
    import pandas as pd

CAPTION = """
Atoms counted in columns. Above one simulated particle: (a–c) images of its focal series; (d) how
far the counts are from the truth, with crosses where a column is missed or invented; (e) the most
likely number of atoms in every column; open discs are columns whose count is not reliable: near the
edge of the image, in the model's last class, which holds all greater heights too and is marked ≥,
or less probable than the settings demand; the share of exact counts in the second line leaves the
rim of the image out, 2 Å wide, as the table of class scores does. Below many simulated particles,
made by another generator than the training's: (f) how the columns of every true height were
counted, in percent, at one dose; (g) share of the columns counted exactly, with 95 % intervals,
against the dose of all images together, for ranges of the tilt off the zone axis, beside two other
methods that are told where the columns are; (h) by how much counts are wrong, with the share of all
errors in percent over the bars; (i) how often counts are right, against the probability that the
network stated for them, tenths of all doses pooled, with the largest calibration error at one dose,
which is the mean distance between the two there; (j) how many of the counts are wrong if the least
probable ones are left out.
"""


def of_simulated(sheet: Any) -> dict[str, Any]:
    series = choice.focal_series(sheet, "heights")
    scores = f"results/models/{sheet.model(series)}/heights"
    return {
        "frames": f"results/series/{series}/frames.h5",
        "heights": f"results/series/{series}/heights.csv",
        "truth": sheet.truth(series, "focal_series")[0],
        **{
            table: f"{scores}_{table}.csv"
            for table in ("summary", "confusion", "reliability", "abstention")
        },
        "title": sheet.title(series),
    }


PICTURES = (Picture("results/gold_heights.png", of_simulated, "atoms in columns", "Gold"),)

#: Places and sizes [inch].
_MARGIN, _GAP = 0.1, 0.1
_TITLE, _LETTER = 0.4, 0.22
_SMALL = 1.62
_BIG = page.WIDTH - 2 * _MARGIN - 2 * _SMALL - 2 * _GAP
_BARS = 0.5
_SCORES_TITLE = 0.5


@dataclass(frozen=True)
class Particle:
    """One particle, its images, its counted columns and the truth."""

    series: column_tables.FocalImages
    counted: pd.DataFrame
    truth: column_tables.SeriesTruth  # with the heights of the columns


def plot(
    frames: Annotated[Path, "images of the particle"],
    heights: Annotated[Path, "its counted columns"],
    truth: Annotated[Path, "its truth"],
    summary: Annotated[Path, "heights_summary.csv of the evaluation"],
    confusion: Annotated[Path, "heights_confusion.csv"],
    reliability: Annotated[Path, "heights_reliability.csv"],
    abstention: Annotated[Path, "heights_abstention.csv"],
    dose: Annotated[float | None, "dose of the confusion matrix, if not of the particle"] = None,
    specimen: Annotated[int, "number of the particle, from 0"] = 0,
    title: Annotated[str, "what the particle is"] = "Simulated gold particle",
):
    known = column_tables.with_heights(column_tables.read_truth(truth), truth)
    series = column_tables.read_images(frames, specimen)
    particle = Particle(series, column_tables.read_heights(heights, specimen), known)
    tables = counting_scores.read(summary, confusion, reliability, abstention)
    return draw(particle, tables, dose or known.dose_e_per_A2, title)


def draw(particle: Particle, scores: counting_scores.Scores, dose: float, title: str) -> mpl.Figure:
    """Draw a particle with its counts, and below it the scores of many.

    The confusion matrix is of the measured dose nearest to ``dose`` [e/Å²].
    """
    plots = _TITLE + _LETTER + _BIG + _BARS + _SCORES_TITLE
    figure = mpl.Figure(figsize=(page.WIDTH, plots + counting_scores.HEIGHT))
    _draw_particle(figure, particle, _TITLE + _LETTER)
    dose_e_per_A2 = particle.truth.dose_e_per_A2
    said = counted_panels.facts(particle.series, particle.counted, dose_e_per_A2)
    said += " · " + counted_panels.exact_text(particle.counted, particle.truth)
    style.write_title(figure, _MARGIN, 0.05, title, said)
    said = "Simulated particles, none of the training: how good the counts are"
    style.write(figure, _MARGIN, plots - 0.44, said, weight="bold", size=8)
    greatest = column_tables.greatest_height(particle.counted)
    counting_scores.draw(figure, scores, greatest, dose, plots, "fghij")
    return figure


def _draw_particle(figure: mpl.Figure, particle: Particle, top: float) -> None:
    """Draw four small panels and the counts in a large one."""
    series, counted, true = particle.series, particle.counted, particle.truth.columns
    greatest = column_tables.greatest_height(counted)
    pairs = column_tables.match(counted, true)
    points = [table[["x_A", "y_A"]].to_numpy(float) for table in (counted, true)]
    shown = focal_panels.window(np.concatenate(points), series)
    lefts = _MARGIN + np.arange(2) * (_SMALL + _GAP)
    small = [
        style.place(figure, left, top + row * (_BIG - _SMALL), _SMALL, _SMALL)
        for row in range(2)
        for left in lefts
    ]
    focal_panels.draw_focal_series(small[:3], series, shown, "abc")
    counted_panels.draw_difference(small[3], series, pairs, counted, greatest, shown)
    style.letter(small[3], "d", "counted − true")
    left = lefts[1] + _SMALL + _GAP
    big = style.place(figure, left, top, _BIG, _BIG)
    counted_panels.draw_counted(big, series, counted, greatest, shown)
    style.letter(big, "e", "atoms counted in every column; open discs: not reliable")
    below = top + _BIG + 0.08
    height_panels.height_bar(figure, (left + 0.5, below, _BIG - 1.0), greatest)
    height_panels.difference_bar(figure, (lefts[1] + 0.1, below, _SMALL - 0.2))
    middle = lefts[0] + _SMALL / 2
    site_maps.explain(figure, middle, below + 0.03, height_panels.mistake_handles(), 2)
