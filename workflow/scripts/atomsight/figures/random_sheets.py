"""How a random sheet is made, and what all sheets look like in numbers (the paper, Fig 4)."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from scipy.spatial import Voronoi

from atomsight.analysis.bonds import Rings, find_bonds, find_rings
from atomsight.figures import style
from atomsight.materials import graphene

#: Longest bond, in units of the usual one; the generator prunes with the same.
_BOND_REACH = 1.25

#: Surroundings of the periodic sheet that close the rings at its border [Å].
_MARGIN_A = 12.0

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


@dataclass(frozen=True)
class Sheet:
    """A periodic sheet with enough of its surroundings to close the rings at its border.

    Attributes
    ----------
    size_A : float
        Edge of the periodic square [Å].
    positions : ndarray of shape (N, 2)
        Positions ``(x, y)`` of the atoms, the surroundings included [Å].
    bonds : ndarray of shape (B, 2)
        Bonded atoms.
    rings : Rings
        The rings.
    """

    size_A: float
    positions: np.ndarray
    bonds: np.ndarray
    rings: Rings

    def inside(self, points: np.ndarray) -> np.ndarray:
        """Whether points of shape (P, 2) lie in the periodic square, an ndarray of shape (P,)."""
        return ((points >= 0) & (points < self.size_A)).all(axis=1)


@dataclass(frozen=True)
class SheetStatistics:
    """What the sheets of a collection are like.

    Attributes
    ----------
    sheets : int
        Number of sheets.
    bond_lengths_A : ndarray of shape (B,)
        Lengths of all bonds [Å].
    ring_sizes : ndarray of shape (R,)
        Atoms in every ring; what is larger than a ring of twelve is a hole and does not count.
    coordination : ndarray of shape (N,)
        Bonds of every atom.
    """

    sheets: int
    bond_lengths_A: np.ndarray
    ring_sizes: np.ndarray
    coordination: np.ndarray


@dataclass(frozen=True)
class Construction:
    """Stages in the making of a sheet.

    Attributes
    ----------
    points, relaxed : ndarray of shape (R, 2)
        Poisson-disc points, and where Lloyd relaxation moves them [Å].
    sheet : Sheet
        The sheet that comes of it.
    """

    points: np.ndarray
    relaxed: np.ndarray
    sheet: Sheet


def connect(sites: np.ndarray, size_A: float) -> Sheet:
    """Find the bonds and rings of a periodic sheet.

    Parameters
    ----------
    sites : ndarray of shape (N, 2)
        Positions of the atoms in the periodic square [Å].
    size_A : float
        Edge of the square [Å].

    Returns
    -------
    Sheet
        The sheet.
    """
    positions = _with_surroundings(sites, size_A)
    bonds = find_bonds(positions, 3, _BOND_REACH)
    return Sheet(size_A, positions, bonds, find_rings(positions, bonds))


def _with_surroundings(points: np.ndarray, size_A: float) -> np.ndarray:
    """Add the periodic images in a margin around the square."""
    shifts = size_A * np.array([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)])
    images = (points[None] + shifts[:, None]).reshape(-1, 2)
    near = (images > -_MARGIN_A) & (images < size_A + _MARGIN_A)
    return images[near.all(axis=1)]


def gather_statistics(sheets: Iterable[Sheet]) -> SheetStatistics:
    """Gather bond lengths, ring sizes and coordination of many sheets.

    Parameters
    ----------
    sheets : iterable of Sheet
        The sheets, one at least.

    Returns
    -------
    SheetStatistics
        Every bond, ring and atom of the periodic squares counts once.
    """
    lengths, sizes, coordination = zip(*map(_count, sheets), strict=True)
    return SheetStatistics(
        len(lengths), np.concatenate(lengths), np.concatenate(sizes), np.concatenate(coordination)
    )


def _count(sheet: Sheet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ends = sheet.positions[sheet.bonds]
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    bonds_of_atoms = np.bincount(sheet.bonds.ravel(), minlength=len(sheet.positions))
    return (
        lengths[sheet.inside(ends.mean(axis=1))],
        sheet.rings.sizes[sheet.inside(sheet.rings.centres)],
        bonds_of_atoms[sheet.inside(sheet.positions)],
    )


def hole_share(sheet: Sheet) -> float:
    """Share of a sheet's area that no ring covers.

    Parameters
    ----------
    sheet : Sheet
        The sheet.

    Returns
    -------
    float
        Zero without holes.
    """
    corners, rings = _sorted_corners(sheet)
    firsts = np.flatnonzero(np.diff(rings, prepend=-1))
    following = np.arange(1, len(rings) + 1)
    following[np.append(firsts[1:], len(rings)) - 1] = firsts
    # Seen from the centre of its ring, every side spans a triangle.
    x, y = (corners - sheet.rings.centres[rings]).T
    areas_A2 = np.bincount(rings, x * y[following] - y * x[following]) / 2
    return float(1 - areas_A2[sheet.inside(sheet.rings.centres)].sum() / sheet.size_A**2)


def ring_outlines(sheet: Sheet) -> list[np.ndarray]:
    """Corners of every ring in their order.

    Parameters
    ----------
    sheet : Sheet
        The sheet.

    Returns
    -------
    list of R ndarrays of shape (C, 2)
        Corners [Å], by azimuth about the centre.
    """
    corners, rings = _sorted_corners(sheet)
    return np.split(corners, np.flatnonzero(np.diff(rings)) + 1)


def _sorted_corners(sheet: Sheet) -> tuple[np.ndarray, np.ndarray]:
    """Corners ring by ring, by azimuth about its centre, and the ring of each."""
    rings = sheet.rings.corner_rings
    corners = sheet.positions[sheet.rings.corner_atoms]
    dx, dy = (corners - sheet.rings.centres[rings]).T
    order = np.lexsort((np.arctan2(dy, dx), rings))
    return corners[order], rings[order]


def construct(
    settings: graphene.Settings, seed: np.random.SeedSequence, sheet: Sheet
) -> Construction:
    """Repeat the first stages in the making of a sheet.

    Parameters
    ----------
    settings : graphene.Settings
        What it was made with.
    seed : numpy.random.SeedSequence
        The sheet's own seed.
    sheet : Sheet
        The sheet.

    Returns
    -------
    Construction
        The stages.
    """
    # The number of steps is drawn after the points: without steps, the same seed gives the points.
    points, relaxed = (
        graphene.ring_centres(one, np.random.default_rng(_unused(seed)))
        for one in (settings.but(lloyd_steps=(0, 0)), settings)
    )
    return Construction(points, relaxed, sheet)


def _unused(seed: np.random.SeedSequence) -> np.random.SeedSequence:
    """Give the seed as it was at first: SciPy spawns from it, and never the same twice."""
    return np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key)


@style.styled()
def draw(construction: Construction, statistics: SheetStatistics) -> Figure:
    """Draw the making of a sheet, and the statistics of all.

    Parameters
    ----------
    construction : Construction
        The making of one sheet.
    statistics : SheetStatistics
        Of all sheets.

    Returns
    -------
    Figure
        Above points, Voronoi cells and sheet; below bond lengths, ring sizes and coordination.
    """
    plots_top = _HEADER + _PANEL + _LEGEND + _HEADER
    size = (2 * _MARGIN + 3 * _PANEL + 2 * _GAP, plots_top + _PLOT_HEIGHT + 0.42)
    figure = Figure(figsize=size)
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
        "Poisson-disc points",
        "Lloyd-relaxed, with Voronoi cells",
        "relaxed sheet with defects and holes",
        f"bond lengths, {statistics.sheets} sheets",
        "ring sizes",
        "coordination",
    )
    for axes, mark, title in zip([*panels, *plots], "abcdef", titles, strict=True):
        style.letter(axes, mark, title)
    return figure


def draw_points(axes: Axes, points: np.ndarray, size_A: float) -> None:
    """Draw points in the periodic square.

    Parameters
    ----------
    axes : Axes
        Where to.
    points : ndarray of shape (R, 2)
        The points [Å].
    size_A : float
        Edge of the square [Å].
    """
    axes.plot(*points.T, "o", markersize=2, markeredgewidth=0)
    _frame(axes, size_A)


def draw_cells(axes: Axes, points: np.ndarray, size_A: float) -> None:
    """Draw points and their Voronoi cells in the periodic square.

    Parameters
    ----------
    axes : Axes
        Where to.
    points : ndarray of shape (R, 2)
        The points [Å].
    size_A : float
        Edge of the square [Å].
    """
    cells = Voronoi(_with_surroundings(points, size_A))
    sides = np.asarray(cells.ridge_vertices)
    sides = cells.vertices[sides[(sides >= 0).all(axis=1)]]
    axes.add_collection(LineCollection(sides, colors="0.25", linewidths=0.5))
    axes.plot(*points.T, "o", markersize=2, markeredgewidth=0)
    _frame(axes, size_A)


def draw_sheet(axes: Axes, sheet: Sheet) -> None:
    """Draw bonds, and rings coloured by their size, with a legend below.

    Parameters
    ----------
    axes : Axes
        Where to.
    sheet : Sheet
        The sheet.
    """
    smallest, largest = min(_COLOURS), max(_COLOURS)
    kinds = np.clip(sheet.rings.sizes, smallest, largest)
    colours = [_COLOURS[kind] for kind in kinds]
    axes.add_collection(PolyCollection(ring_outlines(sheet), facecolors=colours, linewidths=0))
    ends = sheet.positions[sheet.bonds]
    axes.add_collection(LineCollection(ends, colors="0.25", linewidths=0.6, capstyle="round"))
    _frame(axes, sheet.size_A)
    names = {smallest: f"≤ {smallest}", largest: f"≥ {largest}"}
    patches = [Patch(color=colour, label=names.get(n, str(n))) for n, colour in _COLOURS.items()]
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


def draw_bond_lengths(axes: Axes, lengths_A: np.ndarray) -> None:
    """Draw the histogram of the bond lengths, their median, and the share of usual ones.

    Parameters
    ----------
    axes : Axes
        Where to.
    lengths_A : ndarray of shape (B,)
        Lengths [Å].
    """
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


def draw_shares(axes: Axes, numbers: np.ndarray, xlabel: str, ylabel: str) -> None:
    """Draw how often whole numbers occur.

    Parameters
    ----------
    axes : Axes
        Where to.
    numbers : ndarray of shape (N,)
        The numbers.
    xlabel, ylabel : str
        Labels of the axes.
    """
    values, counts = np.unique(numbers, return_counts=True)
    shares = 100 * counts / counts.sum()
    bars = axes.bar(values, shares, width=0.7, alpha=0.85)
    labels = [f"{share:.1f}" if share >= 0.05 else "" for share in shares]
    axes.bar_label(bars, labels, padding=1.5, size=6)
    axes.set(xlabel=xlabel, ylabel=ylabel, xticks=values)
    axes.set_ylim(top=1.12 * shares.max())


def _frame(axes: Axes, size_A: float) -> None:
    """Show the periodic square like an image, y running down."""
    axes.set(xlim=(0, size_A), ylim=(size_A, 0), xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set(visible=True, color=style.MUTED)
    style.scale_bar(axes)
