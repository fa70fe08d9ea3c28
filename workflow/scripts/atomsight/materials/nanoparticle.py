"""Random rough nanoparticles of an fcc metal, on a support or free.

A crystal is cut by a random number of layers along ⟨100⟩, ⟨110⟩ and ⟨111⟩, and elongated or
flattened along the beam. Then atoms are added one by one on free lattice sites that have ``n``
occupied neighbours, with a probability proportional to ``exp(n / T)`` (the paper, eq 9): low
temperatures ``T`` fill kinks and steps, high ones make the surface rough. A zone axis points along
the beam, which is z; the particle is turned about it at random and tilted off it. Columns are
gathered before the tilt.
"""

from typing import Literal

import numpy as np
import scipy
from ase.data import atomic_numbers, reference_states

from atomsight.config.phantoms import Metal
from atomsight.config.section import Range, Section, key, part
from atomsight.errors import InputError
from atomsight.files.records import Structure
from atomsight.materials.building import support
from atomsight.materials.building.support import SupportSettings

IN_WORDS = "nanoparticles"
PHANTOM, PHANTOM_KEYS = "particle", ("metal",)

#: Families of planes that a particle is cut along, with their normals.
PLANE_FAMILIES = ((1, 0, 0), (1, 1, 0), (1, 1, 1))

#: Layers of every plane are drawn so that its distance from the centre is this part of the radius.
_CUT_SHARE = (0.85, 1.15)

#: The corners of a cut particle are at most this many radii from its centre.
_WIDEST_CUT = 1.35

#: Atoms of one column lie this near to each other in projection [Å].
COLUMN_LINK_A = 1.0

#: No atom is nearer to the edge of the box than this [Å].
VACUUM_A = 4.0

#: Free space above and below the atoms [Å].
_HEADROOM_A = 2.0

#: Making an atom of a particle or its support [s].
_ATOM_S = 1.5e-5

#: Neighbours of an atom in an fcc crystal.
COORDINATION = 12


class Settings(Section):
    """What the random rough particles of an fcc metal look like."""

    size_A: float = key(56, unit="Å", ge=20, le=400)
    """Edge of the square box, with at least 4 Å of vacuum around the particle."""
    metal: Metal = key("Au")
    """The metal, of fcc structure."""
    zone_axes: tuple[Literal["110", "111"], ...] = key(("110", "111"), min_length=1, unique=True)
    """Directions of the crystal along the beam."""
    radius_A: Range = key((6, 17.5), unit="Å", ge=0)
    """Radius across the beam, before the roughening."""
    elongation: Range = key((0.6, 1.6), gt=0, le=3)
    """Height along the beam over width, drawn evenly on a logarithmic scale. Nobody sees the height
    of a particle, and it must not follow from the width."""
    max_added: float = key(0.33, unit="share of the atoms", ge=0, le=1)
    """Most atoms added to the cut particle."""
    roughening_temperature: Range = key((0.2, 4), gt=0)
    """T of eq 9, drawn evenly on a logarithmic scale."""
    tilt_deg: Range = key((0, 5), unit="°", ge=0, le=20)
    """Angle between the zone axis and the beam."""
    lattice_variation: float = key(0.01, unit="relative", ge=0, le=0.1)
    """Half-width of the range of the lattice constant, about that of the bulk."""
    static_displacement_A: Range = key((0, 0.05), unit="Å", ge=0, le=0.3)
    """Standard deviation of the static displacements of the atoms along one axis, drawn for every
    particle; real particles are strained, and their surfaces relax."""
    support: SupportSettings = part(SupportSettings)


def purpose(class_names: list[str]) -> str:
    """Columns, or their heights where the classes are numbers: all from 1 to the greatest."""
    numbers = [str(number) for number in range(1, len(class_names) + 1)]
    if not any(name.isdigit() for name in class_names):
        return "columns"
    if class_names != numbers or len(class_names) < 2:
        raise InputError(
            'to count atoms, take all numbers from 1 to the greatest, in quotes: "1", "2", "3"'
        )
    return "heights"


def atom_count(settings: Settings) -> float:
    """Atoms of a particle, about a sphere, and of its support."""
    (low, high), atom_A3 = settings.radius_A, lattice_constant_A(settings.metal) ** 3 / 4
    sphere_A3 = 4 / 3 * np.pi * (low + high) * (low**2 + high**2) / 4  # mean of the cube
    particle_A3 = sphere_A3 * _mean_elongation(settings) * (1 + settings.max_added / 2)
    return particle_A3 / atom_A3 + support.atom_count(settings.support, settings.size_A)


def thickness_A(settings: Settings) -> float:
    """Height of the box [Å]."""
    particle_A = sum(settings.radius_A) * _mean_elongation(settings)
    return particle_A + 2 * _HEADROOM_A + support.added_thickness_A(settings.support)


def making_s(settings: Settings) -> float:
    """Time to make a particle with its support [s]."""
    return _ATOM_S * atom_count(settings)


def _mean_elongation(settings: Settings) -> float:
    low, high = settings.elongation
    return (high - low) / np.log(high / low) if low < high else low


def make_structure(settings: Settings, rng: np.random.Generator) -> Structure:
    """Make one random particle with its support.

    Every column of the metal is a site, its class the number of its atoms. Raises InputError if the
    particle does not fit into the box.
    """
    variation = settings.lattice_variation * rng.uniform(-1, 1)
    lattice_A = lattice_constant_A(settings.metal) * (1 + variation)
    axis = settings.zone_axes[rng.integers(len(settings.zone_axes))]
    basis = zone_axis_basis(axis) @ rotation_about_z(rng.uniform(0, 2 * np.pi))
    atoms = rough_particle(settings, lattice_A, axis, rng) @ basis
    column, heights = gather_columns(atoms[:, :2])
    atoms = atoms @ random_tilt(np.radians(rng.uniform(*settings.tilt_deg)), rng)
    atoms += rng.normal(0, rng.uniform(*settings.static_displacement_A), atoms.shape)
    positions, numbers = support.add(settings.support, atoms, settings.size_A, rng)
    numbers = np.concatenate([np.full(len(atoms), atomic_numbers[settings.metal]), numbers])
    positions = np.concatenate([atoms, positions])
    positions[:, :2] += settings.size_A / 2
    positions[:, 2] -= positions[:, 2].min() - _HEADROOM_A
    sites = column_centres(positions[: len(atoms), :2], column)
    return Structure(
        positions=positions,
        numbers=numbers,
        cell_A=np.array([settings.size_A] * 2 + [positions[:, 2].max() + _HEADROOM_A]),
        sites=sites,
        classes=heights,
    )


def _room_A(settings: Settings) -> float:
    """How far from the middle of the box there may be atoms [Å]."""
    room, needed = settings.size_A / 2 - VACUUM_A, _WIDEST_CUT * settings.radius_A[1]
    if needed > room:
        raise InputError(
            f"nanoparticle: particles of a radius of {settings.radius_A[1]:g} Å do not fit into a "
            f"box of {settings.size_A:g} Å; size_A must be at least {2 * (needed + VACUUM_A):.0f}"
        )
    return room


def lattice_constant_A(metal: str) -> float:
    """Lattice constant of an fcc metal, from ASE's table of reference states [Å].

    Raises InputError if the symbol is no element, or the element is not fcc.
    """
    state = reference_states[atomic_numbers[metal]] if metal in atomic_numbers else None
    if not state or state["symmetry"] != "fcc":
        known = [
            symbol
            for symbol, number in atomic_numbers.items()
            if number < len(reference_states)
            and (reference_states[number] or {}).get("symmetry") == "fcc"
        ]
        raise InputError(
            f"nanoparticle.metal: {metal!r} is not an fcc metal; known are {', '.join(known)}"
        )
    return float(state["a"])


def zone_axis_basis(axis: str) -> np.ndarray:
    """Matrix that turns a crystal so that a zone axis such as ``"110"`` points along z.

    It is orthogonal, without a mirror, and multiplied from the right: ``positions @ basis``.
    """
    along = np.array([int(index) for index in axis], dtype=float)
    along /= np.linalg.norm(along)
    across = np.cross(along, [0.0, 0.0, 1.0])
    if np.linalg.norm(across) < 1e-9:  # the zone axis is z itself
        across = np.array([1.0, 0.0, 0.0])
    across /= np.linalg.norm(across)
    return np.column_stack([across, np.cross(along, across), along])


def rotation_about_z(angle_rad: float) -> np.ndarray:
    """Matrix that turns positions about the beam, from x towards y; multiplied from the right."""
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])


def random_tilt(angle_rad: float, rng: np.random.Generator) -> np.ndarray:
    """Matrix that tilts positions off the beam, in a random direction; likewise."""
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    about_x = np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]])
    turn = rotation_about_z(rng.uniform(0, 2 * np.pi))
    return turn @ about_x @ turn.T


def rough_particle(
    settings: Settings, lattice_A: float, axis: str, rng: np.random.Generator
) -> np.ndarray:
    """Cut a particle from a crystal, elongated or flattened along an axis, and roughen its surface.

    Gives positions along the cubic axes, shape (N, 3) [Å], all with :data:`VACUUM_A` of room in the
    box. Raises InputError if the largest particle does not fit into the box.
    """
    radius_A = rng.uniform(*settings.radius_A)
    elongation = np.exp(rng.uniform(*np.log(settings.elongation)))
    room_A = _room_A(settings)
    crystal = fcc_points(room_A * max(1, elongation), lattice_A)
    along = zone_axis_basis(axis)[:, 2]
    heights = crystal @ along
    across = np.linalg.norm(crystal - np.outer(heights, along), axis=1)
    tilt = np.radians(settings.tilt_deg[1])
    fits = across * np.cos(tilt) + np.abs(heights) * np.sin(tilt) <= room_A
    crystal, heights = crystal[fits], heights[fits]
    # Where the atoms of a particle as high as wide would lie.
    equal = crystal + np.outer(heights * (1 / elongation - 1), along)
    occupied = cut(equal, radius_A, lattice_A, rng)
    low, high = np.log(settings.roughening_temperature)
    added = rng.integers(0, int(settings.max_added * np.count_nonzero(occupied)), endpoint=True)
    neighbours = neighbour_table(crystal, lattice_A)
    occupied = grow(occupied, neighbours, added, np.exp(rng.uniform(low, high)), rng)
    return crystal[occupied]


def fcc_points(radius_A: float, lattice_A: float) -> np.ndarray:
    """Lattice points of an fcc crystal in a sphere about one of them, along the cubic axes."""
    most = int(np.ceil(2 * radius_A / lattice_A))
    halves = np.stack(np.meshgrid(*[np.arange(-most, most + 1)] * 3, indexing="ij"), axis=-1)
    halves = halves.reshape(-1, 3)
    points = halves[halves.sum(axis=1) % 2 == 0] * (lattice_A / 2)
    return points[np.linalg.norm(points, axis=1) <= radius_A]


def cut(
    crystal: np.ndarray, radius_A: float, lattice_A: float, rng: np.random.Generator
) -> np.ndarray:
    """Mark the atoms within a random number of layers along every plane of three families.

    The planes are about ``radius_A`` from the centre of the crystal, which is given along its cubic
    axes.
    """
    inside = np.ones(len(crystal), dtype=bool)
    for family in PLANE_FAMILIES:
        normals = equivalent_directions(family)
        # Layers of an fcc crystal: a / |hkl|, halved where h, k and l are not all odd.
        odd = all(index % 2 for index in family)
        spacing = lattice_A / np.linalg.norm(family) / (1 if odd else 2)
        layers = np.round(rng.uniform(*_CUT_SHARE, len(normals)) * radius_A / spacing)
        heights = crystal @ (normals / np.linalg.norm(normals, axis=1, keepdims=True)).T
        inside &= (heights <= layers * spacing + 1e-6).all(axis=1)
    return inside


def equivalent_directions(family: tuple[int, int, int]) -> np.ndarray:
    """All directions, shape (D, 3), that the symmetry of a cube makes equal to one."""
    signs = np.stack(np.meshgrid(*[[-1, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    orders = np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1], [1, 0, 2], [2, 1, 0]])
    permuted = np.asarray(family)[orders]
    return np.unique((permuted[:, None] * signs[None]).reshape(-1, 3), axis=0)


def neighbour_table(crystal: np.ndarray, lattice_A: float) -> np.ndarray:
    """Indices of the 12 nearest neighbours of every one of N lattice points, shape (N, 12).

    N stands for none, at the rim of the crystal.
    """
    reach = 1.1 * lattice_A / np.sqrt(2)
    _, near = scipy.spatial.cKDTree(crystal).query(
        crystal, k=COORDINATION + 1, distance_upper_bound=reach, workers=1
    )
    return near[:, 1:]


def grow(
    occupied: np.ndarray,
    neighbours: np.ndarray,
    count: int,
    temperature: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Add atoms one by one on free sites, the better coordinated the likelier (the paper, eq 9).

    A free site with n ≥ 1 occupied neighbours is taken with p ∝ exp(n / T), T the temperature.
    Fewer atoms are added where no free site with a neighbour is left. ``neighbours`` is what
    :func:`neighbour_table` gives.
    """
    occupied = np.append(occupied, False)  # the site that stands for no neighbour
    coordination = np.append(occupied[neighbours].sum(axis=1), 0)
    # Weights relative to the best coordination there can be, so that none overflows.
    weights = np.exp((np.arange(COORDINATION + 1) - COORDINATION) / temperature)
    weights[0] = 0
    for draw in rng.random(count):
        chances = np.where(occupied, 0.0, weights[coordination])
        best = chances.max()
        if best == 0:
            free = ~occupied & (coordination > 0)
            if not free.any():
                break
            # All weights underflow at the lowest temperatures: the best sites take it all.
            chances = (coordination == coordination[free].max()) & free
        totals = np.cumsum(chances)
        chosen = np.searchsorted(totals, draw * totals[-1], side="right")
        occupied[chosen] = True
        around = neighbours[chosen]
        coordination[around[around < len(neighbours)]] += 1
    return occupied[:-1]


def gather_columns(projected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Group atoms whose projections before any tilt lie near each other, by single linkage.

    Gives the column of every atom, from 0, and the number of atoms in every column.
    """
    pairs = scipy.spatial.cKDTree(projected).query_pairs(COLUMN_LINK_A, output_type="ndarray")
    linked = scipy.sparse.coo_array((np.ones(len(pairs)), pairs.T), shape=(len(projected),) * 2)
    _, column = scipy.sparse.csgraph.connected_components(linked, directed=False)
    return column, np.bincount(column)


def column_centres(projected: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Mean projected positions of the atoms of every column, shape (C, 2)."""
    heights = np.bincount(column)
    return np.column_stack([np.bincount(column, axis) / heights for axis in projected.T])
