"""Simulated monolayers whose species are known, to evaluate models on.

None of this comes from the generator of the training's structures; only the facts of the material
do: its lattice, its sublattices, its vacancies. Grains meet along straight lines from one point,
turned against each other by angles at which their lattices coincide in part; of several positions
of the grains the one that fits best is relaxed. A hole has straight edges along the zigzag rows.
Vacancies are numbered, drawn without replacement, and listed.

The sheet ends just inside its box, which is to be larger than the field of view.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from ase.data import atomic_numbers
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from atomsight.config.phantoms import MonolayerSettings
from atomsight.errors import InputError
from atomsight.files.records import Structure
from atomsight.materials.building.sublattices import Honeycomb
from atomsight.phantoms.coincidence_grains import RIM_A, Grains, draw_grains, fitting_grains
from atomsight.phantoms.honeycomb_forces import length_scale, relax

REGIONS = ("bulk", "edge", "boundary", "beside_vacancy")

#: Free space above and below the sheet [Å].
_HEADROOM_A = 2.0

#: Most steps of the relaxation after atoms were taken out.
_RELAXATION_STEPS = 50

#: Sites nearer than this to an edge, a boundary or a vacancy belong to its region, in MoS2 [Å].
_EDGE_A, _BOUNDARY_A, _BESIDE_A = 2.6, 3.2, 2.2

#: Bonds are at most this long [lattice constants].
_BOND = 0.77


@dataclass(frozen=True)
class MonolayerSpecimen:
    """A sheet in its box.

    Attributes
    ----------
    structure : Structure
        All atoms. Its classes are 1 plus the index of a site's species in the class names of the
        material.
    sites : DataFrame
        ``x_A, y_A`` in the box, the mean projected position of the site's atoms [Å]; ``species``;
        ``region``, one of :data:`REGIONS`. A site that lacks an atom is in the region that it would
        be in if whole; ``beside_vacancy`` are its neighbours.
    vacancies : DataFrame
        ``x_A, y_A`` [Å] and the name of what is missing there (``missing``).
    below_A : float
        Distance of the last atom from the face where the beam leaves the box [Å].
    """

    structure: Structure
    sites: pd.DataFrame
    vacancies: pd.DataFrame
    below_A: float


def make_monolayer(
    honeycomb: Honeycomb, settings: MonolayerSettings, rng: np.random.Generator | None = None
) -> MonolayerSpecimen:
    """Make a sheet of a material.

    A generator goes before the settings' seed. Raises InputError if the box is too small, the hole
    leaves nothing, or the material has no such vacancies.
    """
    rng = np.random.default_rng(settings.seed) if rng is None else rng
    lattice_A = settings.lattice_A or honeycomb.lattice_A
    grains = draw_grains(settings.grain_count, settings.size_A, rng)
    sites, is_first = fitting_grains(grains, settings.size_A, lattice_A, rng)
    beyond_edge = _distance_from_edges(sites, honeycomb, settings, grains, rng)
    kept = np.flatnonzero(beyond_edge > 0)
    kept = kept[_bonded(sites[kept], is_first[kept], lattice_A)]
    sites, is_first = sites[kept], is_first[kept]
    if not (is_first.any() and (~is_first).any()):
        raise InputError(
            f"monolayer: no sheet fits into a box of {settings.size_A[0]:g} × "
            f"{settings.size_A[1]:g} Å; make size_A larger or hole_radius_A smaller"
        )
    scale = length_scale(lattice_A)
    at_edge = beyond_edge[kept] < _EDGE_A * scale
    missing = _missing_atoms(is_first, at_edge, honeycomb, settings, rng)
    held = missing < _whole(honeycomb, is_first)
    places = sites.copy()
    places[held] = relax(sites[held], is_first[held], lattice_A, _RELAXATION_STEPS)
    region = _regions(places, at_edge, missing, grains, scale)
    return _in_box(places, is_first, missing, region, honeycomb, settings, rng)


def _bonded(sites: np.ndarray, is_first: np.ndarray, lattice_A: float) -> np.ndarray:
    """Indices of the sites that stay when those with fewer than two bonds go, again and again."""
    pairs = cKDTree(sites).query_pairs(_BOND * lattice_A, output_type="ndarray")
    bonds = pairs[is_first[pairs[:, 0]] != is_first[pairs[:, 1]]]
    stays = np.ones(len(sites), dtype=bool)
    while True:
        held = np.bincount(bonds[stays[bonds].all(axis=1)].ravel(), minlength=len(sites)) >= 2
        if (held | ~stays).all():
            return np.flatnonzero(stays)
        stays &= held


def _distance_from_edges(
    sites: np.ndarray,
    honeycomb: Honeycomb,
    settings: MonolayerSettings,
    grains: Grains,
    rng: np.random.Generator,
) -> np.ndarray:
    """Distance of sites from the hole and from the sheet's end, negative in the hole [Å]."""
    size_A = np.asarray(settings.size_A)
    rim = np.minimum(sites, size_A - sites).min(axis=1) - RIM_A
    middle = size_A / 2 + rng.uniform(0.1, 0.22, 2) * rng.choice([-1, 1], 2) * size_A
    reaches = settings.hole_radius_A * rng.uniform(0.6, 1.4, 6)
    if settings.hole_radius_A == 0:
        return rim
    turn = grains.turns_rad[grains.sector(middle[None])[0]]
    normals = turn + np.pi / 6 + np.pi / 3 * np.arange(6)
    across = (sites - middle) @ np.stack([np.cos(normals), np.sin(normals)])
    # Seen from the hole, an even edge ends with the second sublattice, an odd one with the first.
    ends = [honeycomb.sublattices[1 - edge % 2].symbol for edge in range(6)]
    edges = [edge for edge in range(6) if honeycomb.hole_edges in (None, ends[edge])]
    return np.minimum(rim, (across - reaches)[:, edges].max(axis=1))


def _whole(honeycomb: Honeycomb, is_first: np.ndarray) -> np.ndarray:
    """Number of atoms of every site when none is missing."""
    first, second = (len(one.heights_A) for one in honeycomb.sublattices)
    return np.where(is_first, first, second)


def _named(honeycomb: Honeycomb, is_first: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    """Names of so many atoms of every site; empty where there are none."""
    names = np.full((2, 1 + max(len(one.classes) for one in honeycomb.sublattices)), "", object)
    for row, sublattice in zip(names, honeycomb.sublattices, strict=True):
        row[1 : 1 + len(sublattice.classes)] = sublattice.classes
    return names[np.where(is_first, 0, 1), atoms]


def _missing_atoms(
    is_first: np.ndarray,
    at_edge: np.ndarray,
    honeycomb: Honeycomb,
    settings: MonolayerSettings,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw how many atoms are missing in every site; the numbers of vacancies are exact."""
    _check_vacancies(honeycomb, settings)
    missing = np.zeros(len(is_first), dtype=int)
    for sublattice, chosen in zip(honeycomb.sublattices[::-1], (~is_first, is_first), strict=True):
        sites = rng.permutation(np.flatnonzero(chosen))
        start = 0
        for lost in range(len(sublattice.classes), 0, -1):
            name, share = sublattice.classes[lost - 1], sublattice.vacancy_shares[lost - 1]
            stop = start + round(settings.vacancy_shares.get(name, share) * len(sites))
            missing[sites[start:stop]] = lost
            start = stop
        edge = sites[at_edge[sites] & (missing[sites] == 0)]
        share = sublattice.edge_vacancy_share
        share = settings.edge_vacancy_shares.get(sublattice.classes[0], share)
        missing[edge[: round(share * len(edge))]] = 1
    return missing


def _check_vacancies(honeycomb: Honeycomb, settings: MonolayerSettings) -> None:
    known = honeycomb.class_names
    at_edges = tuple(one.classes[0] for one in honeycomb.sublattices)
    for key, allowed in (("vacancy_shares", known), ("edge_vacancy_shares", at_edges)):
        for name in getattr(settings, key):
            if name not in allowed:
                raise InputError(
                    f"monolayer.{key}: the material has no vacancies {name!r}; it has "
                    f"{', '.join(allowed)}"
                )


def _regions(
    places: np.ndarray, at_edge: np.ndarray, missing: np.ndarray, grains: Grains, scale: float
) -> np.ndarray:
    """Region of every site."""
    vacancies = np.flatnonzero(missing)
    region = np.full(len(places), "bulk", dtype="<U14")
    if len(vacancies):
        # The nearest vacancy is the site itself where it is one; then it is the next that counts.
        found, _ = cKDTree(places[vacancies]).query(places, k=[1, 2])
        beside = np.where(missing > 0, found[:, 1], found[:, 0]) < _BESIDE_A * scale
        region[beside] = "beside_vacancy"
    region[grains.distance_A(places) < _BOUNDARY_A * scale] = "boundary"
    region[at_edge] = "edge"
    return region


def _in_box(
    places: np.ndarray,
    is_first: np.ndarray,
    missing: np.ndarray,
    region: np.ndarray,
    honeycomb: Honeycomb,
    settings: MonolayerSettings,
    rng: np.random.Generator,
) -> MonolayerSpecimen:
    """Give the sites their atoms on a rippled and tilted surface, and note what is where."""
    surface = Surface.draw(settings, rng)
    left = _whole(honeycomb, is_first) - missing
    column, height_A = _atoms_of_sites(honeycomb, is_first, left, rng)
    positions = surface.place(places[column], height_A)
    lowest_A = positions[:, 2].min() - _HEADROOM_A
    positions[:, 2] -= lowest_A

    atoms = np.maximum(np.bincount(column, minlength=len(places)), 1)
    seen = [np.bincount(column, axis, len(places)) / atoms for axis in positions[:, :2].T]
    held = left > 0
    sites = pd.DataFrame(np.stack(seen, axis=1)[held], columns=["x_A", "y_A"])
    sites["species"] = _named(honeycomb, is_first, left)[held]
    sites["region"] = region[held].astype(object)
    vacant = missing > 0
    vacancies = surface.place(places[vacant], np.zeros(vacant.sum()))[:, :2]
    vacancies = pd.DataFrame(vacancies, columns=["x_A", "y_A"])
    vacancies["missing"] = _named(honeycomb, is_first, missing)[vacant]
    first, second = (atomic_numbers[one.symbol] for one in honeycomb.sublattices)
    structure = Structure(
        positions=positions,
        numbers=np.where(is_first[column], first, second),
        cell_A=np.array([*settings.size_A, positions[:, 2].max() + _HEADROOM_A]),
        sites=sites[["x_A", "y_A"]].to_numpy(),
        classes=1 + sites["species"].map(honeycomb.class_names.index).to_numpy(),
    )
    return MonolayerSpecimen(structure, sites, vacancies, below_A=_HEADROOM_A)


def _atoms_of_sites(
    honeycomb: Honeycomb, is_first: np.ndarray, left: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Site and height above the middle of the sheet of every atom; of two, either may be left."""
    column, height_A = [], []
    for sublattice, chosen in zip(honeycomb.sublattices, (is_first, ~is_first), strict=True):
        heights = sublattice.heights_A
        whole = np.flatnonzero(chosen & (left == len(heights)))
        single = np.flatnonzero(chosen & (left > 0) & (left < len(heights)))
        column += [*[whole] * len(heights), single]
        height_A += [np.full(len(whole), height) for height in reversed(heights)]
        height_A.append(rng.choice(heights, len(single)))
    return np.concatenate(column), np.concatenate(height_A)


@dataclass(frozen=True)
class Surface:
    """The middle of a sheet: long ripples, and a tilt as a whole."""

    vectors: np.ndarray  # angular wave vectors of the ripples, shape (W, 2) [rad/Å]
    phases: np.ndarray
    amplitude_A: float
    middle_A: np.ndarray  # point about which the sheet is tilted
    tilt: Rotation

    @classmethod
    def draw(cls, settings: MonolayerSettings, rng: np.random.Generator) -> "Surface":
        """Draw the surface of a sheet."""
        directions, wavelengths_A = rng.uniform(0, 2 * np.pi, 6), rng.uniform(25, 70, 6)
        directions = np.stack([np.cos(directions), np.sin(directions)], axis=1)
        azimuth = rng.uniform(0, 2 * np.pi)
        axis = np.deg2rad(settings.tilt_deg) * np.array([np.cos(azimuth), np.sin(azimuth), 0])
        return cls(
            vectors=2 * np.pi / wavelengths_A[:, None] * directions,
            phases=rng.uniform(0, 2 * np.pi, 6),
            amplitude_A=settings.ripple_A * np.sqrt(2 / 6),
            middle_A=np.asarray(settings.size_A) / 2,
            tilt=Rotation.from_rotvec(axis),
        )

    def place(self, points: np.ndarray, height_A: np.ndarray) -> np.ndarray:
        """Positions of atoms at points ``(x, y)`` of the flat sheet, so high along its normal."""
        angles = points @ self.vectors.T + self.phases
        middle = np.column_stack([points - self.middle_A, self.amplitude_A * np.sin(angles).sum(1)])
        slope = self.amplitude_A * np.cos(angles) @ self.vectors
        normal = np.column_stack([-slope, np.ones(len(points))])
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        tilted = self.tilt.apply(middle + height_A[:, None] * normal)
        return tilted + np.append(self.middle_A, 0)
