"""Simulated metal particles whose columns are known, to evaluate models on.

None of this comes from the generator of the training's structures. The particle is a Wulff
polyhedron of random surface energies, its surface etched; the supports are those of
:mod:`atomsight.phantoms.films`.

The atoms of the particle stand on an fcc lattice and are numbered by integers: ``cells`` are their
positions in units of half the lattice constant, with an even sum. A column is the line of atoms
along the zone axis that share their position when seen along it. It stays one column when the
particle is tilted, and its true position is the mean of its atoms' projected positions.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from ase.cluster.wulff import wulff_construction
from ase.data import atomic_numbers, reference_states
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from atomsight.config.phantoms import ParticleSettings
from atomsight.errors import InputError
from atomsight.files.records import Structure
from atomsight.phantoms.films import FILMS, HEADROOM_A

#: Metals that crystallise as fcc, by the lattice constants of ASE.
METALS = ("Ag", "Al", "Au", "Cu", "Ir", "Ni", "Pb", "Pd", "Pt", "Rh")

#: The twelve nearest neighbours of an fcc site, in units of half the lattice constant.
_NEIGHBOURS = (
    np.array(
        [
            offset
            for offset in np.ndindex(3, 3, 3)
            if sum(abs(component - 1) for component in offset) == 2
        ]
    )
    - 1
)


@dataclass(frozen=True)
class ZoneAxis:
    """A direction along which an fcc crystal shows columns.

    ``label`` holds two products with a site's integers that are the same for all sites of a column;
    ``around`` the differences of these labels between a column and its nearest columns.
    """

    direction: tuple[int, int, int]
    label: tuple[tuple[int, int, int], tuple[int, int, int]]
    around: tuple[tuple[int, int], ...]

    @property
    def frame(self) -> np.ndarray:
        """Axes x, y, z of the upright crystal as rows, z along the zone axis."""
        z = np.array(self.direction) / np.linalg.norm(self.direction)
        x = np.array([1, -1, 0]) / np.sqrt(2)
        return np.stack([x, np.cross(z, x), z])


ZONE_AXES = {
    "110": ZoneAxis(
        (1, 1, 0),
        ((1, -1, 0), (0, 0, 1)),
        ((2, 0), (-2, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)),
    ),
    "111": ZoneAxis(
        (1, 1, 1),
        ((1, -1, 0), (0, 1, -1)),
        ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)),
    ),
}

SUPPORTS = ("none", *FILMS)
SUPPORT_VIEWS = ("profile", "plan")

#: In profile the particle stands this much above the middle of the image, to show more support [Å].
_PROFILE_LIFT_A = 3.0

#: Nearest distance of an atom of the support from one of the particle [Å].
_CONTACT_A = 2.0

#: A column whose image is nearer than this to that of an atom of a support in profile is not clear
#: of it [Å].
_CLEAR_A = 4.0

#: Sites beside the particle count as places for atoms with this many neighbours.
_ADATOM_NEIGHBOURS = 3


@dataclass(frozen=True)
class Columns:
    """Columns of a particle: their labels (see :class:`ZoneAxis`), and the column of every atom.

    ``positions`` are mean projected ones of the atoms, ``(x, y)`` [Å]. ``region`` is ``surface``
    where one of the six nearest columns is missing, ``interior`` elsewhere.
    """

    labels: np.ndarray
    of_atom: np.ndarray
    atoms: np.ndarray
    positions: np.ndarray
    region: np.ndarray


@dataclass(frozen=True)
class Particle:
    """An fcc particle and how it is turned to the beam, which runs along z.

    ``cells`` are the lattice sites of the atoms, shape (N, 3), in units of half the lattice
    constant; ``displacements`` are static, from the sites [Å]. ``rotation_rad`` is about the zone
    axis, ``tilt_rad`` the angle between zone axis and beam, ``tilt_azimuth_rad`` the azimuth of the
    axis about which the particle is tilted.
    """

    cells: np.ndarray
    displacements: np.ndarray
    number: int
    lattice_A: float
    zone_axis: str
    rotation_rad: float
    tilt_rad: float
    tilt_azimuth_rad: float

    @cached_property
    def orientation(self) -> np.ndarray:
        """Matrix from the axes of the crystal to those of the image."""
        tilt = self.tilt_rad * np.array(
            [np.cos(self.tilt_azimuth_rad), np.sin(self.tilt_azimuth_rad), 0]
        )
        turn = Rotation.from_rotvec(tilt) * Rotation.from_rotvec([0, 0, self.rotation_rad])
        return turn.as_matrix() @ ZONE_AXES[self.zone_axis].frame

    def place(self, cells: np.ndarray) -> np.ndarray:
        """Positions ``(x, y, z)`` of lattice sites, about the middle of the particle [Å]."""
        middle = (self.cells.min(axis=0) + self.cells.max(axis=0)) / 2
        return (cells - middle) @ self.orientation.T * self.lattice_A / 2

    @cached_property
    def positions(self) -> np.ndarray:
        """Positions of the atoms, shape (N, 3) [Å]."""
        return self.place(self.cells) + self.displacements

    @cached_property
    def columns(self) -> Columns:
        labels, of_atom = np.unique(
            column_labels(self.cells, self.zone_axis), axis=0, return_inverse=True
        )
        atoms = np.bincount(of_atom)
        positions = np.stack(
            [np.bincount(of_atom, self.positions[:, axis]) / atoms for axis in (0, 1)], axis=1
        )
        full = len(ZONE_AXES[self.zone_axis].around)
        region = np.where(self.near(labels, labels) < full, "surface", "interior")
        return Columns(labels, of_atom, atoms, positions, region)

    def near(self, labels: np.ndarray, others: np.ndarray) -> np.ndarray:
        """How many of the six nearest columns of every column are among others; all are labels."""
        around = labels[:, None] + np.array(ZONE_AXES[self.zone_axis].around)
        return is_among(around.reshape(-1, 2), others).reshape(around.shape[:2]).sum(axis=1)


@dataclass(frozen=True)
class ParticleSpecimen:
    """A particle in its box.

    The sites of ``structure`` are the columns, the class of one is its number of atoms. ``columns``
    has ``x_A, y_A`` in the box [Å], ``atoms``, ``region`` (``surface``, ``interior``) and ``clear``
    (whether it is seen apart from a support in profile). ``column`` is that of every atom, -1 for
    the support. ``origin_A`` is where in the box the middle of the particle lies,
    ``support_in_profile`` the atoms of a support that is seen beside it; none if there is no such.
    """

    structure: Structure
    columns: pd.DataFrame
    column: np.ndarray
    particle: Particle
    origin_A: np.ndarray
    support_in_profile: np.ndarray

    @property
    def below_A(self) -> float:
        """Distance of the particle's last atom from the lower face of the box [Å]."""
        return float(self.structure.cell_A[2] - self.structure.positions[self.column >= 0, 2].max())


def column_labels(cells: np.ndarray, zone_axis: str) -> np.ndarray:
    """The two integers that are the same for all sites of a column, shape (N, 2)."""
    return cells @ np.array(ZONE_AXES[zone_axis].label).T


def is_among(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether rows of integers are among other rows."""
    both = np.concatenate([rows, others])
    _, same = np.unique(both, axis=0, return_inverse=True)
    return np.isin(same[: len(rows)], same[len(rows) :])


def make_particle(settings: ParticleSettings, rng: np.random.Generator) -> Particle:
    """Make a random particle: a Wulff polyhedron, turned, cut by its support, etched."""
    if settings.metal not in METALS:
        raise InputError(
            f"metal: {settings.metal!r} is not a metal of fcc lattice known here; take one of "
            f"{', '.join(METALS)}"
        )
    number = atomic_numbers[settings.metal]
    axes = list(ZONE_AXES) if settings.zone_axis == "either" else [settings.zone_axis]
    zone_axis = str(rng.choice(axes))
    rotation_rad = rng.uniform(0, 2 * np.pi)
    cells = _wulff_polyhedron(rng.integers(*settings.atoms, endpoint=True), rng)
    if is_profile(settings):
        cells = _cut(cells, zone_axis, rotation_rad, rng.uniform(0, _LARGEST_CUT))
    cells = _etch(cells, rng.uniform(*settings.etched_share), rng)
    cells = _add_adatoms(cells, settings.adatom_share, rng)
    variation = rng.uniform(-1, 1) * settings.scale_variation
    return Particle(
        cells=cells,
        displacements=rng.normal(0, settings.displacement_A, cells.shape),
        number=number,
        lattice_A=reference_states[number]["a"] * (1 + variation),
        zone_axis=zone_axis,
        rotation_rad=rotation_rad,
        tilt_rad=np.deg2rad(rng.uniform(*settings.tilt_deg)),
        tilt_azimuth_rad=rng.uniform(0, 2 * np.pi),
    )


#: Largest part of the particle's height that its support in profile cuts away.
_LARGEST_CUT = 0.25


def _wulff_polyhedron(atoms: int, rng: np.random.Generator) -> np.ndarray:
    """Lattice sites of a Wulff polyhedron of random surface energies."""
    energies = rng.uniform([1.0, 1.05, 0.9], [1.25, 1.35, 1.05])
    surfaces = [(1, 0, 0), (1, 1, 0), (1, 1, 1)]
    cluster = wulff_construction("Au", surfaces, energies, int(atoms), "fcc", rounding="closest")
    half_A = reference_states[atomic_numbers["Au"]]["a"] / 2
    cells = np.round((cluster.positions - cluster.positions[0]) / half_A).astype(int)
    return cells[np.lexsort(cells.T)]


def _cut(cells: np.ndarray, zone_axis: str, rotation_rad: float, share: float) -> np.ndarray:
    """Leave out the part of a particle that would reach into the support, at large y."""
    upright = cells @ ZONE_AXES[zone_axis].frame.T
    y = np.sin(rotation_rad) * upright[:, 0] + np.cos(rotation_rad) * upright[:, 1]
    return cells[y <= y.max() - share * np.ptp(y) + 1e-6]


def coordination(cells: np.ndarray, occupied: np.ndarray) -> np.ndarray:
    """Number of occupied nearest neighbours of lattice sites, 0 to 12."""
    around = cells[:, None] + _NEIGHBOURS
    return is_among(around.reshape(-1, 3), occupied).reshape(around.shape[:2]).sum(axis=1)


def _etch(cells: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Take surface atoms away, those with few neighbours more often."""
    for _ in range(2):
        exposed = np.clip((9 - coordination(cells, cells)) / 4, 0, 1)
        cells = cells[rng.uniform(size=len(cells)) >= share * exposed]
    return _without_loose(cells)


def _without_loose(cells: np.ndarray) -> np.ndarray:
    """Leave out atoms with fewer than three neighbours, again and again."""
    while (loose := coordination(cells, cells) < _ADATOM_NEIGHBOURS).any():
        cells = cells[~loose]
    return cells


def _add_adatoms(cells: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Put atoms onto free sites with at least three neighbours."""
    free, neighbours = free_sites(cells)
    places = free[neighbours >= _ADATOM_NEIGHBOURS]
    surface = np.count_nonzero(coordination(cells, cells) < 12)
    count = min(round(share * surface), len(places))
    return np.concatenate([cells, rng.choice(places, count, replace=False)])


def free_sites(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Free lattice sites with at least one neighbour in a particle, and how many each has."""
    around = (cells[:, None] + _NEIGHBOURS).reshape(-1, 3)
    sites, neighbours = np.unique(around, axis=0, return_counts=True)
    free = ~is_among(sites, cells)
    return sites[free], neighbours[free]


def outer_columns(particle: Particle) -> tuple[np.ndarray, np.ndarray]:
    """Lattice sites of the next columns outward, which are empty in the particle.

    Free sites with at least three neighbours, in columns that hold no atom, in the order of the
    columns and along the beam in each; and the number of the empty column of each, from 0.
    """
    sites, neighbours = free_sites(particle.cells)
    sites = sites[neighbours >= _ADATOM_NEIGHBOURS]
    labels = column_labels(sites, particle.zone_axis)
    outside = ~is_among(labels, particle.columns.labels)
    sites, labels = sites[outside], labels[outside]
    if len(sites) == 0:
        return sites, np.empty(0, int)
    _, column = np.unique(labels, axis=0, return_inverse=True)
    along = sites @ np.array(ZONE_AXES[particle.zone_axis].direction)
    order = np.lexsort((along, column))
    return sites[order], column[order]


def extent_A(particle: Particle) -> np.ndarray:
    """Width of a particle in the image, along x and along y [Å]."""
    return np.ptp(particle.positions[:, :2], axis=0)


def lift_A(settings: ParticleSettings) -> np.ndarray:
    """How much larger along x and y an image is that shows a support in profile."""
    return np.array([0.0, 2 * _PROFILE_LIFT_A]) * is_profile(settings)


def is_profile(settings: ParticleSettings) -> bool:
    """Whether there is a support that is seen beside the particle."""
    return settings.support != "none" and settings.support_view == "profile"


def put_into_box(
    particle: Particle,
    settings: ParticleSettings,
    size_A: tuple[float, float],
    rng: np.random.Generator,
) -> ParticleSpecimen:
    """Put a particle in the middle of a box, on its support, which ``rng`` draws.

    It is an error if the particle and its margin do not fit into the box.
    """
    size_A = np.asarray(size_A, float)
    profile = is_profile(settings)
    low, high = particle.positions.min(axis=0), particle.positions.max(axis=0)
    middle = (size_A / 2 - [0, _PROFILE_LIFT_A * profile]) - (low + high)[:2] / 2
    origin = np.append(middle, 0.0)
    positions = particle.positions + origin
    edges = np.array([positions[:, :2].min(axis=0), size_A - positions[:, :2].max(axis=0)])
    if edges.min() < settings.margin_A:
        wide = high - low
        raise InputError(
            f"a particle of {wide[0]:.1f} × {wide[1]:.1f} Å and a margin of "
            f"{settings.margin_A:g} Å do not fit into a box of {size_A[0]:.1f} × "
            f"{size_A[1]:.1f} Å; lower its number of atoms or the margin, or enlarge the image"
        )
    support, numbers = _make_support(positions, settings, size_A, rng)
    everything = np.concatenate([positions, support])
    lift = np.array([0, 0, HEADROOM_A - everything[:, 2].min()])
    beside = (support if profile else support[:0]) + lift
    columns = _column_table(particle, origin, beside)
    structure = Structure(
        positions=everything + lift,
        numbers=np.concatenate([np.full(len(positions), particle.number), numbers]),
        cell_A=np.array([*size_A, np.ptp(everything[:, 2]) + 2 * HEADROOM_A]),
        sites=columns[["x_A", "y_A"]].to_numpy(),
        classes=columns["atoms"].to_numpy(),
    )
    column = np.concatenate([particle.columns.of_atom, np.full(len(support), -1)])
    return ParticleSpecimen(structure, columns, column, particle, origin + lift, beside)


def _column_table(particle: Particle, origin: np.ndarray, beside: np.ndarray) -> pd.DataFrame:
    positions = particle.columns.positions + origin[:2]
    return pd.DataFrame(
        {
            "x_A": positions[:, 0],
            "y_A": positions[:, 1],
            "atoms": particle.columns.atoms,
            "region": particle.columns.region,
            "clear": is_clear(positions, beside),
        }
    )


def is_clear(positions: np.ndarray, support: np.ndarray) -> np.ndarray:
    """Whether columns are seen apart from a support in profile, 4 Å from its nearest atom."""
    if len(support) == 0:
        return np.ones(len(positions), bool)
    return cKDTree(support[:, :2]).query(positions)[0] >= _CLEAR_A


def _make_support(
    particle: np.ndarray, settings: ParticleSettings, size_A: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Positions and atomic numbers of a support that touches the particle."""
    if settings.support == "none":
        return np.empty((0, 3)), np.empty(0, int)
    thickness_A = rng.uniform(*settings.support_thickness_A)
    low, high = particle.min(axis=0), particle.max(axis=0)
    positions, numbers = FILMS[settings.support](size_A, thickness_A, rng)
    if settings.support_view == "profile":
        positions = positions + np.array([0, 0, (low[2] + high[2] - thickness_A) / 2])
        edge = high[1] - 0.5 + _rough_line(positions[:, [0, 2]], rng)
        kept = positions[:, 1] > edge
    else:
        below = low[2] - _CONTACT_A - thickness_A
        above = high[2] + _CONTACT_A
        positions = positions + np.array([0, 0, rng.choice([below, above])])
        kept = np.ones(len(positions), bool)
    kept &= cKDTree(particle).query(positions)[0] >= _CONTACT_A
    return positions[kept], numbers[kept]


def _rough_line(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Heights of a slightly rough surface, of 0.8 Å rms, at points of its plane."""
    directions, lengths_A = rng.uniform(0, 2 * np.pi, 6), rng.uniform(5, 25, 6)
    vectors = 2 * np.pi / lengths_A * np.stack([np.cos(directions), np.sin(directions)])
    waves = np.sin(points @ vectors + rng.uniform(0, 2 * np.pi, 6))
    return waves.sum(axis=1) * 0.8 / np.sqrt(6 / 2)


def make_specimen(settings: ParticleSettings, size_A: tuple[float, float]) -> ParticleSpecimen:
    """Make the particle and the support of the settings' seed; see :func:`put_into_box`."""
    rng, support_rng = np.random.default_rng(settings.seed).spawn(2)
    return put_into_box(make_particle(settings, rng), settings, size_A, support_rng)
