"""Simulated monolayers of MoS2 whose species are known, to evaluate models on.

None of this comes from the generator of the training's structures. Grains meet along straight lines
from one point, turned against each other by angles at which their lattices coincide in part; of
several positions of the grains the one that fits best is relaxed. A hole has straight edges along
the zigzag rows. Vacancies are numbered, drawn without replacement, and listed.

The sheet ends just inside its box, which is to be larger than the field of view.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from atomsight.errors import InputError
from atomsight.files.records import Structure
from atomsight.phantoms.coincidence_grains import RIM_A, Grains, draw_grains, fitting_grains
from atomsight.phantoms.honeycomb_forces import relax

#: What a site can be, in the order of the classes from 1 on.
SPECIES = ("Mo", "S2", "S")

REGIONS = ("bulk", "edge", "boundary", "beside_vacancy")

#: Half the distance of the two layers of sulfur [Å].
_LAYER_A = 1.56

#: Free space above and below the sheet [Å].
_HEADROOM_A = 2.0

#: Most steps of the relaxation after atoms were taken out.
_RELAXATION_STEPS = 50

#: Sites nearer than this to an edge, a boundary or a vacancy belong to its region [Å].
_EDGE_A, _BOUNDARY_A, _BESIDE_A = 2.6, 3.2, 2.2

#: Bonds are at most this long [lattice constants].
_BOND = 0.77


@dataclass(frozen=True)
class MonolayerSettings:
    """A simulated sheet of MoS2.

    Attributes
    ----------
    size_A : tuple of 2 floats
        Edges ``(x, y)`` of the box, larger than the field of view [Å].
    lattice_A : float
        Lattice constant [Å].
    grain_count : int
        Number of grains, which meet in one point near the middle.
    single_vacancy_share : float
        Share of the sulfur columns that have lost one atom.
    double_vacancy_share : float
        Share of the sulfur columns that have lost both.
    mo_vacancy_share : float
        Share of the molybdenum atoms that are missing.
    edge_single_share : float
        Share of the sulfur columns at edges that have lost one atom, besides.
    hole_radius_A : float
        Mean distance of a hole's edges from its middle [Å]; 0 for none.
    ripple_A : float
        Root mean square height of the ripples [Å].
    tilt_deg : float
        Angle between the sheet's normal and the beam [°]; the direction is random.
    seed : int
        Seed of everything random in the specimen.
    """

    size_A: tuple[float, float] = (72.0, 72.0)
    lattice_A: float = 3.165
    grain_count: int = 2
    single_vacancy_share: float = 0.05
    double_vacancy_share: float = 0.01
    mo_vacancy_share: float = 0.005
    edge_single_share: float = 0.25
    hole_radius_A: float = 8.0
    ripple_A: float = 0.2
    tilt_deg: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class MonolayerSpecimen:
    """A sheet in its box.

    Attributes
    ----------
    structure : Structure
        All atoms. Its classes are 1 plus the index of a site's species in :data:`SPECIES`.
    sites : DataFrame
        ``x_A, y_A`` in the box, the mean projected position of the site's atoms [Å]; ``species``,
        one of :data:`SPECIES`; ``region``, one of :data:`REGIONS`. A single S is in the region that
        its column would be in; ``beside_vacancy`` are its neighbours.
    vacancies : DataFrame
        ``x_A, y_A`` [Å] and what is missing there (``missing``: ``S``, ``S2`` or ``Mo``).
    below_A : float
        Distance of the last atom from the face where the beam leaves the box [Å].
    """

    structure: Structure
    sites: pd.DataFrame
    vacancies: pd.DataFrame
    below_A: float


def make_monolayer(
    settings: MonolayerSettings, rng: np.random.Generator | None = None
) -> MonolayerSpecimen:
    """Make a sheet.

    Parameters
    ----------
    settings : MonolayerSettings
        What it looks like.
    rng : numpy.random.Generator, optional
        Source of randomness, in place of the settings' seed.

    Returns
    -------
    MonolayerSpecimen
        The sheet.

    Raises
    ------
    InputError
        If the box is too small, or the hole leaves nothing.
    """
    rng = np.random.default_rng(settings.seed) if rng is None else rng
    grains = draw_grains(settings.grain_count, settings.size_A, rng)
    sites, is_mo = fitting_grains(grains, settings.size_A, settings.lattice_A, rng)
    beyond_edge = _distance_from_edges(sites, settings, grains, rng)
    kept = np.flatnonzero(beyond_edge > 0)
    kept = kept[_bonded(sites[kept], is_mo[kept], settings.lattice_A)]
    sites, is_mo = sites[kept], is_mo[kept]
    if not (is_mo.any() and (~is_mo).any()):
        raise InputError(
            f"monolayer: no sheet fits into a box of {settings.size_A[0]:g} × "
            f"{settings.size_A[1]:g} Å; make size_A larger or hole_radius_A smaller"
        )
    at_edge = beyond_edge[kept] < _EDGE_A
    missing = _missing_atoms(is_mo, at_edge, settings, rng)
    gone = np.where(is_mo, missing > 0, missing > 1)
    places = sites.copy()
    places[~gone] = relax(sites[~gone], is_mo[~gone], settings.lattice_A, _RELAXATION_STEPS)
    region = _regions(places, at_edge, missing, grains)
    return _in_box(places, is_mo, missing, region, settings, rng)


def _bonded(sites: np.ndarray, is_mo: np.ndarray, lattice_A: float) -> np.ndarray:
    """Indices of the sites that stay when those with fewer than two bonds go, again and again."""
    pairs = cKDTree(sites).query_pairs(_BOND * lattice_A, output_type="ndarray")
    bonds = pairs[is_mo[pairs[:, 0]] != is_mo[pairs[:, 1]]]
    stays = np.ones(len(sites), dtype=bool)
    while True:
        held = np.bincount(bonds[stays[bonds].all(axis=1)].ravel(), minlength=len(sites)) >= 2
        if (held | ~stays).all():
            return np.flatnonzero(stays)
        stays &= held


def _distance_from_edges(
    sites: np.ndarray, settings: MonolayerSettings, grains: Grains, rng: np.random.Generator
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
    return np.minimum(rim, (across - reaches).max(axis=1))


def _missing_atoms(
    is_mo: np.ndarray, at_edge: np.ndarray, settings: MonolayerSettings, rng: np.random.Generator
) -> np.ndarray:
    """Draw how many atoms are missing in every site; the numbers of vacancies are exact."""
    missing = np.zeros(len(is_mo), dtype=int)
    sulfur, mo = rng.permutation(np.flatnonzero(~is_mo)), rng.permutation(np.flatnonzero(is_mo))
    doubles = round(settings.double_vacancy_share * len(sulfur))
    singles = round(settings.single_vacancy_share * len(sulfur))
    missing[sulfur[:doubles]] = 2
    missing[sulfur[doubles : doubles + singles]] = 1
    missing[mo[: round(settings.mo_vacancy_share * len(mo))]] = 1
    edge = sulfur[at_edge[sulfur] & (missing[sulfur] == 0)]
    missing[edge[: round(settings.edge_single_share * len(edge))]] = 1
    return missing


def _regions(
    places: np.ndarray, at_edge: np.ndarray, missing: np.ndarray, grains: Grains
) -> np.ndarray:
    """Region of every site."""
    vacancies = np.flatnonzero(missing)
    region = np.full(len(places), "bulk", dtype="<U14")
    if len(vacancies):
        # The nearest vacancy is the site itself where it is one; then it is the next that counts.
        found, _ = cKDTree(places[vacancies]).query(places, k=[1, 2])
        beside = np.where(missing > 0, found[:, 1], found[:, 0]) < _BESIDE_A
        region[beside] = "beside_vacancy"
    region[grains.distance_A(places) < _BOUNDARY_A] = "boundary"
    region[at_edge] = "edge"
    return region


def _in_box(
    places: np.ndarray,
    is_mo: np.ndarray,
    missing: np.ndarray,
    region: np.ndarray,
    settings: MonolayerSettings,
    rng: np.random.Generator,
) -> MonolayerSpecimen:
    """Give the sites their atoms on a rippled and tilted surface, and note what is where."""
    surface = Surface.draw(settings, rng)
    species = np.where(is_mo, "Mo", np.where(missing == 1, "S", "S2"))
    held = np.where(is_mo, missing == 0, missing < 2)
    mo, pair, single = (np.flatnonzero(held & (species == one)) for one in SPECIES)
    side = rng.choice([-1, 1], len(single))
    column = np.concatenate([mo, pair, pair, single])
    layer = np.concatenate([0 * mo, 0 * pair + 1, 0 * pair - 1, side])
    positions = surface.place(places[column], layer * _LAYER_A)
    lowest_A = positions[:, 2].min() - _HEADROOM_A
    positions[:, 2] -= lowest_A

    atoms = np.maximum(np.bincount(column, minlength=len(places)), 1)
    seen = [np.bincount(column, axis, len(places)) / atoms for axis in positions[:, :2].T]
    sites = pd.DataFrame(np.stack(seen, axis=1)[held], columns=["x_A", "y_A"])
    sites["species"], sites["region"] = species[held].astype(object), region[held].astype(object)
    vacant = missing > 0
    vacancies = surface.place(places[vacant], np.zeros(vacant.sum()))[:, :2]
    vacancies = pd.DataFrame(vacancies, columns=["x_A", "y_A"])
    vacancies["missing"] = np.where(is_mo, "Mo", np.where(missing == 2, "S2", "S"))[vacant]
    height_A = positions[:, 2].max() + _HEADROOM_A
    structure = Structure(
        positions=positions,
        numbers=np.where(is_mo[column], 42, 16),
        cell_A=np.array([*settings.size_A, height_A]),
        sites=sites[["x_A", "y_A"]].to_numpy(),
        classes=1 + sites["species"].map(SPECIES.index).to_numpy(),
    )
    return MonolayerSpecimen(structure, sites, vacancies, below_A=_HEADROOM_A)


@dataclass(frozen=True)
class Surface:
    """The middle layer of a sheet: long ripples, and a tilt as a whole.

    Attributes
    ----------
    vectors : ndarray of shape (W, 2)
        Angular wave vectors of the ripples [rad/Å].
    phases : ndarray of shape (W,)
        Their phases [rad].
    amplitude_A : float
        Their amplitude [Å].
    middle_A : ndarray of shape (2,)
        Point about which the sheet is tilted [Å].
    tilt : Rotation
        The tilt.
    """

    vectors: np.ndarray
    phases: np.ndarray
    amplitude_A: float
    middle_A: np.ndarray
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
        """Positions of atoms.

        Parameters
        ----------
        points : ndarray of shape (N, 2)
            Where on the flat sheet they are [Å].
        height_A : ndarray of shape (N,)
            How far above the middle layer, along its normal [Å].

        Returns
        -------
        ndarray of shape (N, 3)
            Positions ``(x, y, z)`` [Å].
        """
        angles = points @ self.vectors.T + self.phases
        middle = np.column_stack([points - self.middle_A, self.amplitude_A * np.sin(angles).sum(1)])
        slope = self.amplitude_A * np.cos(angles) @ self.vectors
        normal = np.column_stack([-slope, np.ones(len(points))])
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        tilted = self.tilt.apply(middle + height_A[:, None] * normal)
        return tilted + np.append(self.middle_A, 0)
