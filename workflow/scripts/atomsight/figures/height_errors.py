"""By how much counts are wrong, against dose and tilt, beside other methods (the paper, Fig 12).

SUMMARY.csv has one row per method, range of tilts and dose: method, tilt_low_deg, tilt_high_deg,
dose_e_per_A2, columns, exact, exact_low, exact_high, off_by_1, off_by_2, off_by_3plus, missed.

Example:
    python plot.py height_errors errors.png --summary heights_summary.csv
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from atomsight.figures.parts import choice, error_curves, mpl, page, score_tables, site_maps, style
from atomsight.figures.parts.entry import Picture

if TYPE_CHECKING:
    import pandas as pd

CAPTION = """
By how much the numbers of atoms in columns are wrong, against the dose of all images together, for
simulated particles, made by another generator than the training's: one column of plots for every
range of the tilt off the zone axis, one row for every method. The number over a bar is the share of
all errors in percent. The network finds the columns itself; the mixture model of integrated
intensities and the match with a library of simulated columns are told where they are, and their
settings are chosen with the truth in hand, which no user has.
"""


def of_shown_model(sheet: Any) -> dict[str, Any]:
    model = sheet.model(choice.focal_series(sheet, "heights"))
    return {"summary": f"results/models/{model}/heights_summary.csv"}


PICTURES = (
    Picture(
        "results/figures/fig12_height_errors.png",
        of_shown_model,
        "12: miscounted columns against dose",
    ),
)

#: Places and sizes [inch].
_LEFT, _TOP, _MARGIN = 1.2, 0.46, 0.12
_GAP_X, _GAP_Y = 0.14, 0.16
_HEIGHT = 1.3
_FOOTER = 0.62
_WIDEST, _NARROWEST = 2.6, 4.5


def plot(summary: Annotated[Path, "scores of counted columns, of evaluate.py heights"]):
    return draw(score_tables.read_counts(summary))


def draw(summary: pd.DataFrame) -> mpl.Figure:
    """Draw the share of wrong counts by their size, a row per method, a column per tilts."""
    methods = error_curves.method_order(summary)
    tilts = score_tables.tilt_ranges(summary)
    room = page.WIDTH - _LEFT - _MARGIN - (len(tilts) - 1) * _GAP_X
    width = min(room / len(tilts), _WIDEST)
    size = (
        max(_LEFT + len(tilts) * (width + _GAP_X) - _GAP_X + _MARGIN, _NARROWEST),
        _TOP + len(methods) * (_HEIGHT + _GAP_Y) - _GAP_Y + _FOOTER,
    )
    figure = mpl.Figure(figsize=size)
    for row, method in enumerate(methods):
        top = _TOP + row * (_HEIGHT + _GAP_Y)
        of_method = summary[summary["method"] == method]
        for column, tilt in enumerate(tilts):
            axes = style.place(figure, _LEFT + column * (width + _GAP_X), top, width, _HEIGHT)
            rows = score_tables.of_tilt(of_method, tilt)
            if len(rows):
                error_curves.draw_error_sizes(axes, rows)
            error_curves.finish_share_axis(axes, "" if column else "columns miscounted")
            axes.set_ylim(0, 1.12)
            axes.tick_params(labelbottom=row == len(methods) - 1)
            if row == len(methods) - 1:
                axes.set_xlabel("total dose (e/Å²)")
            if row == 0:
                style.letter(axes, "abcdefgh"[column], error_curves.tilt_text(*tilt))
        name = error_curves.method_look(method)["label"].replace(" ", "\n")
        style.write(figure, 0.1, top + _HEIGHT / 2 - 0.1, name, weight="bold", linespacing=1.3)
    heading = f"Simulated gold particles, none of the training; {_columns(summary)} per bar"
    style.write_title(figure, 0.1, 0.06, heading)
    handles = [mpl.Patch(color=colour, label=name) for name, colour in error_curves.ERRORS.values()]
    below = size[1] - 0.24
    site_maps.explain(figure, size[0] / 2, below, handles, len(handles))
    return figure


def _columns(summary: pd.DataFrame) -> str:
    fewest, most = int(summary["columns"].min()), int(summary["columns"].max())
    number = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    return f"{number} columns"
