"""Random graphene-like sheets: connected, three-coordinated, disordered or of rotated grains.

For disordered sheets the paper (section 3.1) takes the vertices of a Voronoi tessellation of
Poisson-disc points as atoms. Here the points are the centres of carbon rings. Their Delaunay
triangulation is the dual of the Voronoi tessellation: every triangle is one Voronoi vertex, hence
one atom with exactly three neighbours. The atoms start in the centroids of the triangles, which
unlike the vertices never fall together. Holes are cut, and springs between neighbours and second
neighbours pull what is left to the distances of carbon. The sheet is periodic.

In a sheet of grains the centres of rings are triangular lattices in random orientations: one that
fits the periodic box, strained by up to 2.5 %, or one in each of the Voronoi cells, with wavy
borders, of random points. Where grains meet, one of two centres that are too close goes, and the
same triangulation closes the boundary with pentagons and heptagons. Defects, holes, strain and
covers are those of disordered sheets.
"""

import numpy as np
import scipy

from atomsight.config.section import CountRange, Range, Section, key
from atomsight.files.records import Structure
from atomsight.materials.building import covers, honeycombs
from atomsight.materials.building.carbon_springs import BOND_A, bend_twofold, relax_springs

IN_WORDS = "graphene"
PHANTOM = "sheet"

#: Distance of second neighbours in graphene [Å].
SECOND_NEIGHBOUR_A = BOND_A * np.sqrt(3)

#: No two atoms are closer than this [Å].
SHORTEST_BOND_A = 1.15

#: Area of one hexagon of graphene [Å²].
RING_AREA_A2 = BOND_A**2 * 3 * np.sqrt(3) / 2

#: Height of the periodic box [Å].
BOX_HEIGHT_A = 4.0

#: Relaxing a sheet, making it disordered, and a step of Lloyd relaxation, for every atom [s].
_RELAXATION_S, _DISORDER_S, _LLOYD_STEP_S = 4e-5, 1e-4, 1e-5

#: Poisson-disc points fill the plane to about this density times radius squared.
_DISC_PACKING = 0.52

#: Where two grains meet, centres of rings are at least this far apart [lattice constants]; smaller
#: gaps crush the bonds of a boundary, wider ones stretch them.
_CROWDED_RINGS = 0.57

#: No triangle of the rings' triangulation is wider than this [Å].
_WIDEST_RING_DISTANCE_A = 9.0


class Settings(Section):
    """What the random graphene-like sheets look like."""

    size_A: float = key(43.2, unit="Å", ge=20, le=400)
    """Edge of the square periodic sheet."""
    lloyd_steps: CountRange = key((5, 60), ge=0)
    """Fewest and most steps of Lloyd relaxation of a disordered sheet; many steps give crystalline
    patches."""
    grain_share: float = key(0.4, unit="share of the sheets", ge=0, le=1)
    """Sheets of rotated grains; the others are disordered."""
    grains: CountRange = key((1, 8), ge=1, le=100)
    """Fewest and most grains of such a sheet, few more often than many; one is a single crystal
    without boundaries."""
    density_variation: float = key(0.04, unit="relative", ge=0, le=0.2)
    """Half-width of the range of the density of rings, for strain."""
    max_defects: float = key(0.05, unit="share of the atoms", ge=0, le=0.2)
    """Most coordination defects of each kind: atoms added on a bond, merged with a neighbour, taken
    out. The share is drawn from 0 to this for each kind."""
    max_holes: int = key(4, ge=0, le=20)
    """Holes are drawn from 0 to this number."""
    hole_radius_A: Range = key((3.0, 9.0), unit="Å", ge=0)
    """Mean radius of a hole."""
    ripple_A: float = key(0.3, unit="Å", ge=0, le=1)
    """Standard deviation of the out-of-plane displacement."""
    covered_share: float = key(0, unit="share of the sheets", ge=0, le=1)
    """Sheets that lie under amorphous residue or further layers in part; what is covered is
    background."""
    residue_A: Range = key((3.0, 12.0), unit="Å", ge=0)
    """Thickness of the residue."""


def purpose(_class_names: list[str]) -> str:
    """Atoms, whatever their class is called."""
    return "atoms"


def atom_count(settings: Settings) -> float:
    """Atoms of a sheet without holes: two for every ring."""
    return 2 * settings.size_A**2 / RING_AREA_A2


def thickness_A(settings: Settings) -> float:
    """Height of the box, which grows with what covers the sheet [Å]."""
    return BOX_HEIGHT_A + settings.covered_share * float(np.mean(settings.residue_A))


def making_s(settings: Settings) -> float:
    """Time to make a sheet [s]; disordered ones take most of it."""
    disorder_s = _DISORDER_S + _LLOYD_STEP_S * float(np.mean(settings.lloyd_steps))
    return atom_count(settings) * (_RELAXATION_S + (1 - settings.grain_share) * disorder_s)


def make_structure(settings: Settings, rng: np.random.Generator) -> Structure:
    """Make one random sheet; every atom that nothing covers is a site of class 1."""
    size = settings.size_A
    rings = ring_centres(settings, rng)
    atoms, bonds = dual_network(rings, size)
    atoms, bonds = coordination_defects(atoms, bonds, settings, rng)
    atoms, bonds = bonded_atoms(atoms, bonds, outside_holes(atoms, settings, rng))
    atoms = bend_twofold(relax_springs(atoms, bonds, size, rng), bonds, size, rng)
    atoms = drop_crowded(atoms, size)
    atoms = prune_dangling(atoms, size)
    height = BOX_HEIGHT_A / 2 + settings.ripple_A * rng.standard_normal(len(atoms))
    sheet = Structure(
        positions=np.column_stack([atoms, np.clip(height, 0.5, BOX_HEIGHT_A - 0.5)]),
        numbers=np.full(len(atoms), 6),
        cell_A=np.array([size, size, BOX_HEIGHT_A]),
        sites=atoms,
        classes=np.ones(len(atoms), dtype=int),
    )
    if settings.covered_share and rng.random() < settings.covered_share:
        return covers.cover(sheet, settings.residue_A, rng)
    return sheet


def ring_centres(settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Centres of rings of a sheet of either kind, shape (R, 2) [Å]."""
    if is_of_grains(settings, rng):
        return grain_ring_centres(settings, rng)
    return disordered_ring_centres(settings, rng)


def is_of_grains(settings: Settings, rng: np.random.Generator) -> bool:
    """Draw, first of all, whether a sheet is one of grains."""
    return settings.grain_share > 0 and rng.random() < settings.grain_share


def grain_ring_centres(settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Triangular lattices of the right density, in one or more rotated grains."""
    density = 1 + rng.uniform(-1, 1) * settings.density_variation
    lattice_A = SECOND_NEIGHBOUR_A / np.sqrt(density)
    count = honeycombs.grain_count(settings.grains, rng)
    crowded_A = (0.0, _CROWDED_RINGS * lattice_A)
    sites, is_first = honeycombs.unrelaxed_sheet(settings.size_A, lattice_A, count, crowded_A, rng)
    return sites[is_first] % settings.size_A


def disordered_ring_centres(settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Poisson-disc points of the right density, evened out by Lloyd relaxation."""
    size = settings.size_A
    density = 1 + rng.uniform(-1, 1) * settings.density_variation
    count = round(size**2 / RING_AREA_A2 * density)
    points = poisson_disc(count, rng) * size
    for _ in range(rng.integers(*settings.lloyd_steps, endpoint=True)):
        points = lloyd_step(points, size)
    return points


def poisson_disc(count: int, rng: np.random.Generator) -> np.ndarray:
    """Random points of the unit square, none too close to another, shape (count, 2)."""

    radius = np.sqrt(_DISC_PACKING / count)
    while True:
        points = scipy.stats.qmc.PoissonDisk(
            d=2, radius=radius, ncandidates=10, rng=rng
        ).fill_space()
        if len(points) >= count:
            return rng.permutation(points)[:count]
        radius *= 0.98


def periodic_triangles(points: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray]:
    """Delaunay triangulation of points in a periodic square.

    Gives the corners of every triangle whose centroid lies in the square, not wrapped, shape (T, 3,
    2) [Å], and their indices among the points, shape (T, 3).
    """
    images, owners = _with_images(points, size, _WIDEST_RING_DISTANCE_A)
    triangles = scipy.spatial.Delaunay(images).simplices
    corners = images[triangles]
    centroids = corners.mean(axis=1)
    inside = np.all((centroids >= 0) & (centroids < size), axis=1)
    return corners[inside], owners[triangles[inside]]


def _with_images(points: np.ndarray, size: float, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Add the periodic images that lie within a margin around the square."""
    shifts = size * np.array([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)])
    images = (points[None] + shifts[:, None]).reshape(-1, 2)
    owners = np.tile(np.arange(len(points)), len(shifts))
    near = np.all((images > -margin) & (images < size + margin), axis=1)
    return images[near], owners[near]


def lloyd_step(points: np.ndarray, size: float) -> np.ndarray:
    """Move every point to the centroid of its Voronoi cell in the periodic square."""
    images, owners = _with_images(points, size, _WIDEST_RING_DISTANCE_A)
    voronoi = scipy.spatial.Voronoi(images)
    ends = np.asarray(voronoi.ridge_vertices)
    finite = np.all(ends >= 0, axis=1)
    sides = voronoi.vertices[ends[finite]]
    weighted, areas = np.zeros_like(images), np.zeros(len(images))
    for cell in voronoi.ridge_points[finite].T:
        arms = sides - images[cell][:, None]
        area = np.abs(np.linalg.det(arms)) / 2
        areas += np.bincount(cell, area, minlength=len(images))
        np.add.at(weighted, cell, arms.sum(axis=1) / 3 * area[:, None])
    inside = np.all((images >= 0) & (images < size), axis=1)
    moved = points.copy()
    moved[owners[inside]] += weighted[inside] / areas[inside, None]
    return moved % size


def dual_network(rings: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray]:
    """Atoms and bonds of the network whose rings surround R given centres.

    Gives the positions of 2 R atoms [Å], and 3 R pairs of bonded atoms.
    """
    corners, members = periodic_triangles(rings, size)
    sides = np.sort(members[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    order = np.lexsort(sides.T)
    owners = np.repeat(np.arange(len(members)), 3)[order]
    return corners.mean(axis=1), owners.reshape(-1, 2)


def coordination_defects(
    atoms: np.ndarray, bonds: np.ndarray, settings: Settings, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Put atoms on bonds, merge neighbours and take atoms out, at random places."""
    added, merged, removed = (
        rng.binomial(len(atoms), share) for share in rng.uniform(0, settings.max_defects, 3)
    )
    bonds = rng.permutation(bonds)
    split, contracted, kept = np.split(bonds, [added, added + merged])
    apart = atoms[split[:, 1]] - atoms[split[:, 0]]
    apart -= settings.size_A * np.round(apart / settings.size_A)
    between = len(atoms) + np.arange(added)
    atoms = np.concatenate([atoms, atoms[split[:, 0]] + apart / 2])
    halves = [np.column_stack([end, between]) for end in split.T]
    bonds = np.concatenate([*halves, kept])

    stands_for = np.arange(len(atoms))
    stands_for[contracted[:, 1]] = stands_for[contracted[:, 0]]
    bonds = stands_for[bonds]
    stays = np.ones(len(atoms), dtype=bool)
    stays[rng.choice(len(atoms), removed, replace=False)] = False
    bonds = np.unique(np.sort(bonds[bonds[:, 0] != bonds[:, 1]], axis=1), axis=0)
    return bonded_atoms(atoms, bonds, stays)


def bonded_atoms(
    atoms: np.ndarray, bonds: np.ndarray, stays: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Those of the atoms that stay that have two bonds or more, numbered anew, and their bonds."""
    while True:
        bonds = bonds[stays[bonds].all(axis=1)]
        bound = np.bincount(bonds.ravel(), minlength=len(atoms)) >= 2
        if (bound == stays).all():
            return atoms[stays], (np.cumsum(stays) - 1)[bonds]
        stays = stays & bound


def drop_crowded(atoms: np.ndarray, size: float) -> np.ndarray:
    """Drop one of every two atoms that are too close for a bond."""
    pairs = scipy.spatial.cKDTree(atoms, boxsize=size).query_pairs(
        SHORTEST_BOND_A, output_type="ndarray"
    )
    return np.delete(atoms, pairs[:, 1], axis=0)


def outside_holes(atoms: np.ndarray, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Mark the atoms outside random irregular holes.

    The outline of a hole is a circle whose radius varies smoothly with the azimuth: a Fourier
    series with random coefficients that fall off with the order.
    """
    keep = np.ones(len(atoms), dtype=bool)
    orders = np.arange(1, 6)
    for _ in range(rng.integers(0, settings.max_holes, endpoint=True)):
        centre = rng.uniform(0, settings.size_A, 2)
        radius = rng.uniform(*settings.hole_radius_A)
        amplitudes = 0.35 * rng.standard_normal(len(orders)) / orders
        phases = rng.uniform(0, 2 * np.pi, len(orders))
        apart = atoms - centre
        apart -= settings.size_A * np.round(apart / settings.size_A)
        azimuth = np.arctan2(apart[:, 1], apart[:, 0])
        outline = 1 + np.cos(azimuth[:, None] * orders + phases) @ amplitudes
        keep &= np.linalg.norm(apart, axis=1) > radius * outline
    return keep


def prune_dangling(atoms: np.ndarray, size: float) -> np.ndarray:
    """Remove atoms that hang on to the sheet by less than two bonds."""
    while len(atoms):
        pairs = scipy.spatial.cKDTree(atoms, boxsize=size).query_pairs(
            1.25 * BOND_A, output_type="ndarray"
        )
        stays = np.bincount(pairs.ravel(), minlength=len(atoms)) >= 2
        if stays.all():
            break
        atoms = atoms[stays]
    return atoms
