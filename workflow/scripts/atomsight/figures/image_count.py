"""How well columns are counted from one, two, three or five images of the same total dose.

Every model has a name and the summary of its counts; of other methods in it nothing is drawn.

Example:
    python plot.py image_count images.png --summary '1 image'=one/heights_summary.csv \\
        '3 images'=three/heights_summary.csv
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from atomsight.figures.parts import error_curves, mpl, page, score_tables, style
from atomsight.figures.parts.entry import NothingToShow, Picture

if TYPE_CHECKING:
    import pandas as pd

CAPTION = """
How many images are worth their share of the dose: the share of the columns of simulated particles
that are counted exactly, with 95 % intervals (Wilson), against the dose of all images together. One
curve for every model, which reads so many images; the dose is shared evenly among them.
"""


def of_models(sheet: Any) -> dict[str, Any]:
    if not (models := sheet.configuration["image_counts"]):
        raise NothingToShow(
            "image_counts names no models; add --configfile config/image_count.yaml"
        )
    return {
        "summary": {
            _images(sheet, model): f"results/models/{model}/heights_summary.csv" for model in models
        }
    }


def _images(sheet: Any, model: str) -> str:
    """What the curve of a model is called."""
    steps = sheet.models.sections[model]["microscope"]["focal_series"]["steps_A"]
    return f"{len(steps)} image{'s' * (len(steps) > 1)}"


PICTURES = (Picture("results/figures/image_count.png", of_models, "number of images", "Gold"),)

#: Places and sizes [inch].
_LEFT, _TOP, _MARGIN = 0.5, 0.46, 0.12
_GAP = 0.14
_HEIGHT = 2.0
_LEGEND, _FOOTER = 1.1, 0.4
_WIDEST, _NARROWEST = 2.4, 4.6

_MARKERS = "osD^vPX*"


def plot(summary: Annotated[dict[str, Path], "scores of every model, of evaluate.py heights"]):
    return draw(
        {
            name: score_tables.of_network(score_tables.read_counts(path), path)
            for name, path in summary.items()
        }
    )


def draw(summaries: Mapping[str, pd.DataFrame]) -> mpl.Figure:
    """Draw the share of exact counts against the total dose, a panel per range of tilts.

    The summaries are of networks, by a name such as ``3 images``, which has a curve each.
    """
    import pandas as pd

    everything = pd.concat(summaries.values(), ignore_index=True)
    tilts = score_tables.tilt_ranges(everything)
    room = page.WIDTH - _LEFT - _LEGEND - _MARGIN - (len(tilts) - 1) * _GAP
    width = min(room / len(tilts), _WIDEST)
    used = _LEFT + len(tilts) * (width + _GAP) - _GAP
    size = max(used + _LEGEND + _MARGIN, _NARROWEST), _TOP + _HEIGHT + _FOOTER
    figure = mpl.Figure(figsize=size)
    looks = {name: _look(index, len(summaries)) for index, name in enumerate(summaries)}
    for index, tilt in enumerate(tilts):
        axes = style.place(figure, _LEFT + index * (width + _GAP), _TOP, width, _HEIGHT)
        for name, summary in summaries.items():
            error_curves.draw_shares(axes, score_tables.of_tilt(summary, tilt), **looks[name])
        error_curves.finish_dose_axis(axes, everything["dose_e_per_A2"].to_numpy())
        error_curves.finish_share_axis(axes, "" if index else "columns counted exactly")
        style.letter(axes, "abcdefgh"[index], error_curves.tilt_text(*tilt))
    heading = "Simulated gold particles: the same total dose in one image or in several"
    style.write_title(figure, 0.1, 0.06, heading)
    handles = [mpl.Line2D([], [], label=name, **look) for name, look in looks.items()]
    title = {"title": "with 95 % intervals", "title_fontsize": 6, "alignment": "left"}
    at = {"loc": "upper left", "handlelength": 2}
    style.explain(figure, used + 0.08, _TOP, handles, **title, **at)
    return figure


def _look(index: int, count: int) -> dict[str, object]:
    colour = mpl.cm.batlow(0.05 + 0.72 * index / max(count - 1, 1))
    return {"color": colour, "marker": _MARKERS[index % len(_MARKERS)], "markersize": 3.2}
