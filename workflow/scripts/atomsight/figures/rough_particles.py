"""What the random particles of the training look like, and their statistics (the paper, Fig 8)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cmcrameri import cm
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from scipy.spatial import KDTree

from atomsight.figures import site_maps, style
from atomsight.files.records import Structure


@dataclass(frozen=True)
class Particles:
    """What the structures of a collection are like.

    Attributes
    ----------
    columns : ndarray of shape (P,)
        Columns of every particle.
    heights : ndarray of shape (S,)
        Atoms in every column of all particles.
    distances_A : ndarray of shape (S,)
        Distance from every column to the next of its particle [Å].
    """

    columns: np.ndarray
    heights: np.ndarray
    distances_A: np.ndarray


#: Panels of the gallery side by side, and in all.
_ACROSS = 4
GALLERY = 8

#: Places and sizes [inch].
_WIDTH = 7.1
_MARGIN = 0.08
_GAP = 0.07
_PANEL = (_WIDTH - 2 * _MARGIN - (_ACROSS - 1) * _GAP) / _ACROSS
_TITLE = 0.22
_LETTER = 0.2
_BAR = 0.3
_PLOT_LEFTS, _PLOT_WIDTH = (0.5, 2.91, 5.32), 1.62
_PLOT_HEIGHT = 1.3
_FOOTER = 0.4

#: Radii at which atoms are drawn [Å], and room around a particle.
_METAL_A, _SUPPORT_A = 1.1, 0.75
_ROOM_A = 3.5

#: Dark is deep, bright is near; the support is grey.
_DEPTH: Colormap = ListedColormap(cm.lajolla(np.linspace(0.3, 0.97, 256)))
_SUPPORT: Colormap = ListedColormap(np.repeat(np.linspace(0.55, 0.9, 256)[:, None], 3, axis=1))
_SITE = "#0072B2"


def is_metal(structure: Structure) -> np.ndarray:
    """Tell the particle from its support.

    Parameters
    ----------
    structure : Structure
        The structure.

    Returns
    -------
    ndarray of shape (N,), bool
        True for the atoms of the heaviest element.
    """
    return structure.numbers == structure.numbers.max()


def gather(structures: Sequence[Structure]) -> Particles:
    """Gather columns, their heights and distances of many particles.

    Parameters
    ----------
    structures : sequence of Structure
        The structures, with one site at least.

    Returns
    -------
    Particles
        Every column counts once.
    """
    return Particles(
        columns=np.array([len(structure.sites) for structure in structures]),
        heights=np.concatenate([structure.classes for structure in structures]),
        distances_A=np.concatenate([_distances(structure.sites) for structure in structures]),
    )


def _distances(sites: np.ndarray) -> np.ndarray:
    if len(sites) < 2:
        return np.empty(0)
    return KDTree(sites).query(sites, 2)[0][:, 1]


def choose(structures: Sequence[Structure], most: int = GALLERY) -> list[Structure]:
    """Choose particles for the gallery, from the smallest to the largest.

    Parameters
    ----------
    structures : sequence of Structure
        All of them.
    most : int
        Particles at most.

    Returns
    -------
    list of Structure
        Evenly spread over the numbers of atoms of the metal.
    """
    atoms = [int(is_metal(structure).sum()) for structure in structures]
    order = np.argsort(atoms, kind="stable")
    ranks = np.linspace(0, len(order) - 1, min(most, len(order))).round().astype(int)
    return [structures[index] for index in order[ranks]]


@style.styled()
def draw(shown: Sequence[Structure], particles: Particles) -> Figure:
    """Draw particles seen along the beam, and the statistics of all.

    Parameters
    ----------
    shown : sequence of Structure
        Particles of the gallery; all in one scale.
    particles : Particles
        Statistics.

    Returns
    -------
    Figure
        The gallery; below columns per particle, atoms per column and distances of the columns.
    """
    rows = int(np.ceil(len(shown) / _ACROSS))
    top = _TITLE + _LETTER
    bar_top = top + rows * (_PANEL + _GAP)
    plots_top = bar_top + _BAR + _LETTER
    figure = Figure(figsize=(_WIDTH, plots_top + _PLOT_HEIGHT + _FOOTER))
    title = "Random particles for the training (simulated structures), along the beam"
    style.write(figure, _MARGIN, 0.06, title, weight="bold", size=8)
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


def _needed_A(structure: Structure) -> float:
    """Edge of a square around a particle [Å]."""
    atoms = structure.positions[is_metal(structure), :2]
    return float(np.ptp(atoms, axis=0).max()) + 2 * _ROOM_A


def draw_structure(axes: Axes, structure: Structure, size_A: float) -> None:
    """Draw the atoms of a structure by their depth, and its sites.

    Parameters
    ----------
    axes : Axes
        Where to.
    structure : Structure
        The structure; the beam runs along z.
    size_A : float
        Edge of the square that is shown, around the middle of the metal [Å].
    """
    metal = is_metal(structure)
    atoms = structure.positions[metal]
    middle = (atoms[:, :2].min(axis=0) + atoms[:, :2].max(axis=0)) / 2
    (left, top), (right, bottom) = middle - size_A / 2, middle + size_A / 2
    axes.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set(visible=True, color=style.MUTED)
    _balls(axes, structure.positions[~metal], _SUPPORT_A, _SUPPORT)
    _balls(axes, atoms, _METAL_A, _DEPTH)
    axes.plot(*structure.sites.T, "o", markersize=1.5, markeredgewidth=0, color=_SITE, zorder=3)
    text = f"{len(atoms):,} atoms\n{len(structure.sites):,} columns"
    box = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1}
    look = {"size": 6, "va": "top", "bbox": box, "zorder": 4, "linespacing": 1.25}
    axes.text(0.03, 0.97, text, transform=axes.transAxes, **look)
    style.scale_bar(axes)


def _balls(axes: Axes, positions: np.ndarray, radius_A: float, colours: Colormap) -> None:
    """Draw atoms, those nearest to the viewer last."""
    if len(positions) == 0:
        return
    positions = positions[np.argsort(positions[:, 2])]
    depth = positions[:, 2] - positions[0, 2]
    sizes = np.full(len(positions), 2 * radius_A)
    balls = EllipseCollection(
        sizes,
        sizes,
        np.zeros(len(positions)),
        units="xy",
        offsets=positions[:, :2],
        offset_transform=axes.transData,
        facecolors=colours(depth / max(depth[-1], 1e-9)),
        edgecolors="0.25",
        linewidths=0.15,
        zorder=2,
    )
    axes.add_collection(balls, autolim=False)


def _explain(figure: Figure, shown: Sequence[Structure], top: float) -> None:
    """Explain colours and marks below the gallery."""
    look = {"linewidth": 0, "marker": "o", "markeredgecolor": "0.25", "markeredgewidth": 0.3}
    handles = [
        Line2D([], [], color=_DEPTH(1.0), markersize=6, label="metal, near", **look),
        Line2D([], [], color=_DEPTH(0.0), markersize=6, label="metal, far", **look),
    ]
    if any(not is_metal(structure).all() for structure in shown):
        handles.append(Line2D([], [], color=_SUPPORT(0.6), markersize=5, label="support", **look))
    site = {"linewidth": 0, "marker": "o", "markeredgewidth": 0, "markersize": 2.5}
    handles.append(Line2D([], [], color=_SITE, label="column to be found", **site))
    site_maps.explain(figure, _WIDTH / 2, top, handles, len(handles))


def _draw_statistics(plots: Sequence[Axes], particles: Particles) -> None:
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


def draw_columns(axes: Axes, columns: np.ndarray) -> None:
    """Draw how many columns the particles have, and their median.

    Parameters
    ----------
    axes : Axes
        Where to.
    columns : ndarray of shape (P,)
        Columns of every particle.
    """
    bins = np.linspace(0, 1.02 * columns.max(), min(21, max(6, len(columns))))
    axes.hist(columns, bins, histtype="stepfilled", alpha=0.85)
    axes.set(xlabel="columns of a particle", ylabel="particles", xlim=bins[[0, -1]])
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    _median(axes, float(np.median(columns)), f"median {np.median(columns):.0f}")


def draw_heights(axes: Axes, heights: np.ndarray) -> None:
    """Draw how many atoms the columns have, and the share of single atoms.

    Parameters
    ----------
    axes : Axes
        Where to.
    heights : ndarray of shape (S,)
        Atoms in every column.
    """
    counts, number = np.unique(heights, return_counts=True)
    axes.bar(counts, 100 * number / number.sum(), width=0.8, alpha=0.85)
    axes.set(xlabel="atoms in a column", ylabel="columns (%)")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    _words(axes, f"single atoms: {100 * np.mean(heights == 1):.1f} %")


def draw_distances(axes: Axes, distances_A: np.ndarray) -> None:
    """Draw the distances from every column to the next, and their median.

    Parameters
    ----------
    axes : Axes
        Where to.
    distances_A : ndarray of shape (S,)
        Distances [Å].
    """
    low, high = np.percentile(distances_A, (0.5, 99.5))
    bins = np.linspace(np.floor(2 * low) / 2, np.ceil(2 * high + 0.1) / 2, 41)
    weights = np.full(len(distances_A), 100 / len(distances_A))
    axes.hist(distances_A, bins, weights=weights, histtype="stepfilled", alpha=0.85)
    axes.set(xlabel="distance (Å)", ylabel=f"columns (% per {bins[1] - bins[0]:.2g} Å)")
    axes.set_xlim(bins[[0, -1]])
    axes.yaxis.set_major_locator(MaxNLocator(4))
    _median(axes, float(np.median(distances_A)), f"median {np.median(distances_A):.2f} Å")


def _median(axes: Axes, median: float, text: str) -> None:
    axes.axvline(median, ymax=0.84, color="black", linewidth=0.7, dashes=(4, 2))
    _words(axes, text)


def _words(axes: Axes, text: str) -> None:
    """Write above the bars, in room made for it."""
    axes.set_ylim(top=axes.get_ylim()[1] / 0.84)
    axes.text(0.98, 0.98, text, transform=axes.transAxes, ha="right", va="top")
