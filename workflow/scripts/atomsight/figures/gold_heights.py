"""Atoms counted in the columns of a particle, and how far the counts are to be trusted."""

import textwrap
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from atomsight.figures import (
    column_heights,
    column_tables,
    counting_scores,
    focal_panels,
    height_panels,
    site_maps,
    style,
)
from atomsight.figures.column_tables import FocalImages, SeriesTruth
from atomsight.figures.counting_scores import Scores

#: Places and sizes [inch].
_WIDTH = 7.1
_MARGIN, _GAP = 0.1, 0.1
_TITLE, _LETTER = 0.4, 0.22
_SMALL = 1.62
_BIG = _WIDTH - 2 * _MARGIN - 2 * _SMALL - 2 * _GAP
_BARS = 0.5
_SCORES_TITLE = 0.5

_TITLE_LETTERS = 100


@dataclass(frozen=True)
class Particle:
    """One particle, its images, its counted columns and the truth.

    Attributes
    ----------
    series : FocalImages
        The images.
    counted : DataFrame
        The counted columns, as ``count_columns.py`` gives them.
    truth : SeriesTruth
        The truth, with the heights of the columns.
    """

    series: FocalImages
    counted: pd.DataFrame
    truth: SeriesTruth


@style.styled()
def draw(particle: Particle, scores: Scores, dose: float, title: str) -> Figure:
    """Draw a particle with its counts, and the scores of many.

    Parameters
    ----------
    particle : Particle
        The particle.
    scores : Scores
        The scores.
    dose : float
        Dose of the confusion matrix, the nearest that was measured [e/Å²].
    title : str
        What the particle is.

    Returns
    -------
    Figure
        Images and maps above; confusion, exact counts, reliability and abstention below.
    """
    plots = _TITLE + _LETTER + _BIG + _BARS + _SCORES_TITLE
    figure = Figure(figsize=(_WIDTH, plots + counting_scores.HEIGHT))
    _draw_particle(figure, particle, _TITLE + _LETTER)
    _write_title(figure, particle, title)
    said = "Simulated particles, none of the training: how good the counts are"
    style.write(figure, _MARGIN, plots - 0.44, said, weight="bold", size=8)
    greatest = column_tables.greatest_height(particle.counted)
    counting_scores.draw(figure, scores, greatest, dose, plots, "fghij")
    return figure


def _draw_particle(figure: Figure, particle: Particle, top: float) -> None:
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
    column_heights.draw_difference(small[3], series, pairs, counted, greatest, shown)
    style.letter(small[3], "d", "counted − true")
    left = lefts[1] + _SMALL + _GAP
    big = style.place(figure, left, top, _BIG, _BIG)
    column_heights.draw_counted(big, series, counted, greatest, shown)
    style.letter(big, "e", "atoms counted in every column; open discs: not reliable")
    below = top + _BIG + 0.08
    height_panels.height_bar(figure, (left + 0.5, below, _BIG - 1.0), greatest)
    height_panels.difference_bar(figure, (lefts[1] + 0.1, below, _SMALL - 0.2))
    middle = lefts[0] + _SMALL / 2
    site_maps.explain(figure, middle, below + 0.03, height_panels.mistake_handles(), 2)


def _write_title(figure: Figure, particle: Particle, title: str) -> None:
    dose = particle.truth.dose_e_per_A2
    said = column_heights.facts(particle.series, particle.counted, dose)
    said += " · " + column_heights.exact_text(particle.counted, particle.truth)
    heading = textwrap.shorten(title, _TITLE_LETTERS, placeholder=" …")
    style.write(figure, _MARGIN, 0.05, heading, weight="bold", size=8)
    style.write(figure, _MARGIN, 0.21, said, color=style.MUTED_TEXT)
