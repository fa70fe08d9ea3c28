"""How a random sheet is made, and what all sheets look like in numbers (the paper, Fig 4).

The first disordered sheet with a hole is drawn. Seed and settings of the stages before it are read
from the files of structures themselves.

Example:
    python plot.py random_sheets sheets.png --structures structures/0.h5 structures/1.h5
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np

from atomsight.figures.parts import choice, mpl, sheets, style
from atomsight.figures.parts.entry import Picture

CAPTION = """
How the random sheets on which the model is trained are made, and what they are like: (a) centres of
rings, Poisson-disc points in a disordered sheet (in one of grains, lattices); (b) the same after
Lloyd relaxation, with Voronoi cells, whose corners become atoms; (c) the sheet with added, merged
and missing atoms, relaxed with springs, and with holes; (d) bond lengths, (e) ring sizes up to
twelve and (f) bonds per atom of all sheets.
"""
MEMORY_MB = 1000


def of_first_model(sheet: Any) -> dict[str, Any]:
    model = choice.trained(sheet, "atoms", "graphene")
    return {"structures": sheet.models.shards(model, "structures")}


PICTURES = (Picture("results/figures/fig04_random_sheets.png", of_first_model, "4: random sheets"),)

#: A sheet has a hole if rings leave this share of its area free.
_MIN_HOLE = 0.02

#: A bond that is neither crushed nor torn [Å].
USUAL_BONDS_A = (1.2, 1.65)

_COLOURS = {4: "#0072B2", 5: "#56B4E9", 6: "0.88", 7: "#E69F00", 8: "#D55E00"}

#: Places and sizes [inch].
_PANEL = 2.3
_GAP = 0.16
_MARGIN = 0.1
_HEADER = 0.24
_LEGEND = 0.4
_PLOT_HEIGHT = 1.35
_PLOT_LABELS = 0.42


def plot(structures: Annotated[list[Path], "all shards of structures"]):
    found = sheets.read(structures)
    section, seed = sheets.read_making(structures[0])
    # As make_structures.py deals out the seeds, sheet by sheet.
    seeds = np.random.SeedSequence(seed).spawn(max(found) + 1)
    disordered = [number for number in found if sheets.is_disordered(section, seeds[number])]
    holed = (number for number in disordered if sheets.hole_share(found[number]) > _MIN_HOLE)
    chosen = next(holed, min(disordered or found))
    construction = sheets.construct(section, seeds[chosen], found[chosen])
    return draw(construction, sheets.gather_statistics(found.values()))


def draw(construction: sheets.Construction, statistics: sheets.SheetStatistics) -> mpl.Figure:
    """Draw the making of a sheet, and the statistics of all."""
    plots_top = _HEADER + _PANEL + _LEGEND + _HEADER
    size = (2 * _MARGIN + 3 * _PANEL + 2 * _GAP, plots_top + _PLOT_HEIGHT + 0.42)
    figure = mpl.Figure(figsize=size)
    lefts = _MARGIN + np.arange(3) * (_PANEL + _GAP)
    panels = [style.place(figure, left, _HEADER, _PANEL, _PANEL) for left in lefts]
    draw_points(panels[0], construction.points, construction.sheet.size_A)
    draw_cells(panels[1], construction.relaxed, construction.sheet.size_A)
    draw_sheet(panels[2], construction.sheet)
    plots = [
        style.place(figure, left + _PLOT_LABELS, plots_top, _PANEL - _PLOT_LABELS, _PLOT_HEIGHT)
        for left in lefts
    ]
    draw_bond_lengths(plots[0], statistics.bond_lengths_A)
    draw_shares(plots[1], statistics.ring_sizes, "atoms in a ring", "rings (%)")
    draw_shares(plots[2], statistics.coordination, "bonds of an atom", "atoms (%)")
    titles = (
        "centres of rings",
        "Lloyd-relaxed, with Voronoi cells",
        "relaxed sheet with defects and holes",
        f"bond lengths, {statistics.sheets} sheets",
        "ring sizes",
        "coordination",
    )
    for axes, mark, title in zip([*panels, *plots], "abcdef", titles, strict=True):
        style.letter(axes, mark, title)
    return figure


def draw_points(axes: mpl.Axes, points: np.ndarray, size_A: float) -> None:
    """Draw points in the periodic square."""
    axes.plot(*points.T, "o", markersize=2, markeredgewidth=0)
    _frame(axes, size_A)


def draw_cells(axes: mpl.Axes, points: np.ndarray, size_A: float) -> None:
    """Draw points and their Voronoi cells in the periodic square."""
    from scipy.spatial import Voronoi

    cells = Voronoi(sheets.with_surroundings(points, size_A))
    sides = np.asarray(cells.ridge_vertices)
    sides = cells.vertices[sides[(sides >= 0).all(axis=1)]]
    axes.add_collection(mpl.LineCollection(sides, colors="0.25", linewidths=0.5))
    axes.plot(*points.T, "o", markersize=2, markeredgewidth=0)
    _frame(axes, size_A)


def draw_sheet(axes: mpl.Axes, sheet: sheets.Sheet) -> None:
    """Draw bonds, and rings coloured by their size, with a legend below."""
    smallest, largest = min(_COLOURS), max(_COLOURS)
    kinds = np.clip(sheet.rings.sizes, smallest, largest)
    colours = [_COLOURS[kind] for kind in kinds]
    axes.add_collection(
        mpl.PolyCollection(sheets.ring_outlines(sheet), facecolors=colours, linewidths=0)
    )
    ends = sheet.positions[sheet.bonds]
    axes.add_collection(mpl.LineCollection(ends, colors="0.25", linewidths=0.6, capstyle="round"))
    _frame(axes, sheet.size_A)
    names = {smallest: f"≤ {smallest}", largest: f"≥ {largest}"}
    patches = [
        mpl.Patch(color=colour, label=names.get(n, str(n))) for n, colour in _COLOURS.items()
    ]
    axes.legend(
        handles=patches,
        title="atoms in a ring",
        title_fontsize=6.5,
        ncols=len(patches),
        loc="upper center",
        bbox_to_anchor=(0.5, -0.01),
        columnspacing=1,
        handletextpad=0.4,
    )


def draw_bond_lengths(axes: mpl.Axes, lengths_A: np.ndarray) -> None:
    """Draw the histogram of the bond lengths, their median, and the share of usual ones."""
    low, high = USUAL_BONDS_A
    share = np.full(lengths_A.shape, 100 / lengths_A.size)
    axes.axvspan(low, high, ymax=0.76, color="0.93", linewidth=0)
    bins = np.linspace(1.0, 1.9, 46)
    axes.hist(lengths_A, bins, weights=share, histtype="stepfilled", alpha=0.85)
    median = np.median(lengths_A)
    usual = 100 * np.mean((lengths_A >= low) & (lengths_A <= high))
    axes.axvline(median, ymax=0.74, color="black", linewidth=0.7, dashes=(4, 2))
    axes.set(xlim=bins[[0, -1]], xlabel="bond length (Å)", ylabel="bonds (% per 0.02 Å)")
    axes.set_ylim(top=axes.get_ylim()[1] / 0.74)
    text = f"median {median:.3f} Å, {usual:.1f} % in\n{low:g} to {high:g} Å (shaded)"
    axes.text(0.02, 0.98, text, transform=axes.transAxes, va="top", linespacing=1.4)


def draw_shares(axes: mpl.Axes, numbers: np.ndarray, xlabel: str, ylabel: str) -> None:
    """Draw how often whole numbers occur."""
    values, counts = np.unique(numbers, return_counts=True)
    shares = 100 * counts / counts.sum()
    bars = axes.bar(values, shares, width=0.7, alpha=0.85)
    labels = [f"{share:.1f}" if share >= 0.05 else "" for share in shares]
    axes.bar_label(bars, labels, padding=1.5, size=6)
    axes.set(xlabel=xlabel, ylabel=ylabel, xticks=values)
    axes.set_ylim(top=1.12 * shares.max())


def _frame(axes: mpl.Axes, size_A: float) -> None:
    """Show the periodic square like an image, y running down."""
    axes.set(xlim=(0, size_A), ylim=(size_A, 0), xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set(visible=True, color=style.MUTED)
    style.scale_bar(axes)
