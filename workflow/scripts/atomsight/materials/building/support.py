"""Supports of nanoparticles: amorphous films and off-axis crystals, beside or behind the particle.

They are background: a network has to learn that their speckle and their fringes are no columns.
Amorphous matter is a random gas of the right density without pairs that are too close: its speckle
is what high-resolution images show of a film, and no more is asked of it.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pydantic
import scipy
from ase.data import atomic_masses, atomic_numbers

from atomsight.config.section import Range, Section, key


class SupportSettings(Section):
    """What the particles lie on; it is background."""

    amorphous_share: float = key(0.45, ge=0, le=1)
    """Share of the structures with an amorphous support, carbon or silica."""
    crystalline_share: float = key(0.2, ge=0, le=1)
    """Share of the structures with a support of magnesia or strontium titanate in a random
    orientation."""
    behind_share: float = key(0.4, ge=0, le=1)
    """Share of the supports that the beam passes before the particle; the others lie beside it."""
    thickness_A: Range = key((10, 40), unit="Å", ge=0)
    """Thickness of a support along the beam."""

    @pydantic.model_validator(mode="after")
    def _shares_are_of_all_structures(self) -> Self:
        if self.amorphous_share + self.crystalline_share > 1:
            raise ValueError("amorphous_share and crystalline_share must not sum to more than 1")
        return self


def atom_count(settings: SupportSettings, size_A: float) -> float:
    """Atoms of supports in boxes of a size, on average over all structures."""
    volume_A3 = size_A**2 * float(np.mean(settings.thickness_A))
    return _ATOMS_PER_A3 * volume_A3 * (settings.amorphous_share + settings.crystalline_share)


def added_thickness_A(settings: SupportSettings) -> float:
    """By how much supports raise the box, on average over all structures [Å].

    Those beside a particle hardly do.
    """
    share = settings.amorphous_share + settings.crystalline_share
    return share * float(np.mean(settings.thickness_A)) / 2


@dataclass(frozen=True)
class AmorphousMatter:
    """A sort of amorphous matter, by its formula unit."""

    symbols: tuple[str, ...]
    density_g_cm3: float
    closest_A: float  # no two atoms are closer

    @property
    def atoms_per_A3(self) -> float:
        """Number density [1/Å³]."""
        numbers = [atomic_numbers[symbol] for symbol in self.symbols]
        mass_g = atomic_masses[numbers].sum() / scipy.constants.Avogadro
        return len(self.symbols) * self.density_g_cm3 * 1e-24 / mass_g


#: Densities of evaporated carbon films and of fused silica.
AMORPHOUS = (
    AmorphousMatter(("C",), 2.0, 1.3),
    AmorphousMatter(("Si", "O", "O"), 2.2, 1.5),
)


@dataclass(frozen=True)
class CubicCrystal:
    """A crystal with a cubic cell."""

    symbols: tuple[str, ...]
    places: tuple[tuple[float, float, float], ...]  # in units of the edge of the cell
    lattice_A: float


_FACE_CENTRES = ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))
_EDGE_CENTRES = ((0.5, 0.5, 0.5), (0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.5))

#: Magnesia, of light atoms, and strontium titanate, of heavier ones.
CRYSTALS = (
    CubicCrystal(("Mg",) * 4 + ("O",) * 4, _FACE_CENTRES + _EDGE_CENTRES, 4.21),
    CubicCrystal(
        ("Sr", "Ti", "O", "O", "O"), ((0, 0, 0), (0.5, 0.5, 0.5), *_FACE_CENTRES[1:]), 3.905
    ),
)

#: Atoms of a support per volume of its slab, of which one beside a particle fills a part [1/Å³].
_ATOMS_PER_A3 = 0.055

#: No atom of a support is nearer to one of the metal than this [Å].
_CLOSEST_TO_METAL_A = 2.2

#: The edge of a support beside the particle wanders by about this [Å].
_EDGE_ROUGHNESS_A = 1.5

#: The particle sinks at most this deep into the support [Å].
_DEEPEST_A = 4.0


def add(
    settings: SupportSettings, metal: np.ndarray, size_A: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Make a random support for a particle, or none: positions [Å] and atomic numbers.

    ``metal`` are the atoms of the particle, its middle at zero as that of the square box.
    """
    amorphous, crystalline = settings.amorphous_share, settings.crystalline_share
    kind = rng.choice(3, p=[amorphous, crystalline, 1 - amorphous - crystalline])
    thickness = rng.uniform(*settings.thickness_A)
    if kind == 2:
        return np.empty((0, 3)), np.empty(0, int)
    make = (amorphous_slab, crystalline_slab)[kind]
    positions, numbers = make((size_A, size_A, thickness), rng)
    if rng.random() < settings.behind_share:
        # Upstream: the exit wave, from which defocus counts, is the one behind the particle.
        positions[:, 2] += metal[:, 2].min() - thickness / 2 + rng.uniform(0, _DEEPEST_A)
        kept = np.ones(len(positions), dtype=bool)
    else:
        kept = beside(positions[:, :2], metal[:, :2], rng)
    distance, _ = scipy.spatial.cKDTree(metal).query(
        positions, distance_upper_bound=_CLOSEST_TO_METAL_A
    )
    kept &= ~np.isfinite(distance)
    return positions[kept], numbers[kept]


def amorphous_slab(
    edges_A: tuple[float, float, float], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Fill a box with amorphous matter of a random sort, periodic along x and y.

    The middle of the box is at zero. Gives positions, shape (M, 3) [Å], and atomic numbers.
    """
    matter = AMORPHOUS[rng.integers(len(AMORPHOUS))]
    edges = np.asarray(edges_A)
    wanted = round(matter.atoms_per_A3 * edges.prod())
    period = (*edges[:2], 0)
    atoms = np.empty((0, 3))
    while len(atoms) < 0.98 * wanted:
        atoms = np.concatenate([atoms, rng.random((wanted - len(atoms), 3)) * edges])
        pairs = scipy.spatial.cKDTree(atoms, boxsize=period).query_pairs(
            matter.closest_A, output_type="ndarray"
        )
        # The later of two atoms goes, so that those that stood stay.
        atoms = np.delete(atoms, pairs.max(axis=1), axis=0)
    numbers = np.resize([atomic_numbers[symbol] for symbol in matter.symbols], len(atoms))
    return atoms - edges / 2, rng.permutation(numbers)


def crystalline_slab(
    edges_A: tuple[float, float, float], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Fill a box with a random crystal in a random orientation, which hardly ever is a zone axis.

    The middle of the box is at zero. Gives positions, shape (M, 3) [Å], and atomic numbers.
    """
    edges = np.asarray(edges_A)
    crystal = CRYSTALS[rng.integers(len(CRYSTALS))]
    reach = int(np.ceil(np.linalg.norm(edges) / 2 / crystal.lattice_A)) + 1
    cells = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 3, indexing="ij"), axis=-1)
    atoms = cells.reshape(-1, 1, 3) + np.asarray(crystal.places) + rng.random(3)
    turn = scipy.spatial.transform.Rotation.random(rng=rng).as_matrix()
    turned = atoms.reshape(-1, 3) * crystal.lattice_A @ turn
    inside = (np.abs(turned) <= edges / 2).all(axis=1)
    cell = [atomic_numbers[symbol] for symbol in crystal.symbols]
    return turned[inside], np.resize(cell, len(turned))[inside]


def beside(positions: np.ndarray, metal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mark the atoms of a slab on one side of a particle, up to a rough edge."""
    angle = rng.uniform(0, 2 * np.pi)
    normal = np.array([np.cos(angle), np.sin(angle)])
    along = positions @ np.array([-normal[1], normal[0]])
    orders = np.arange(1, 6)
    waves = np.cos(along[:, None] * orders * 0.15 + rng.uniform(0, 2 * np.pi, len(orders)))
    edge = waves @ (_EDGE_ROUGHNESS_A * rng.standard_normal(len(orders)) / orders)
    return positions @ normal < (metal @ normal).min() + rng.uniform(0, _DEEPEST_A) + edge
