"""A focal series, the class map a network reads from it, and the species (the paper, Fig 3).

Shown is the part of the specimen that holds most sites of the model's last class, such as
vacancies. With --truth, the truth file of a simulated series, the true sites are drawn too, and
what is missed or named wrongly is ringed.

Example:
    python plot.py focal_series series.png --frames frames.h5 --maps maps.h5 --atoms atoms.h5 \\
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
    focal_panels,
    mpl,
    page,
    site_maps,
    species_panels,
    style,
)
from atomsight.figures.parts.entry import Picture

if TYPE_CHECKING:
    import pandas as pd

CAPTION = """
Naming the species of a monolayer from a focal series; the title says whether it is simulated: (a–c)
the images, of which more than three are shown in part, with their defocus; (d) the output of the
network, the probabilities of the species as the brightness of their colours, black where there is
nothing; (e) the sites found, marked by their most probable species; (f) where the truth is known,
the true sites, those missed or named wrongly ringed. S₂ are two sulfur atoms on top of each other,
S is one whose partner is missing. The part of the field with most sites of the last species is
shown.
"""


def of_series(sheet: Any, series: str) -> dict[str, Any]:
    return choice.files(series, "frames", "maps", "atoms") | {
        "truth": next(iter(sheet.truth(series, "focal_series")), None),
        "title": sheet.title(series),
    }


def of_simulated(sheet: Any) -> dict[str, Any]:
    return of_series(sheet, choice.focal_series(sheet, "species"))


PICTURES = (
    Picture("results/series/{series}/species.png", of_series, "species", "Series", "species"),
    Picture(
        "results/figures/fig03_focal_series.png", of_simulated, "3: species from a focal series"
    ),
)

#: Edge of what is shown [Å].
_SHOWN_A = 32.0


def plot(
    frames: Annotated[Path, "images"],
    maps: Annotated[Path, "class maps"],
    atoms: Annotated[Path, "sites"],
    truth: Annotated[Path | None, "truth of a simulated series"] = None,
    specimen: Annotated[int, "number of the specimen, from 0"] = 0,
    title: Annotated[str, "what the specimen is"] = "",
):
    series = column_tables.read_images(frames, specimen)
    class_map, names = column_tables.read_map(maps, series)
    found = column_tables.read_sites(atoms, specimen)
    known = column_tables.read_truth(truth) if truth else None
    title = title or ("Simulated specimen" if truth else "")
    return draw(series, class_map, names[1:], found, known, title)


def draw(
    series: column_tables.FocalImages,
    maps: np.ndarray,
    names: Sequence[str],
    found: pd.DataFrame,
    truth: column_tables.SeriesTruth | None,
    title: str,
) -> mpl.Figure:
    """Draw the images, the class map, the sites found and, where they are known, the true ones.

    The map has shape (H, W, C); class 0 is the background, which has no name.
    """
    shown = focal_panels.busy_window(_rare_sites(found, names), series, _SHOWN_A)
    height = focal_panels.PANEL * site_maps.aspect(shown)
    figure, upper, lower, end = focal_panels.six_panels(height, 0.3)
    focal_panels.draw_focal_series(upper, series, shown, "abc")
    species_panels.draw_class_map(lower[0], maps, names, series.pixel_size_A, shown)
    style.letter(lower[0], "d", "network: probabilities of the species")
    species_panels.draw_found(lower[1], series, found, names, shown)
    style.letter(lower[1], "e", "found")
    handles = species_panels.species_handles(names)
    said = focal_panels.images_text(series, truth.dose_e_per_A2 if truth else None)
    if truth is None:
        lower[2].set_axis_off()
    else:
        true = column_tables.match(found, truth.columns)
        species_panels.draw_found(lower[2], series, truth.columns, names, shown)
        species_panels.draw_mistakes(lower[2], true, found, shown)
        style.letter(lower[2], "f", "true; rings: missed or named wrongly")
        handles.append(_ring_handle())
        said += " · " + species_panels.named_text(true, found, shown)
    style.write_title(figure, focal_panels.MARGIN, 0.05, title, said)
    site_maps.explain(figure, page.WIDTH / 2, end + 0.1, handles, len(handles))
    return figure


def _rare_sites(found: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Positions of the sites of the last class, such as vacancies, without those at the border."""
    return found.loc[found["class"] == names[-1], ["x_A", "y_A"]].to_numpy(float)


def _ring_handle() -> mpl.Line2D:
    look = {"markersize": 6, "markeredgewidth": 0.9, "linewidth": 0, "markerfacecolor": "none"}
    return mpl.Line2D([], [], marker="o", color="black", label="missed or wrong", **look)
