"""What the random particles of the training look like, and their statistics (the paper, Fig 8).

The metal is the heaviest element of a structure. The gallery runs from the smallest to the largest
particle.

Example:
    python plot.py rough_particles particles.png --structures structures/0.h5 structures/1.h5
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from atomsight.errors import InputError
from atomsight.figures.parts import choice, mpl, page, site_maps, structures, style
from atomsight.figures.parts.entry import Picture

CAPTION = """
The random nanoparticles on which the model is trained, as simulated structures: (a) some of them,
evenly spread over the sizes, seen along the beam and all on one scale, atoms of the metal coloured
by their depth, those of the support grey, with the columns that the network has to find; (b)
columns per particle, (c) atoms per column and (d) distance from a column to the next, of all
particles, with medians. Particles are tilted off the zone axis; a column is where the mean of its
atoms is seen.
"""
MEMORY_MB = 1000


def of_first_model(sheet: Any) -> dict[str, Any]:
    model = choice.trained(sheet, "columns", "nanoparticle")
    return {"structures": sheet.models.shards(model, "structures")}


PICTURES = (
    Picture("results/figures/fig08_rough_particles.png", of_first_model, "8: rough nanoparticles"),
)


@dataclass(frozen=True)
class Particles:
    """What the structures of a collection are like."""

    columns: np.ndarray  # (P,), of every particle
    heights: np.ndarray  # (S,), atoms in every column of all particles
    distances_A: np.ndarray  # (S,), from every column to the next of its particle


#: Panels of the gallery side by side, and in all.
_ACROSS = 4
GALLERY = 8

#: Places and sizes [inch].
_MARGIN = 0.08
_GAP = 0.07
_PANEL = (page.WIDTH - 2 * _MARGIN - (_ACROSS - 1) * _GAP) / _ACROSS
_TITLE = 0.22
_LETTER = 0.2
_BAR = 0.3
_PLOT_LEFTS, _PLOT_WIDTH = (0.5, 2.91, 5.32), 1.62
_PLOT_HEIGHT = 1.3
_FOOTER = 0.4

#: Radii at which atoms are drawn [Å], and room around a particle.
_METAL_A, _SUPPORT_A = 1.1, 0.75
_ROOM_A = 3.5

_SITE = "#0072B2"


def plot(structures: Annotated[list[Path], "all shards of structures"]):
    particles = read_particles(structures)
    return draw(choose(particles), gather(particles))


def read_particles(paths: Sequence[Path]) -> list[structures.Structure]:
    """Read all particles, by their number; ``InputError`` if there are no columns to draw."""
    numbered = structures.read(paths)
    for number, (path, structure) in numbered.items():
        if len(structure.numbers) == 0 or len(structure.sites) < 2:
            raise InputError(
                f"{path}: structure {number} has fewer than two columns; make larger particles"
            )
    return [structure for _, structure in numbered.values()]


def is_metal(structure: structures.Structure) -> np.ndarray:
    """Whether atoms are of the particle, the heaviest element, and not of its support."""
    return structure.numbers == structure.numbers.max()


def gather(structures: Sequence[structures.Structure]) -> Particles:
    """Gather columns, their heights and distances of many particles; every column counts once."""
    return Particles(
        columns=np.array([len(structure.sites) for structure in structures]),
        heights=np.concatenate([structure.classes for structure in structures]),
        distances_A=np.concatenate([_distances(structure.sites) for structure in structures]),
    )


def _distances(sites: np.ndarray) -> np.ndarray:
    if len(sites) < 2:
        return np.empty(0)
    from scipy.spatial import KDTree

    return KDTree(sites).query(sites, 2)[0][:, 1]


def choose(
    structures: Sequence[structures.Structure], most: int = GALLERY
) -> list[structures.Structure]:
    """Choose particles evenly spread over the numbers of atoms of the metal, the smallest first."""
    atoms = [int(is_metal(structure).sum()) for structure in structures]
    order = np.argsort(atoms, kind="stable")
    ranks = np.linspace(0, len(order) - 1, min(most, len(order))).round().astype(int)
    return [structures[index] for index in order[ranks]]


def draw(shown: Sequence[structures.Structure], particles: Particles) -> mpl.Figure:
    """Draw particles seen along the beam in one scale, and the statistics of all."""
    rows = int(np.ceil(len(shown) / _ACROSS))
    top = _TITLE + _LETTER
    bar_top = top + rows * (_PANEL + _GAP)
    plots_top = bar_top + _BAR + _LETTER
    figure = mpl.Figure(figsize=(page.WIDTH, plots_top + _PLOT_HEIGHT + _FOOTER))
    title = "Random particles for the training (simulated structures), along the beam"
    style.write_title(figure, _MARGIN, 0.06, title)
    size_A = max(_needed_A(structure) for structure in shown)
    for index, structure in enumerate(shown):
        row, column = divmod(index, _ACROSS)
        place = (_MARGIN + column * (_PANEL + _GAP), top + row * (_PANEL + _GAP))
        axes = style.place(figure, *place, _PANEL, _PANEL)
        draw_structure(axes, structure, size_A)
        if index == 0:
            style.letter(axes, "a", f"{len(shown)} of {len(particles.columns):,}, by size")
    _explain(figure, shown, bar_top + 0.02)
    plots = [style.place(figure, x, plots_top, _PLOT_WIDTH, _PLOT_HEIGHT) for x in _PLOT_LEFTS]
    _draw_statistics(plots, particles)
    return figure


def _needed_A(structure: structures.Structure) -> float:
    """Edge of a square around a particle [Å]."""
    atoms = structure.positions[is_metal(structure), :2]
    return float(np.ptp(atoms, axis=0).max()) + 2 * _ROOM_A


def draw_structure(axes: mpl.Axes, structure: structures.Structure, size_A: float) -> None:
    """Draw the atoms of a structure by their depth, and its sites; the beam runs along z.

    The square that is shown has an edge of ``size_A``, around the middle of the metal.
    """
    metal = is_metal(structure)
    atoms = structure.positions[metal]
    middle = (atoms[:, :2].min(axis=0) + atoms[:, :2].max(axis=0)) / 2
    (left, top), (right, bottom) = middle - size_A / 2, middle + size_A / 2
    axes.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set(visible=True, color=style.MUTED)
    _balls(axes, structure.positions[~metal], _SUPPORT_A, _support())
    _balls(axes, atoms, _METAL_A, _depth())
    axes.plot(*structure.sites.T, "o", markersize=1.5, markeredgewidth=0, color=_SITE, zorder=3)
    text = f"{len(atoms):,} atoms\n{len(structure.sites):,} columns"
    box = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1}
    look = {"size": 6, "va": "top", "bbox": box, "zorder": 4, "linespacing": 1.25}
    axes.text(0.03, 0.97, text, transform=axes.transAxes, **look)
    style.scale_bar(axes)


def _depth() -> mpl.Colormap:
    """Colours of the metal: dark is deep, bright is near."""
    return style.ramp(mpl.cm.lajolla, 0.3, 0.97)


def _support() -> mpl.Colormap:
    return style.greys(0.55, 0.9)


def _balls(axes: mpl.Axes, positions: np.ndarray, radius_A: float, colours: mpl.Colormap) -> None:
    """Draw atoms, those nearest to the viewer last."""
    if len(positions) == 0:
        return
    positions = positions[np.argsort(positions[:, 2])]
    depth = positions[:, 2] - positions[0, 2]
    look = {"edgecolors": "0.25", "linewidths": 0.15, "zorder": 2}
    filled = colours(depth / max(depth[-1], 1e-9))
    style.discs(axes, positions[:, :2], 2 * radius_A, facecolors=filled, **look)


def _explain(figure: mpl.Figure, shown: Sequence[structures.Structure], top: float) -> None:
    """Explain colours and marks below the gallery."""
    look = {"linewidth": 0, "marker": "o", "markeredgecolor": "0.25", "markeredgewidth": 0.3}
    handles = [
        mpl.Line2D([], [], color=_depth()(1.0), markersize=6, label="metal, near", **look),
        mpl.Line2D([], [], color=_depth()(0.0), markersize=6, label="metal, far", **look),
    ]
    if any(not is_metal(structure).all() for structure in shown):
        handles.append(
            mpl.Line2D([], [], color=_support()(0.6), markersize=5, label="support", **look)
        )
    site = {"linewidth": 0, "marker": "o", "markeredgewidth": 0, "markersize": 2.5}
    handles.append(mpl.Line2D([], [], color=_SITE, label="column to be found", **site))
    site_maps.explain(figure, page.WIDTH / 2, top, handles, len(handles))


def _draw_statistics(plots: Sequence[mpl.Axes], particles: Particles) -> None:
    draw_columns(plots[0], particles.columns)
    draw_heights(plots[1], particles.heights)
    draw_distances(plots[2], particles.distances_A)
    titles = (
        f"{len(particles.columns):,} particles",
        f"{len(particles.heights):,} columns",
        "nearest columns",
    )
    for axes, mark, title in zip(plots, "bcd", titles, strict=True):
        style.letter(axes, mark, title)


def draw_columns(axes: mpl.Axes, columns: np.ndarray) -> None:
    """Draw how many columns the particles have, and their median."""
    bins = np.linspace(0, 1.02 * columns.max(), min(21, max(6, len(columns))))
    axes.hist(columns, bins, histtype="stepfilled", alpha=0.85)
    axes.set(xlabel="columns of a particle", ylabel="particles", xlim=bins[[0, -1]])
    axes.yaxis.set_major_locator(mpl.MaxNLocator(4, integer=True))
    _median(axes, float(np.median(columns)), f"median {np.median(columns):.0f}")


def draw_heights(axes: mpl.Axes, heights: np.ndarray) -> None:
    """Draw how many atoms the columns have, and the share of single atoms."""
    counts, number = np.unique(heights, return_counts=True)
    axes.bar(counts, 100 * number / number.sum(), width=0.8, alpha=0.85)
    axes.set(xlabel="atoms in a column", ylabel="columns (%)")
    axes.xaxis.set_major_locator(mpl.MaxNLocator(6, integer=True))
    axes.yaxis.set_major_locator(mpl.MaxNLocator(4))
    _words(axes, f"single atoms: {100 * np.mean(heights == 1):.1f} %")


def draw_distances(axes: mpl.Axes, distances_A: np.ndarray) -> None:
    """Draw the distances from every column to the next, and their median."""
    low, high = np.percentile(distances_A, (0.5, 99.5))
    bins = np.linspace(np.floor(2 * low) / 2, np.ceil(2 * high + 0.1) / 2, 41)
    weights = np.full(len(distances_A), 100 / len(distances_A))
    axes.hist(distances_A, bins, weights=weights, histtype="stepfilled", alpha=0.85)
    axes.set(xlabel="distance (Å)", ylabel=f"columns (% per {bins[1] - bins[0]:.2g} Å)")
    axes.set_xlim(bins[[0, -1]])
    axes.yaxis.set_major_locator(mpl.MaxNLocator(4))
    _median(axes, float(np.median(distances_A)), f"median {np.median(distances_A):.2f} Å")


def _median(axes: mpl.Axes, median: float, text: str) -> None:
    axes.axvline(median, ymax=0.84, color="black", linewidth=0.7, dashes=(4, 2))
    _words(axes, text)


def _words(axes: mpl.Axes, text: str) -> None:
    """Write above the bars, in room made for it."""
    axes.set_ylim(top=axes.get_ylim()[1] / 0.84)
    axes.text(0.98, 0.98, text, transform=axes.transAxes, ha="right", va="top")
