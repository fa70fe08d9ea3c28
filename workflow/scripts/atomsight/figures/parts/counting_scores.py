"""Scores of counted columns over many particles: the plots below the picture of gold."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from atomsight.figures.parts import error_curves, score_tables, style

#: Places and sizes [inch].
_MATRIX_LEFT, _MATRIX = 0.42, 2.15
_CURVES_LEFT, _CURVES_RIGHT, _CURVES_GAP = 3.3, 6.98, 0.1
_CURVES = 1.72
_LEFTS, _WIDTH, _PLOT = (0.52, 2.9, 5.24), 1.74, 1.55
_BETWEEN = 0.72

#: Height of all plots with their labels [inch].
HEIGHT = _MATRIX + _BETWEEN + _PLOT + 0.36

#: Curves of abstention, at most.
_MAX_DOSES = 4


@dataclass(frozen=True)
class Scores:
    """What was measured on many particles: the tables of :data:`score_tables.COUNT_COLUMNS`."""

    summary: pd.DataFrame
    confusion: pd.DataFrame
    reliability: pd.DataFrame
    abstention: pd.DataFrame


def read(
    summary: Path | str, confusion: Path | str, reliability: Path | str, abstention: Path | str
) -> Scores:
    """Read the scores; there must be some of the network."""
    paths = {"confusion": confusion, "reliability": reliability, "abstention": abstention}
    read = score_tables.read_counts(summary)
    score_tables.of_network(read, summary)
    return Scores(
        read, **{name: score_tables.read_counts(path, name) for name, path in paths.items()}
    )


def draw(
    figure: Figure, scores: Scores, greatest: int, dose: float, top: float, letters: str
) -> None:
    """Draw confusion and exact counts, and below sizes of errors, reliability and abstention.

    The confusion matrix is of the measured dose nearest to ``dose`` [e/Å²]. The greatest height is
    the last class of the network. The plots begin at ``top`` [inch] and have five letters.
    """
    network = Scores(*(_of_network(table) for table in vars(scores).values()))
    aligned, *_, tilted = score_tables.tilt_ranges(network.summary) * 2
    confusion = score_tables.of_tilt(network.confusion, aligned)
    _draw_matrix(figure, confusion, greatest, aligned, dose, top, letters[0])
    _draw_exact(figure, scores.summary, top, letters[1])
    below = top + _MATRIX + _BETWEEN
    sizes, reliability, abstention = (
        style.place(figure, left, below, _WIDTH, _PLOT) for left in _LEFTS
    )
    draw_sizes(sizes, score_tables.of_tilt(network.summary, aligned))
    style.letter(sizes, letters[2], f"wrong counts, {error_curves.tilt_text(*aligned)}")
    draw_reliability(reliability, network.reliability, network.summary)
    style.letter(reliability, letters[3], "stated and true certainty, all doses")
    draw_abstention(abstention, score_tables.of_tilt(network.abstention, tilted))
    style.letter(abstention, letters[4], f"answering less, {error_curves.tilt_text(*tilted)}")


def _of_network(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["method"] == "network"]


def _draw_matrix(
    figure: Figure,
    rows: pd.DataFrame,
    greatest: int,
    tilt: tuple[float, float],
    dose: float,
    top: float,
    mark: str,
) -> None:
    nearest = score_tables.nearest_dose(rows, dose)
    axes = style.place(figure, _MATRIX_LEFT, top, _MATRIX, _MATRIX)
    error_curves.draw_confusion(axes, rows[rows["dose_e_per_A2"] == nearest], greatest)
    said = f"% of columns, {error_curves.tilt_text(*tilt)}, {error_curves.dose_text(nearest)}"
    style.letter(axes, mark, said)


def _draw_exact(figure: Figure, summary: pd.DataFrame, top: float, mark: str) -> None:
    """Draw the exact counts of all methods against the dose, a panel per range of tilts."""
    tilts = score_tables.tilt_ranges(summary)
    methods = error_curves.method_order(summary)
    width = (_CURVES_RIGHT - _CURVES_LEFT + _CURVES_GAP) / len(tilts) - _CURVES_GAP
    for index, tilt in enumerate(tilts):
        left = _CURVES_LEFT + index * (width + _CURVES_GAP)
        axes = style.place(figure, left, top + 0.2, width, _CURVES)
        for number, method in enumerate(methods):
            rows = score_tables.of_tilt(summary[summary["method"] == method], tilt)
            error_curves.draw_shares(axes, rows, **error_curves.method_look(method, number))
        words = "total dose (e/Å²)" if index == len(tilts) // 2 else ""
        error_curves.finish_dose_axis(axes, summary["dose_e_per_A2"].to_numpy(), words)
        error_curves.finish_share_axis(axes, "" if index else "columns counted exactly")
        axes.set_title(error_curves.tilt_text(*tilt))
        if index == 0:
            _letter_above(axes, mark, "exact counts; other methods are told where the columns are")
    looks = [error_curves.method_look(name, number) for number, name in enumerate(methods)]
    handles = [Line2D([], [], **look) for look in looks]
    middle = (_CURVES_LEFT + _CURVES_RIGHT) / 2
    style.explain(figure, middle, top + 2.25, handles, ncols=len(methods), handlelength=2.2)


def _letter_above(axes: Axes, mark: str, title: str) -> None:
    """Mark a panel that has a title of its own."""
    at = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
    axes.annotate(mark, (0, 1), (0, 17), weight="bold", size=9, **at)
    axes.annotate(title, (0, 1), (10, 17.4), **at)


def draw_sizes(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw by how much counts of one method and range of tilts are wrong, against the dose."""
    error_curves.draw_error_sizes(axes, rows)
    error_curves.finish_share_axis(axes, "columns miscounted")
    axes.set_ylim(0, 1.1)
    axes.set_xlabel("total dose (e/Å²)")
    handles = [Patch(color=colour, label=name) for name, colour in error_curves.ERRORS.values()]
    axes.legend(handles=handles, loc="upper right", handlelength=0.9, borderaxespad=0.1)


def draw_reliability(axes: Axes, rows: pd.DataFrame, summary: pd.DataFrame) -> None:
    """Draw how often counts are right against the probability stated, a curve per range of tilts.

    The bins of all doses are pooled. The calibration errors of the summary are of one dose each:
    pooled, doses at which too much and too little is stated would cancel.
    """
    error_curves.finish_reliability(axes)
    if rows.empty:
        _say_that_nothing_was_found(axes)
        return
    tilts = score_tables.tilt_ranges(rows)
    for (low, high), colour in zip(tilts, error_curves.shades(len(tilts)), strict=True):
        bins = score_tables.pooled(score_tables.of_tilt(rows, (low, high)))
        error = score_tables.of_tilt(summary, (low, high))["calibration_error"].max()
        label = f"{error_curves.tilt_text(low, high).removeprefix('tilt ')}: {100 * error:.1f} %"
        error_curves.draw_reliability(axes, bins, color=colour, label=label)
    look = {
        "title": "largest calibration error\nat one dose, tilt",
        "title_fontsize": 6,
        "alignment": "left",
    }
    axes.legend(loc="lower right", handlelength=0.9, fontsize=6, borderaxespad=0.1, **look)


def draw_abstention(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw what leaving out doubtful columns buys, a curve for each of some doses."""
    error_curves.finish_abstention(axes)
    if rows.empty:
        _say_that_nothing_was_found(axes)
        return
    doses = sorted(rows["dose_e_per_A2"].unique())
    chosen = doses[:: -(-len(doses) // _MAX_DOSES)]
    for dose, colour in zip(chosen, error_curves.shades(len(chosen)), strict=True):
        part = rows[rows["dose_e_per_A2"] == dose]
        error_curves.draw_abstention(
            axes, part, color=colour, label=error_curves.dose_text(float(dose))
        )
    axes.legend(loc="upper left", handlelength=1.1, borderaxespad=0.1)


def _say_that_nothing_was_found(axes: Axes) -> None:
    """Fill the panel of a model that answers nothing."""
    axes.text(0.5, 0.5, "no column was found", ha="center", va="center", transform=axes.transAxes)
