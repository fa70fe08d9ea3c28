"""How many images are worth their part of the dose: counting from one, two, three or five."""

from collections.abc import Mapping

import pandas as pd
from cmcrameri import cm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from atomsight.figures import error_curves, score_tables, style

#: Places and sizes [inch].
_LEFT, _TOP, _MARGIN = 0.5, 0.46, 0.12
_GAP = 0.14
_HEIGHT = 2.0
_LEGEND, _FOOTER = 1.1, 0.4
_WIDTH = 7.1
_WIDEST, _NARROWEST = 2.4, 4.6

_MARKERS = "osD^vPX*"


@style.styled()
def draw(summaries: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the share of exact counts against the total dose, a curve per number of images.

    Parameters
    ----------
    summaries : mapping of str to DataFrame
        By name, such as ``3 images``:
        :data:`~atomsight.figures.score_tables.SUMMARY_COLUMNS` of the network.

    Returns
    -------
    Figure
        A panel per range of tilts.
    """
    everything = pd.concat(summaries.values(), ignore_index=True)
    tilts = score_tables.tilt_ranges(everything)
    room = _WIDTH - _LEFT - _LEGEND - _MARGIN - (len(tilts) - 1) * _GAP
    width = min(room / len(tilts), _WIDEST)
    used = _LEFT + len(tilts) * (width + _GAP) - _GAP
    size = max(used + _LEGEND + _MARGIN, _NARROWEST), _TOP + _HEIGHT + _FOOTER
    figure = Figure(figsize=size)
    looks = {name: _look(index, len(summaries)) for index, name in enumerate(summaries)}
    for index, tilt in enumerate(tilts):
        axes = style.place(figure, _LEFT + index * (width + _GAP), _TOP, width, _HEIGHT)
        for name, summary in summaries.items():
            error_curves.draw_shares(axes, score_tables.of_tilt(summary, tilt), **looks[name])
        error_curves.finish_dose_axis(axes, everything["dose_e_per_A2"].to_numpy())
        error_curves.finish_share_axis(axes, "" if index else "columns counted exactly")
        style.letter(axes, "abcdefgh"[index], error_curves.tilt_text(*tilt))
    heading = "Simulated gold particles: the same total dose in one image or in several"
    style.write(figure, 0.1, 0.06, heading, weight="bold", size=8)
    handles = [Line2D([], [], label=name, **look) for name, look in looks.items()]
    figure.legend(
        handles=handles,
        title="with 95 % intervals",
        title_fontsize=6,
        alignment="left",
        loc="upper left",
        bbox_to_anchor=((used + 0.08) / size[0], 1 - _TOP / size[1]),
        borderaxespad=0,
        handlelength=2,
    )
    return figure


def _look(index: int, count: int) -> dict[str, object]:
    colour = cm.batlow(0.05 + 0.72 * index / max(count - 1, 1))
    return {"color": colour, "marker": _MARKERS[index % len(_MARKERS)], "markersize": 3.2}
