"""The columns of one particle: images, counted and true numbers of atoms (the paper, Fig 11)."""

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from atomsight.figures import column_tables, focal_panels, height_panels, site_maps, style
from atomsight.figures.column_tables import FocalImages, SeriesTruth
from atomsight.figures.error_curves import dose_text

#: Places and sizes [inch].
_MARGIN, _GAP = 0.1, 0.1
_WIDTH = 7.1
_PANEL = (_WIDTH - 2 * _MARGIN - 2 * _GAP) / 3
_TITLE, _LETTER, _FOOTER = 0.4, 0.22, 0.62

#: A panel's height over its width.
_TALLEST = 1.2

_TITLE_LETTERS = 100


@style.styled()
def draw(
    series: FocalImages,
    counted: pd.DataFrame,
    truth: SeriesTruth | None,
    dose_e_per_A2: float | None,
    title: str,
) -> Figure:
    """Draw the images, the counted columns, and the true ones with the difference.

    Parameters
    ----------
    series : FocalImages
        The images.
    counted : DataFrame
        The counted columns, as ``count_columns.py`` gives them.
    truth : SeriesTruth, optional
        The truth of a simulated particle, with the heights of its columns.
    dose_e_per_A2 : float, optional
        Dose of all images together [e/Å²].
    title : str
        What the particle is.

    Returns
    -------
    Figure
        Six panels. Where there is no truth the last two show the probability of the counts and how
        many columns have which height.
    """
    greatest = column_tables.greatest_height(counted)
    known = [counted] if truth is None else [counted, truth.columns]
    points = [table[["x_A", "y_A"]].to_numpy(float) for table in known]
    shown = focal_panels.window(np.concatenate(points), series)
    height = _PANEL * min(site_maps.aspect(shown), _TALLEST)
    tops = _TITLE + _LETTER + np.array([0, height + _LETTER + 0.04])
    lefts = _MARGIN + np.arange(3) * (_PANEL + _GAP)
    figure = Figure(figsize=(_WIDTH, tops[1] + height + _FOOTER))
    upper, lower = (
        [style.place(figure, left, top, _PANEL, height) for left in lefts] for top in tops
    )
    focal_panels.draw_focal_series(upper, series, shown, "abc")
    draw_counted(lower[0], series, counted, greatest, shown)
    style.letter(lower[0], "d", "counted; open discs: not reliable")
    below = tops[1] + height + 0.08
    height_panels.height_bar(figure, (lefts[0] + 0.2, below, _PANEL - 0.4), greatest)
    said = facts(series, counted, dose_e_per_A2)
    if truth is None:
        _draw_without_truth(figure, lower[1:], series, counted, shown, below)
    else:
        pairs = column_tables.match(counted, truth.columns)
        draw_counted(lower[1], series, truth.columns, greatest, shown)
        style.letter(lower[1], "e", "true")
        draw_difference(lower[2], series, pairs, counted, greatest, shown)
        style.letter(lower[2], "f", "counted − true")
        height_panels.height_bar(figure, (lefts[1] + 0.2, below, _PANEL - 0.4), greatest)
        height_panels.difference_bar(figure, (lefts[2] + 0.2, below, _PANEL - 0.4))
        middle = lefts[2] + _PANEL / 2
        site_maps.explain(figure, middle, below + 0.37, height_panels.mistake_handles(), 2)
        said += " · " + exact_text(counted, truth)
    heading = textwrap.shorten(title, _TITLE_LETTERS, placeholder=" …")
    style.write(figure, _MARGIN, 0.05, heading, weight="bold", size=8)
    style.write(figure, _MARGIN, 0.21, said, color=style.MUTED_TEXT)
    return figure


def draw_counted(
    axes: Axes, series: FocalImages, table: pd.DataFrame, greatest: int, shown: site_maps.Window
) -> None:
    """Draw columns with their heights over the faint image in the middle of the series.

    Parameters
    ----------
    axes : Axes
        Where to.
    series : FocalImages
        The images.
    table : DataFrame
        ``x_A, y_A`` [Å], ``height``, and ``reliable`` where it is known.
    greatest : int
        The last class, which holds all greater heights too.
    shown : tuple of 4 floats
        What to show [Å].
    """
    focal_panels.draw_focal_image(axes, series, len(series.images) // 2, shown, faint=True)
    height_panels.draw_heights(axes, table, greatest)


def draw_difference(
    axes: Axes,
    series: FocalImages,
    pairs: pd.DataFrame,
    counted: pd.DataFrame,
    greatest: int,
    shown: site_maps.Window,
) -> None:
    """Draw how far the counts are from the truth.

    Parameters
    ----------
    axes, series, greatest, shown
        As in :func:`draw_counted`.
    pairs : DataFrame
        The true columns with the row of their partner.
    counted : DataFrame
        The counted columns.
    """
    focal_panels.draw_focal_image(axes, series, len(series.images) // 2, shown, faint=True)
    height_panels.draw_differences(axes, pairs, counted, greatest)


def facts(series: FocalImages, counted: pd.DataFrame, dose_e_per_A2: float | None) -> str:
    """Say what was counted.

    Parameters
    ----------
    series : FocalImages
        The images.
    counted : DataFrame
        The counted columns.
    dose_e_per_A2 : float, optional
        Dose of all images together [e/Å²].

    Returns
    -------
    str
        One line; which focal series it is, if there are several.
    """
    count = len(series.images)
    said = f"{count} images" if count > 1 else "one image"
    if series.count > 1:
        said = f"focal series {series.specimen + 1} of {series.count}: {said}"
    if dose_e_per_A2 is not None:
        said += f", {dose_text(dose_e_per_A2)} in all"
    atoms = counted["expected_height"].sum()
    reliable = int(counted["reliable"].sum())
    return (
        f"{said} · {len(counted):,} columns found, {reliable:,} counts reliable · "
        f"about {atoms:,.0f} atoms"
    )


def exact_text(counted: pd.DataFrame, truth: SeriesTruth) -> str:
    """Say how many true columns are counted exactly.

    Parameters
    ----------
    counted : DataFrame
        The counted columns.
    truth : SeriesTruth
        The truth, with the heights of the columns.

    Returns
    -------
    str
        A few words.
    """
    exact, columns = column_tables.exact_counts(counted, truth)
    return f"{exact:,} of {columns:,} exact"


def _draw_without_truth(
    figure: Figure,
    panels: Sequence[Axes],
    series: FocalImages,
    counted: pd.DataFrame,
    shown: site_maps.Window,
    below: float,
) -> None:
    probability, histogram = panels
    focal_panels.draw_focal_image(probability, series, len(series.images) // 2, shown, faint=True)
    height_panels.draw_probabilities(probability, counted)
    style.letter(probability, "e", "probability of the count")
    width, _ = figure.get_size_inches()
    left = probability.get_position().x0 * width
    place = (left + 0.2, below, _PANEL - 0.4)
    site_maps.colour_bar(figure, place, height_panels.CERTAINTY, 1.0, "probability of the height")
    _draw_histogram(histogram, counted)
    style.letter(histogram, "f", "columns of every height")


def _draw_histogram(axes: Axes, counted: pd.DataFrame) -> None:
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
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ticks = height_panels.height_ticks(greatest)
    axes.set_xticks(ticks, height_panels.class_texts(ticks, greatest))
    axes.set_ylim(0, 1.3 * max(below.max(), 1))
    axes.legend(loc="upper right")
