"""Make a sheet of graphene whose truth is known, to be imaged as often as wanted.

The kinds are "pristine", "strained" and "polycrystal". None of them comes from the generator of the
training's structures. The first two are a perfect lattice, the second deformed by a formula whose
gradient is exact; the third is relaxed with an empirical potential. OUTPUT.h5 is a file of
structures with one more table of what is known of every atom: its region and its strain.

Example:
    python simulate.py specimen grains.h5 \\
        --settings '{"kind": "polycrystal", "size_A": [104, 104], "grain_count": 6, "seed": 1}'
"""

import argparse
import dataclasses
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ase
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from atomsight import command_line
from atomsight.config.phantoms import (
    PolycrystalSettings,
    PristineSettings,
    SpecimenSettings,
    StrainedSettings,
)
from atomsight.config.section import Section, complete, parse
from atomsight.errors import InputError
from atomsight.files import atomic, layout, provenance, sealed, tables
from atomsight.files.records import Structure
from atomsight.geometry import rotate

#: Length of a bond in graphene [Å].
BOND_A = 1.42

#: Two atoms nearer than this are bonded [Å].
BOND_REACH_A = 1.85

#: Height of the periodic box above and below the sheet's outermost atoms [Å].
_HEADROOM_A = 2.0

#: A sheet that is not periodic ends this far inside its box [Å].
_RIM_A = 1.0

#: Strain components of an atom, in this order.
STRAIN_COMPONENTS = ("e_xx", "e_yy", "e_xy")


@dataclass(frozen=True)
class SpecimenTruth:
    """What is known of every atom besides its position.

    ``region`` is ``grain``, ``boundary`` (within two bonds of another grain), ``edge`` (fewer than
    three bonds), or ``unknown``. ``strain``, shape (N, 3), is ``e_xx, e_yy, e_xy`` of the left
    stretch tensor minus one, in the axes of the image; NaN where it is not known.
    """

    region: np.ndarray
    strain: np.ndarray


@dataclass(frozen=True)
class DisplacementField:
    """A smooth planar displacement u(R) [Å]: plane waves and swollen or shrunken spots.

    u(R) = Σ_w a_w sin(k_w·R + φ_w) + Σ_s b_s (R − c_s) exp(−|R − c_s|² / 2 w_s²)

    with angular wave vectors k [rad/Å], amplitudes a [Å], phases φ, centres c [Å], planar strain b
    at the centre, and standard deviations w [Å].
    """

    wave_vectors: np.ndarray
    amplitudes: np.ndarray
    phases: np.ndarray
    spot_centres: np.ndarray
    spot_strengths: np.ndarray
    spot_widths: np.ndarray

    def displacement(self, points: np.ndarray) -> np.ndarray:
        """Displacement of points, shape (N, 2) [Å]."""
        waves = np.sin(points @ self.wave_vectors.T + self.phases) @ self.amplitudes
        offsets, weights = self._spots(points)
        return waves + np.einsum("ns,nsi->ni", weights, offsets)

    def gradient(self, points: np.ndarray) -> np.ndarray:
        """Gradient ∂u_i/∂R_j of the displacement, exactly; shape (N, 2, 2)."""
        slopes = np.cos(points @ self.wave_vectors.T + self.phases)
        waves = np.einsum("nw,wi,wj->nij", slopes, self.amplitudes, self.wave_vectors)
        offsets, weights = self._spots(points)
        scaled = offsets / self.spot_widths[:, None]
        spots = -np.einsum("ns,nsi,nsj->nij", weights, scaled, scaled)
        return waves + spots + weights.sum(axis=1)[:, None, None] * np.eye(2)

    def _spots(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        offsets = points[:, None] - self.spot_centres
        squares = (offsets**2).sum(axis=2) / self.spot_widths**2
        return offsets, self.spot_strengths * np.exp(-squares / 2)


def random_displacement_field(
    size_A: tuple[float, float], planar_strain: float, rng: np.random.Generator
) -> DisplacementField:
    """Draw a displacement field: four long waves and one spot.

    ``planar_strain`` is the largest absolute planar strain in the sheet, to first order.
    """
    directions = rng.uniform(0, 2 * np.pi, 4)
    wavelengths_A = rng.uniform(30, 70, 4)
    vectors = np.stack([np.cos(directions), np.sin(directions)], axis=1)
    vectors *= (2 * np.pi / wavelengths_A)[:, None]
    amplitudes = rng.normal(size=(4, 2)) * wavelengths_A[:, None] * 0.002
    shape = DisplacementField(
        wave_vectors=vectors,
        amplitudes=amplitudes,
        phases=rng.uniform(0, 2 * np.pi, 4),
        spot_centres=rng.uniform(0.3, 0.7, (1, 2)) * size_A,
        spot_strengths=rng.choice([-0.02, 0.02], 1),
        spot_widths=rng.uniform(7, 12, 1),
    )
    grid = np.stack(np.meshgrid(*(np.linspace(0, edge, 60) for edge in size_A)), axis=-1)
    planar = np.trace(shape.gradient(grid.reshape(-1, 2)), axis1=1, axis2=2) / 2
    factor = planar_strain / np.abs(planar).max()
    return dataclasses.replace(
        shape,
        amplitudes=shape.amplitudes * factor,
        spot_strengths=shape.spot_strengths * factor,
    )


def left_strain(deformation_gradients: np.ndarray) -> np.ndarray:
    """Strain V − 1 of the left polar decomposition F = V·R, with V = √(F·Fᵀ).

    From maps F of the undeformed onto the deformed sheet, shape (N, 2, 2): ``e_xx, e_yy, e_xy``.
    """
    squares, axes = np.linalg.eigh(deformation_gradients @ deformation_gradients.transpose(0, 2, 1))
    stretch = np.einsum("nia,na,nja->nij", axes, np.sqrt(squares), axes)
    return np.stack([stretch[:, 0, 0] - 1, stretch[:, 1, 1] - 1, stretch[:, 0, 1]], axis=1)


def pristine_sheet(settings: PristineSettings) -> tuple[Structure, SpecimenTruth]:
    """Make a perfect sheet with slight ripples, ending just inside its box; its strain is zero."""
    rng = np.random.default_rng(settings.seed)
    lattice = _lattice(settings.size_A, settings.rotation_rad, BOND_A, rng)
    planar = lattice[_inside(lattice, settings.size_A)]
    structure = _sheet(planar, settings.size_A, settings.ripple_A, rng)
    return structure, SpecimenTruth(_edge_regions(planar), np.zeros((len(planar), 3)))


def strained_sheet(settings: StrainedSettings) -> tuple[Structure, SpecimenTruth]:
    """Make a sheet with a hole under a random smooth displacement field.

    It ends just inside its box. The strain of every atom is exact, relative to the undeformed
    lattice.
    """
    rng = np.random.default_rng(settings.seed)
    field = random_displacement_field(settings.size_A, settings.planar_strain, rng)
    lattice = _lattice(settings.size_A, settings.rotation_rad, BOND_A, rng)
    lattice = lattice[~_in_hole(lattice, settings.size_A, settings.hole_radius_A, rng)]
    deformed = lattice + field.displacement(lattice)
    inside = np.flatnonzero(_inside(deformed, settings.size_A))
    kept = inside[_bonded(deformed[inside])]

    strain = left_strain(np.eye(2) + field.gradient(lattice[kept]))
    structure = _sheet(deformed[kept], settings.size_A, settings.ripple_A, rng)
    return structure, SpecimenTruth(_edge_regions(deformed[kept]), strain)


def polycrystal(settings: PolycrystalSettings) -> tuple[Structure, SpecimenTruth]:
    """Make a periodic polycrystalline sheet, its grain boundaries relaxed, its strain unknown.

    Grains of random orientation fill the Voronoi cells of random points. Atoms too near each other
    across a boundary are thinned out, then all are relaxed in three dimensions with Tersoff's
    potential as refitted to graphene. The whole is made at the potential's own bond length and
    scaled to that of graphene.
    """
    rng = np.random.default_rng(settings.seed)
    scale = BOND_A / _TERSOFF_BOND_A
    box_A = np.asarray(settings.size_A) / scale
    planar, grains = _voronoi_grains(box_A, settings.grain_count, rng)
    positions = np.column_stack([planar, rng.normal(0, 0.02, len(planar))])
    positions = scale * relax(positions, box_A, settings.relaxation_steps)
    positions[:, :2] %= settings.size_A

    kept = _bonded(positions, settings.size_A)
    region = _grain_regions(positions[kept], grains[kept], settings.size_A)
    truth = SpecimenTruth(region, np.full((len(kept), 3), np.nan))
    return _structure(positions[kept], settings.size_A), truth


#: Tersoff's potential of carbon as refitted to graphene: L. Lindsay and D. A. Broido, Phys. Rev. B
#: 81, 205441 (2010). Only B and h (the cosine of the preferred angle) differ from J. Tersoff, Phys.
#: Rev. B 39, 5566 (1989). Energies in eV, lengths in Å.
_TERSOFF_CARBON = {
    "__ref__": "Lindsay L. and Broido D. A., Phys. Rev. B 81, 205441 (2010)",
    "style": "Tersoff",
    "el": ["C"],
    "A": [1393.6],
    "B": [430.0],
    "chi": [1.0],
    "lambda": [3.4879],
    "mu": [2.2119],
    "lambda3": [0.0],
    "beta": [1.5724e-7],
    "n": [0.72751],
    "c": [38049.0],
    "d": [4.3484],
    "h": [-0.930],
    "r1": [1.80],
    "r2": [2.10],
}

#: Bond length of graphene in that potential: lattice constant 2.492 Å.
_TERSOFF_BOND_A = 2.492 / np.sqrt(3)


def relax(positions: np.ndarray, box_A: np.ndarray, steps: int) -> np.ndarray:
    """Relax a periodic carbon sheet with Tersoff's potential [Å].

    At most so many steps of FIRE; fewer when no force exceeds 0.05 eV/Å. matscipy's vectorised
    potential takes 0.16 s a step for 3700 atoms on one core; ASE's own gives the same forces to
    1e-13 eV/Å in more than twenty times that.
    """
    from ase.optimize import FIRE
    from matscipy.calculators.manybody import Manybody
    from matscipy.calculators.manybody.explicit_forms import TersoffBrenner

    atoms = ase.Atoms(
        np.full(len(positions), 6), positions, cell=(*box_A, 20.0), pbc=(True, True, False)
    )
    atoms.calc = Manybody(**TersoffBrenner(_TERSOFF_CARBON))
    with warnings.catch_warnings():
        # matscipy masks a power of zero this way and never reads the numbers left out.
        warnings.filterwarnings("ignore", "'where' used without 'out'", UserWarning)
        FIRE(atoms, logfile=None).run(fmax=0.05, steps=steps)
    return atoms.positions


def _voronoi_grains(
    box_A: np.ndarray, grain_count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Fill the Voronoi cells of random points with lattices; give positions and grain of each."""
    seeds = rng.uniform(0, 1, (grain_count, 2)) * box_A
    angles = rng.uniform(0, np.pi / 3, grain_count)
    # One lattice, larger than the box and turned about each seed, covers every cell.
    reach_A = np.full(2, box_A.max())
    lattice = _lattice(2 * reach_A, 0.0, _TERSOFF_BOND_A, rng) - reach_A
    turned = np.stack([seed + rotate(lattice, a) for seed, a in zip(seeds, angles, strict=True)])
    grains = np.repeat(np.arange(grain_count), len(lattice))
    offsets = (turned - seeds[:, None]).reshape(-1, 2)
    candidates = turned.reshape(-1, 2)

    in_box_of_seed = (np.abs(offsets) <= box_A / 2).all(axis=1)
    candidates, grains = candidates[in_box_of_seed] % box_A, grains[in_box_of_seed]
    nearest, _ = cKDTree(seeds, boxsize=box_A).query(candidates)
    to_own = candidates - seeds[grains]
    to_own -= box_A * np.round(to_own / box_A)
    in_cell = np.linalg.norm(to_own, axis=1) - nearest < _CELL_OVERLAP_A
    positions, grains = candidates[in_cell], grains[in_cell]
    near = cKDTree(positions, boxsize=box_A).query_pairs(_NEAREST_A, output_type="ndarray")
    doubled = _thinned(near, len(positions))
    return positions[~doubled], grains[~doubled]


#: Cells of neighbouring grains overlap by about this [Å] before atoms are thinned out to no less
#: than this distance [Å]; chosen so that most atoms of a boundary find three neighbours.
_CELL_OVERLAP_A = 0.6
_NEAREST_A = 1.0


def _thinned(near: np.ndarray, count: int) -> np.ndarray:
    """Mark atoms to leave out, so that of every near pair at least one goes."""
    left_out = np.zeros(count, bool)
    for one, other in near:  # a handful of pairs along the boundaries, each depending on the last
        if not left_out[one] and not left_out[other]:
            left_out[max(one, other)] = True
    return left_out


def _lattice(
    size_A: tuple[float, float], rotation_rad: float, bond_A: float, rng: np.random.Generator
) -> np.ndarray:
    """Lattice points of graphene that cover a box generously, at a random offset."""
    size_A = np.asarray(size_A)
    vectors = bond_A * np.array([[np.sqrt(3), 0], [np.sqrt(3) / 2, 1.5]])
    reach = int(np.hypot(*size_A) / bond_A) + 4
    orders = np.arange(-reach, reach + 1)
    n, m = (grid.ravel() for grid in np.meshgrid(orders, orders))
    cells = np.stack([n, m], axis=1) @ vectors + rng.uniform(0, 1, 2) @ vectors
    points = np.concatenate([cells, cells + np.array([0, bond_A])])
    points = points[(np.abs(points) < np.hypot(*size_A) / 2 + 10).all(axis=1)]
    points = rotate(points, rotation_rad) + size_A / 2
    return points[((points > -5) & (points < size_A + 5)).all(axis=1)]


def _inside(positions: np.ndarray, size_A: tuple[float, float]) -> np.ndarray:
    high_A = np.asarray(size_A) - _RIM_A
    return ((positions > _RIM_A) & (positions < high_A)).all(axis=1)


def _in_hole(
    positions: np.ndarray, size_A: tuple[float, float], radius_A: float, rng: np.random.Generator
) -> np.ndarray:
    """Whether positions lie within a smooth irregular outline near the middle."""
    offsets = positions - rng.uniform(0.4, 0.6, 2) * size_A
    azimuths = np.arctan2(offsets[:, 1], offsets[:, 0])
    orders = np.arange(2, 6)
    lobes = np.cos(np.outer(azimuths, orders) + rng.uniform(0, 2 * np.pi, len(orders)))
    outline = radius_A * (1 + lobes @ (rng.normal(0, 0.4, len(orders)) / orders))
    return np.linalg.norm(offsets, axis=1) < outline


def _coordination(positions: np.ndarray, size_A: tuple[float, float] | None = None) -> np.ndarray:
    """Number of bonds of every atom; periodic along x and y where a box is given."""
    boxsize = None if size_A is None else (*size_A, 0)[: positions.shape[1]]
    pairs = cKDTree(positions, boxsize=boxsize).query_pairs(BOND_REACH_A, output_type="ndarray")
    return np.bincount(pairs.ravel(), minlength=len(positions))


def _bonded(positions: np.ndarray, size_A: tuple[float, float] | None = None) -> np.ndarray:
    """Indexes of the atoms that stay when those with fewer than two bonds go, again and again."""
    kept = np.arange(len(positions))
    while (loose := _coordination(positions[kept], size_A) < 2).any():
        kept = kept[~loose]
    return kept


def _edge_regions(positions: np.ndarray) -> np.ndarray:
    return np.where(_coordination(positions) < 3, "edge", "grain")


def _grain_regions(
    positions: np.ndarray, grains: np.ndarray, size_A: tuple[float, float]
) -> np.ndarray:
    """Regions of a polycrystal; the boundary is two bonds wide on either side."""
    tree = cKDTree(positions[:, :2], boxsize=size_A)
    pairs = tree.query_pairs(2.1 * BOND_A, output_type="ndarray")
    across = np.unique(pairs[grains[pairs[:, 0]] != grains[pairs[:, 1]]])
    region = np.full(len(positions), "grain", dtype="<U8")
    region[across] = "boundary"
    region[_coordination(positions, size_A) < 3] = "edge"
    return region


def _sheet(
    planar: np.ndarray, size_A: tuple[float, float], ripple_A: float, rng: np.random.Generator
) -> Structure:
    """Give planar positions long, low ripples and a box."""
    directions, wavelengths_A = rng.uniform(0, 2 * np.pi, 8), rng.uniform(15, 50, 8)
    vectors = 2 * np.pi / wavelengths_A * np.stack([np.cos(directions), np.sin(directions)])
    waves = np.sin(planar @ vectors + rng.uniform(0, 2 * np.pi, 8))
    heights = waves.sum(axis=1) * ripple_A / np.sqrt(8 / 2)
    return _structure(np.column_stack([planar, heights]), size_A)


def _structure(positions: np.ndarray, size_A: tuple[float, float]) -> Structure:
    """Put atoms in a box that is just high enough; every atom is a site of class 1."""
    if len(positions) == 0:
        raise InputError(f"specimen: no atom fits into a box of {size_A} Å; make size_A larger")
    low, high = positions[:, 2].min() - _HEADROOM_A, positions[:, 2].max() + _HEADROOM_A
    return Structure(
        positions=positions - (0, 0, low),
        numbers=np.full(len(positions), 6),
        cell_A=np.array([*size_A, high - low]),
        sites=positions[:, :2].copy(),
        classes=np.ones(len(positions), dtype=int),
    )


#: Maker of every kind of specimen, from its settings.
KINDS: dict[str, Callable[[Section], tuple[Structure, SpecimenTruth]]] = {
    "pristine": pristine_sheet,
    "strained": strained_sheet,
    "polycrystal": polycrystal,
}


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("output", metavar="OUTPUT.h5", help="the specimen to write")
    command_line.add_settings(arguments, "evaluation.specimen", SpecimenSettings)


def run(given: argparse.Namespace) -> None:
    section = complete(SpecimenSettings, given.settings, "specimen")
    structure, truth = make_specimen(parse(SpecimenSettings, section))
    made_by = provenance.made_by("simulate.py specimen", section, seed=section["seed"])
    write_specimen(given.output, structure, truth, made_by)
    logging.info("a simulated specimen of %d atoms in %s", len(structure.sites), given.output)


def make_specimen(settings: SpecimenSettings) -> tuple[Structure, SpecimenTruth]:
    """Make a specimen of any kind, with what is known of it.

    It is an error if no atom fits into the specimen.
    """
    return KINDS[settings.kind](settings)


def write_specimen(
    path: Path | str, structure: Structure, truth: SpecimenTruth, made_by: dict
) -> None:
    """Write a specimen as a file of structures with one more table, ``specimen``."""
    with atomic.replacing(path) as partial:
        layout.write_structures(partial, [(0, structure)], made_by)
        with sealed.change(partial) as file:
            tables.write_table(file, "specimen", truth_table(truth))


def read_specimen(path: Path | str) -> tuple[Structure, SpecimenTruth]:
    """Read the first structure of a file of structures, and what is known of it.

    A file without the table of :func:`write_specimen` leaves it unknown.
    """
    _, structure = next(layout.read_structures(path), (0, None))
    if structure is None:
        raise InputError(f"{path}: the file holds no structure; {sealed.remedy(path)}")
    count = len(structure.sites)
    with sealed.open_to_read(path) as file:
        if "specimen" not in file:
            return structure, SpecimenTruth(np.full(count, "unknown"), np.full((count, 3), np.nan))
        table = tables.read_table(file, "specimen", ["region", *STRAIN_COMPONENTS])
    strain = table[list(STRAIN_COMPONENTS)].to_numpy()
    return structure, SpecimenTruth(table["region"].to_numpy(str), strain)


def truth_table(truth: SpecimenTruth) -> pd.DataFrame:
    """Table of what is known of the atoms: ``region, e_xx, e_yy, e_xy, planar``."""
    table = pd.DataFrame(truth.strain, columns=list(STRAIN_COMPONENTS))
    table.insert(0, "region", truth.region.astype(object))
    table["planar"] = (table["e_xx"] + table["e_yy"]) / 2
    return table
