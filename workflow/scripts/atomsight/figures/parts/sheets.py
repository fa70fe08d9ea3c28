"""Random sheets of graphene: how one is made, and what many are like."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atomsight.analysis.bonds import Rings, find_bonds, find_rings
from atomsight.errors import InputError
from atomsight.figures.parts import structures
from atomsight.files import sealed
from atomsight.materials import graphene

#: Longest bond, in units of the usual one; the generator prunes with the same.
_BOND_REACH = 1.25

#: Surroundings of the periodic sheet that close the rings at its border [Å].
_MARGIN_A = 12.0


@dataclass(frozen=True)
class Sheet:
    """A periodic sheet with enough of its surroundings to close the rings at its border."""

    size_A: float  # edge of the periodic square
    positions: np.ndarray  # (N, 2), of the atoms, the surroundings included [Å]
    bonds: np.ndarray  # (B, 2), bonded atoms
    rings: Rings

    def inside(self, points: np.ndarray) -> np.ndarray:
        """Whether points lie in the periodic square."""
        return ((points >= 0) & (points < self.size_A)).all(axis=1)


@dataclass(frozen=True)
class SheetStatistics:
    """What the sheets of a collection are like."""

    sheets: int
    bond_lengths_A: np.ndarray
    ring_sizes: np.ndarray  # of rings up to twelve; what is larger is a hole and does not count
    coordination: np.ndarray  # bonds of every atom


@dataclass(frozen=True)
class Construction:
    """Stages in the making of a sheet."""

    points: np.ndarray  # (R, 2), Poisson-disc points, or the lattices of grains [Å]
    relaxed: np.ndarray  # (R, 2), where Lloyd relaxation moves them
    sheet: Sheet  # what comes of it


def read(paths: Sequence[Path | str]) -> dict[int, Sheet]:
    """Read all sheets by their number, and find their bonds and rings."""
    sheets = {}
    for number, (path, structure) in structures.read(paths).items():
        if not np.isclose(*structure.cell_A[:2]) or not (structure.numbers == 6).all():
            raise InputError(f"{path}: structure {number} is no square sheet of carbon")
        sheets[number] = connect(structure.sites, float(structure.cell_A[0]))
    return sheets


def read_making(path: Path | str) -> tuple[graphene.Settings, int]:
    """Read the settings of sheets, and the seed of the whole collection."""
    with sealed.open_to_read(path) as file:
        section, seed = json.loads(file.attrs["settings"]), int(file.attrs["seed"])
    return graphene.Settings.parse(section, "graphene"), seed


def is_disordered(settings: graphene.Settings, seed: np.random.SeedSequence) -> bool:
    """Whether the sheet that a seed gives is none of grains."""
    return not graphene.is_of_grains(settings, np.random.default_rng(_unused(seed)))


def connect(sites: np.ndarray, size_A: float) -> Sheet:
    """Find the bonds and rings of a periodic sheet from the sites in its square."""
    positions = with_surroundings(sites, size_A)
    bonds = find_bonds(positions, 3, _BOND_REACH)
    return Sheet(size_A, positions, bonds, find_rings(positions, bonds))


def with_surroundings(points: np.ndarray, size_A: float) -> np.ndarray:
    """Add the periodic images of points in a margin around the square."""
    shifts = size_A * np.array([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)])
    images = (points[None] + shifts[:, None]).reshape(-1, 2)
    near = (images > -_MARGIN_A) & (images < size_A + _MARGIN_A)
    return images[near.all(axis=1)]


def gather_statistics(sheets: Iterable[Sheet]) -> SheetStatistics:
    """Gather bond lengths, ring sizes and coordination of one sheet or many.

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
    """Share of a sheet's area that no ring covers."""
    corners, rings = _sorted_corners(sheet)
    firsts = np.flatnonzero(np.diff(rings, prepend=-1))
    following = np.arange(1, len(rings) + 1)
    following[np.append(firsts[1:], len(rings)) - 1] = firsts
    # Seen from the centre of its ring, every side spans a triangle.
    x, y = (corners - sheet.rings.centres[rings]).T
    areas_A2 = np.bincount(rings, x * y[following] - y * x[following]) / 2
    return float(1 - areas_A2[sheet.inside(sheet.rings.centres)].sum() / sheet.size_A**2)


def ring_outlines(sheet: Sheet) -> list[np.ndarray]:
    """Corners of every ring by azimuth about its centre, shape (C, 2) each [Å]."""
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
    """Repeat the first stages in the making of a sheet, from its own seed."""
    # The number of steps is drawn after the points: without steps, the same seed gives the points.
    points, relaxed = (
        graphene.ring_centres(one, np.random.default_rng(_unused(seed)))
        for one in (settings.but(lloyd_steps=(0, 0)), settings)
    )
    return Construction(points, relaxed, sheet)


def _unused(seed: np.random.SeedSequence) -> np.random.SeedSequence:
    """Give the seed as it was at first: SciPy spawns from it, and never the same twice."""
    return np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key)
