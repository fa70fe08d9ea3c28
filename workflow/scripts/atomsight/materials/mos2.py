"""Random sheets of molybdenum disulfide (2H): grains, boundaries, vacancies, holes and edges.

Seen along the beam the sheet is a honeycomb. One half of its sites are molybdenum atoms, the other
half two sulfur atoms on top of each other; where one of the two is missing, a single sulfur atom is
left. A sheet is one crystal that fits its periodic box, or several grains: the Voronoi cells, with
wavy borders, of random points. Where grains meet, crowded sites go and springs between neighbours
close the ranks. Holes and strips of vacuum end the sheet along smooth random outlines.
"""

import numpy as np

from atomsight.config.section import CountRange, Range, Section, key
from atomsight.files.records import Structure
from atomsight.materials.building import holes, honeycombs, sublattices
from atomsight.materials.building.periodic_waves import PeriodicWaves
from atomsight.materials.building.sublattices import Honeycomb, Sublattice

IN_WORDS = "monolayers of MoS₂"
PHANTOM = "monolayer"

#: Distance of the two layers of sulfur [Å].
LAYER_DISTANCE_A = 3.12

#: The species are Mo, two S atoms on top of each other (S2) and one (S).
HONEYCOMB = Honeycomb(
    lattice_A=3.165,
    sublattices=(
        Sublattice("Mo", ("Mo",), (0.0,), vacancy_shares=(0.005,)),
        Sublattice(
            "S",
            ("S", "S2"),
            (-LAYER_DISTANCE_A / 2, LAYER_DISTANCE_A / 2),
            vacancy_shares=(0.05, 0.01),
            edge_vacancy_share=0.25,
        ),
    ),
)

#: Classes of the sites, in the order of ``HONEYCOMB.class_names``.
MOLYBDENUM, SULFUR_PAIR, SINGLE_SULFUR = 1, 2, 3

#: Height of the periodic box [Å].
BOX_HEIGHT_A = 7.0

#: No two sites are nearer in a finished sheet [Å].
SHORTEST_DISTANCE_A = 1.25

#: Where two grains meet, sites of two elements are at least this far apart, then those of one [Å].
_CROWDED_A = (1.35, 1.8)

#: Sulfur columns with a neighbour missing lose one atom with at most this probability.
_MAX_LOOSE_SINGLES = 0.5

#: Static displacement of the sites along one axis, standard deviation [Å].
_DISPLACEMENT_A = 0.03


class Settings(Section):
    """What the random sheets of molybdenum disulfide look like.

    The classes are Mo, S2 (two sulfur atoms on top of each other) and S (one), in this order.
    """

    size_A: float = key(43.2, unit="Å", ge=20, le=400)
    """Edge of the square periodic sheet."""
    lattice_A: Range = key((3.13, 3.2), unit="Å", ge=2.8, le=3.6)
    """Lattice constant."""
    grains: CountRange = key((1, 8), ge=1, le=100)
    """Fewest and most grains, few more often than many; one is a single crystal without
    boundaries."""
    max_single_vacancies: float = key(0.15, unit="share of the sulfur columns", ge=0, le=1)
    """Most sulfur columns that lose one of their two atoms; at edges more do."""
    max_double_vacancies: float = key(0.03, unit="share of the sulfur columns", ge=0, le=0.5)
    """Most sulfur columns that lose both atoms."""
    max_mo_vacancies: float = key(0.02, unit="share of the molybdenum atoms", ge=0, le=0.5)
    """Most molybdenum atoms that are missing."""
    max_holes: int = key(3, ge=0, le=20)
    """Holes are drawn from 0 to this number."""
    hole_radius_A: Range = key((3.0, 9.0), unit="Å", ge=0)
    """Mean radius of a hole."""
    edge_share: float = key(0.25, ge=0, le=1)
    """Share of the sheets with a strip of vacuum through the box."""
    ripple_A: float = key(0.3, unit="Å", ge=0, le=1)
    """Root mean square height of the ripples; where the sheet slopes, the two sulfur atoms of a
    column come apart in projection."""
    tilt_deg: Range = key((0, 3), unit="°", ge=0, le=30)
    """Angle between the sheet's normal and the beam."""


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
    sites, is_mo = honeycombs.random_sheet(size, lattice_A, grains, _CROWDED_A, rng)
    sites = (sites + rng.normal(0, _DISPLACEMENT_A, sites.shape)) % size
    stays = holes.outside_holes(
        sites, size, settings.max_holes, settings.hole_radius_A, settings.edge_share, rng
    )
    stays &= ~_missing_columns(is_mo, settings, rng)
    stays &= honeycombs.uncrowded(sites, is_mo, size, (SHORTEST_DISTANCE_A, SHORTEST_DISTANCE_A))
    sites, is_mo = sites[stays], is_mo[stays]
    bonded = honeycombs.bonded_sites(sites, is_mo, size, lattice_A)
    sites, is_mo = sites[bonded], is_mo[bonded]
    is_single = _lost_sulfur(sites, is_mo, lattice_A, settings, rng)
    return _raised(sites, np.where(is_mo, 1, 2 + is_single), settings, rng)


def _missing_columns(is_mo: np.ndarray, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Mark the columns that are missing altogether."""
    of_sulfur = rng.uniform(0, settings.max_double_vacancies)
    of_mo = rng.uniform(0, settings.max_mo_vacancies)
    return rng.uniform(size=len(is_mo)) < np.where(is_mo, of_mo, of_sulfur)


def _lost_sulfur(
    sites: np.ndarray,
    is_mo: np.ndarray,
    lattice_A: float,
    settings: Settings,
    rng: np.random.Generator,
) -> np.ndarray:
    """Mark the sulfur columns that have lost one of their two atoms.

    Those with a neighbour missing, at edges and beside vacancies, lose one more readily.
    """
    share = rng.uniform(0, settings.max_single_vacancies)
    loose = honeycombs.bond_counts(sites, is_mo, settings.size_A, lattice_A) < 3
    share = np.where(loose, max(share, rng.uniform(0, _MAX_LOOSE_SINGLES)), share)
    return ~is_mo & (rng.uniform(size=len(sites)) < share)


def _raised(
    sites: np.ndarray, classes: np.ndarray, settings: Settings, rng: np.random.Generator
) -> Structure:
    """Give the sites their atoms in three layers, on a rippled and tilted sheet.

    The sheet as a whole stays level, for it must be periodic: a tilt slants the pairs of sulfur
    atoms, which is all that an image of this size shows of it. A site is the mean projected
    position of its atoms.
    """
    waves, azimuth = PeriodicWaves.draw(settings.size_A, 1, rng), rng.uniform(0, 2 * np.pi)
    tilt = np.tan(np.deg2rad(rng.uniform(*settings.tilt_deg)))
    slope = settings.ripple_A * waves.slopes(sites)[:, 0]
    slope += tilt * np.array([np.cos(azimuth), np.sin(azimuth)])
    height = np.clip(settings.ripple_A * waves.values(sites), -1.5, 1.5) + BOX_HEIGHT_A / 2
    normal = np.column_stack([-slope, np.ones(len(sites))])
    normal *= LAYER_DISTANCE_A / 2 / np.linalg.norm(normal, axis=1, keepdims=True)
    middle = np.column_stack([sites, height])
    layer = np.where(classes == SINGLE_SULFUR, rng.choice([-1, 1], len(sites)), 0)
    columns = middle + layer[:, None] * normal
    mo, pairs, singles = (classes == one for one in (MOLYBDENUM, SULFUR_PAIR, SINGLE_SULFUR))
    both = [(middle + side * normal)[pairs] for side in (-1, 1)]
    positions = np.concatenate([middle[mo], *both, columns[singles]])
    positions[:, :2] %= settings.size_A
    return Structure(
        positions=positions,
        numbers=np.repeat([42, 16], [mo.sum(), len(positions) - mo.sum()]),
        cell_A=np.array([settings.size_A, settings.size_A, BOX_HEIGHT_A]),
        sites=columns[:, :2] % settings.size_A,
        classes=classes,
    )
