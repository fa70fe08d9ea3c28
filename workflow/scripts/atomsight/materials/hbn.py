"""Random sheets of hexagonal boron nitride: vacancies, triangular holes, edges, grain boundaries.

A sheet is a flat honeycomb of boron and nitrogen, 1.45 Å apart. Electrons of 80 keV remove boron
about twice as often as nitrogen (arXiv:2303.00497). Holes grow from vacancies of boron to triangles
whose zigzag edges are of nitrogen (C. Jin et al., Phys. Rev. Lett. 102, 195505 (2009); J. C. Meyer
et al., Nano Lett. 9, 2683 (2009)); in a better vacuum they stay round (arXiv:2507.13180), so there
are irregular ones too.

Nitrogen stands out from the background by a quarter to a half more than boron at 80 kV, by two
percent of the incident beam. The potentials are those of neutral atoms; the charge that boron
gives to nitrogen makes the two more alike (J. C. Meyer et al., Nat. Mater. 10, 209 (2011)).
"""

import numpy as np
import scipy

from atomsight.config.section import CountRange, Range, Section, key
from atomsight.files.records import Structure
from atomsight.materials.building import holes, honeycombs, sublattices
from atomsight.materials.building.periodic_waves import PeriodicWaves
from atomsight.materials.building.sublattices import Honeycomb, Sublattice

IN_WORDS = "monolayers of hexagonal BN"
PHANTOM = "monolayer"

#: The lattice constant is that of the bulk [Å].
HONEYCOMB = Honeycomb(
    lattice_A=2.504,
    sublattices=(
        Sublattice("B", ("B",), (0.0,), vacancy_shares=(0.02,)),
        Sublattice("N", ("N",), (0.0,), vacancy_shares=(0.005,)),
    ),
    hole_edges="N",
)

#: Height of the periodic box [Å].
BOX_HEIGHT_A = 4.0

#: Where two grains meet, sites of two elements are at least this far apart, then those of one [Å].
_CROWDED_A = (1.1, 1.5)

#: No two sites are nearer in a finished sheet [Å].
_SHORTEST_DISTANCE_A = 1.1

#: Static displacement of the sites along one axis, standard deviation [Å].
_DISPLACEMENT_A = 0.02


class Settings(Section):
    """What the random sheets of hexagonal boron nitride look like; the classes are B and N."""

    size_A: float = key(43.2, unit="Å", ge=20, le=400)
    """Edge of the square periodic sheet."""
    lattice_A: Range = key((2.47, 2.54), unit="Å", ge=2.2, le=2.8)
    """Lattice constant."""
    grains: CountRange = key((1, 8), ge=1, le=100)
    """Fewest and most grains, few more often than many; one is a single crystal without
    boundaries."""
    max_b_vacancies: float = key(0.06, unit="share of the boron atoms", ge=0, le=0.5)
    """Most boron atoms that are missing."""
    max_n_vacancies: float = key(0.02, unit="share of the nitrogen atoms", ge=0, le=0.5)
    """Most nitrogen atoms that are missing."""
    max_triangles: int = key(4, ge=0, le=100)
    """Triangular holes with edges of nitrogen are drawn from 0 to this number."""
    triangle_radius_A: Range = key((1.0, 5.0), unit="Å", ge=0)
    """Distance of the edges of a triangle from its middle."""
    max_holes: int = key(2, ge=0, le=20)
    """Irregular holes are drawn from 0 to this number."""
    hole_radius_A: Range = key((3.0, 9.0), unit="Å", ge=0)
    """Mean radius of an irregular hole."""
    edge_share: float = key(0.25, ge=0, le=1)
    """Share of the sheets with a strip of vacuum through the box."""
    ripple_A: float = key(0.3, unit="Å", ge=0, le=1)
    """Root mean square height of the ripples."""


def purpose(class_names: list[str]) -> str:
    """Species; there are no other classes than those of :data:`HONEYCOMB`."""
    return sublattices.purpose(HONEYCOMB, class_names)


def atom_count(settings: Settings) -> float:
    """Atoms of a whole sheet."""
    return HONEYCOMB.atoms_per_A2 * settings.size_A**2


def thickness_A(_settings: Settings) -> float:
    """Height of the box [Å]."""
    return BOX_HEIGHT_A


def making_s(settings: Settings) -> float:
    """Time to make a sheet [s]; relaxing it takes most of it."""
    return honeycombs.RELAXATION_S * atom_count(settings)


def make_structure(settings: Settings, rng: np.random.Generator) -> Structure:
    """Make one random sheet."""
    size, lattice_A = settings.size_A, rng.uniform(*settings.lattice_A)
    grains = honeycombs.grain_count(settings.grains, rng)
    sites, is_boron = honeycombs.random_sheet(size, lattice_A, grains, _CROWDED_A, rng)
    stays = _outside_triangles(sites, is_boron, settings, rng)
    sites = (sites + rng.normal(0, _DISPLACEMENT_A, sites.shape)) % size
    stays &= holes.outside_holes(
        sites, size, settings.max_holes, settings.hole_radius_A, settings.edge_share, rng
    )
    of_boron = rng.uniform(0, settings.max_b_vacancies)
    of_nitrogen = rng.uniform(0, settings.max_n_vacancies)
    stays &= rng.uniform(size=len(sites)) >= np.where(is_boron, of_boron, of_nitrogen)
    apart_A = (_SHORTEST_DISTANCE_A, _SHORTEST_DISTANCE_A)
    stays &= honeycombs.uncrowded(sites, is_boron, size, apart_A)
    sites, is_boron = sites[stays], is_boron[stays]
    bonded = honeycombs.bonded_sites(sites, is_boron, size, lattice_A)
    sites, is_boron = sites[bonded], is_boron[bonded]
    ripples = settings.ripple_A * PeriodicWaves.draw(size, 1, rng).values(sites)
    return Structure(
        positions=np.column_stack([sites, BOX_HEIGHT_A / 2 + np.clip(ripples, -1.5, 1.5)]),
        numbers=np.where(is_boron, 5, 7),
        cell_A=np.array([size, size, BOX_HEIGHT_A]),
        sites=sites,
        classes=np.where(is_boron, 1, 2),
    )


def _outside_triangles(
    sites: np.ndarray, is_boron: np.ndarray, settings: Settings, rng: np.random.Generator
) -> np.ndarray:
    """Mark the sites outside triangles around boron atoms, each with edges of nitrogen.

    The edges lie across the bonds of the atom in the middle: there a row of nitrogen comes first.
    """
    size, boron, nitrogen = settings.size_A, sites[is_boron], sites[~is_boron]
    tree = scipy.spatial.cKDTree(nitrogen % size, boxsize=size)
    keep = np.ones(len(sites), dtype=bool)
    for _ in range(rng.integers(0, settings.max_triangles, endpoint=True)):
        middle = boron[rng.integers(len(boron))]
        _, neighbours = tree.query(middle % size, k=3)
        bonds = nitrogen[neighbours] - middle
        bonds -= size * np.round(bonds / size)
        bonds /= np.linalg.norm(bonds, axis=1, keepdims=True)
        apart = sites - middle
        apart -= size * np.round(apart / size)
        keep &= (apart @ bonds.T > rng.uniform(*settings.triangle_radius_A, 3)).any(axis=1)
    return keep
