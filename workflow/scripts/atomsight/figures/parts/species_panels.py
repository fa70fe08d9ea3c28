"""Panels of sites whose species is named."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from atomsight.figures.parts import focal_panels, site_maps
from atomsight.figures.parts.column_tables import FocalImages

#: Colours and marks of species.
SPECIES = {"Mo": ("#0072B2", "o"), "S2": ("#F0E442", "s"), "S": ("#D55E00", "D")}

_FURTHER = (("#009E73", "^"), ("#CC79A7", "v"), ("#56B4E9", "P"))


def look_of(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and mark of every species."""
    others = iter(_FURTHER * len(names))
    return {name: SPECIES[name] if name in SPECIES else next(others) for name in names}


def draw_class_map(
    axes: Axes,
    maps: np.ndarray,
    names: Sequence[str],
    pixel_size_A: float,
    shown: site_maps.Window,
) -> None:
    """Draw the probabilities of all classes, mixed as light of their colours on black.

    The maps have shape (H, W, C); class 0 is the background, which has no name.
    """
    colours = np.array([to_rgb(colour) for colour, _ in look_of(names).values()])
    mixed = np.clip(maps[..., 1:].astype(float) @ colours, 0, 1)
    site_maps.show_window(axes, mixed, pixel_size_A, (0.0, 0.0), shown)


def draw_found(
    axes: Axes,
    series: FocalImages,
    sites: pd.DataFrame,
    names: Sequence[str],
    shown: site_maps.Window,
    ringed: Sequence[str] = (),
) -> None:
    """Draw sites over the faint image in the middle of a focal series."""
    focal_panels.draw_middle(axes, series, shown)
    draw_species(axes, sites, names, ringed)


def draw_species(
    axes: Axes, sites: pd.DataFrame, names: Sequence[str], ringed: Sequence[str] = ()
) -> None:
    """Mark sites by their species; a ring is round some species too, such as vacancies."""
    limits = axes.axis()
    points = sites[["x_A", "y_A"]].to_numpy(float)
    width = axes.figure.get_size_inches()[0] * axes.get_position().width
    size = float(
        np.clip(
            0.55 * focal_panels.disc_diameter(points) * 72 * width / (limits[1] - limits[0]), 1, 7
        )
    )
    edge = {"markeredgecolor": "black", "markeredgewidth": 0.25}
    for name, (colour, mark) in look_of(names).items():
        chosen = points[(sites["class"] == name).to_numpy()]
        axes.plot(*chosen.T, mark, color=colour, markersize=size, **edge)
        if name in ringed:
            ring = {"markerfacecolor": "none", "markeredgewidth": 0.9, "color": colour}
            axes.plot(*chosen.T, "o", markersize=2.0 * size, **ring)
    axes.axis(limits)


def species_handles(names: Sequence[str]) -> list[Line2D]:
    """Handles of a legend for species."""
    look = {"linewidth": 0, "markersize": 4, "markeredgecolor": "black", "markeredgewidth": 0.25}
    return [
        Line2D([], [], color=colour, marker=mark, label=species_text(name), **look)
        for name, (colour, mark) in look_of(names).items()
    ]


def species_text(name: str) -> str:
    """Write the name of a species in words of a microscopist."""
    return {"S2": "S₂ (two S in line)", "S": "S (the other is missing)"}.get(name, name)


def draw_mistakes(
    axes: Axes, true: pd.DataFrame, found: pd.DataFrame, shown: site_maps.Window
) -> None:
    """Ring the true sites that were missed or named wrongly; they have the row of their partner."""
    limits = axes.axis()
    wrong = _inside(true, shown) & ~is_named(true, found)
    points = true.loc[wrong, ["x_A", "y_A"]].to_numpy(float)
    ring = {"markerfacecolor": "none", "markeredgewidth": 0.9, "markersize": 7}
    axes.plot(*points.T, "o", color="black", **ring)
    axes.axis(limits)


def is_named(true: pd.DataFrame, found: pd.DataFrame) -> np.ndarray:
    """Whether a true site was found with the right class."""
    partner = true["found"].to_numpy(int)
    answer = np.append(found["class"].to_numpy(object), "")[partner]
    return (partner >= 0) & (answer == true["class"].to_numpy(object))


def named_text(true: pd.DataFrame, found: pd.DataFrame, shown: site_maps.Window) -> str:
    """Say how many of the true sites that are shown were named rightly."""
    named = is_named(true, found)[_inside(true, shown)]
    return f"{named.sum():,} of {len(named):,} sites shown are named rightly"


def _inside(true: pd.DataFrame, shown: site_maps.Window) -> np.ndarray:
    left, top, right, bottom = shown
    return (true["x_A"].between(left, right) & true["y_A"].between(top, bottom)).to_numpy()
