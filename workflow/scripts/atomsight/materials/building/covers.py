"""What lies on a sheet and is not to be found: amorphous residue, and a further layer.

Contamination and the step to a second layer look grainy or periodic, and a network that never saw
them takes them for atoms. They cover part of a sheet here, up to a smooth outline; what lies under
them is no site any more, since an image does not tell its atoms from those of the cover.
"""

from collections.abc import Callable

import numpy as np
from ase.data import atomic_numbers

from atomsight.files.records import Structure
from atomsight.geometry import rotate
from atomsight.materials.building.support import amorphous_slab

#: Bond of graphene, and distance of its layers in graphite [Å].
_BOND_A = 1.42
_LAYERS_A = 3.35

#: Distance of amorphous residue from the sheet [Å].
_GAP_A = 2.5

#: Periods of the waves that make the outline of a cover, per edge of the box.
_HIGHEST_ORDER = 3

#: Least and greatest share of a sheet under its cover.
_COVERED_AREA = (0.05, 0.5)


def cover(
    sheet: Structure, thickness_A: tuple[float, float], rng: np.random.Generator
) -> Structure:
    """Lay residue or further layers on a part of a sheet in a square periodic box, on either side.

    ``thickness_A`` is the range of the thickness of residue. The box grows; the sites that stay are
    those beside the cover.
    """
    size = sheet.cell_A[0]
    if rng.random() < 0.5:
        atoms, numbers = amorphous_slab((size, size, rng.uniform(*thickness_A)), rng)
        gap_A = _GAP_A
    else:
        atoms, numbers = graphite(size, rng.integers(1, 3), rng)
        gap_A = _LAYERS_A
    atoms[:, :2] = (atoms[:, :2] + size / 2) % size
    inside = smooth_patch(size, rng.uniform(*_COVERED_AREA), rng)
    stays, free = inside(atoms[:, :2]), ~inside(sheet.sites)
    positions, atoms, height_A = _stacked(sheet.positions, atoms, gap_A, rng.random() < 0.5)
    return Structure(
        positions=np.concatenate([positions, atoms[stays]]),
        numbers=np.concatenate([sheet.numbers, numbers[stays]]),
        cell_A=np.add(sheet.cell_A, [0, 0, height_A]),
        sites=sheet.sites[free],
        classes=sheet.classes[free],
    )


def _stacked(
    sheet: np.ndarray, cover: np.ndarray, gap_A: float, first: bool
) -> tuple[np.ndarray, np.ndarray, float]:
    """Put a cover where the beam, which runs along z, meets it first, or behind the sheet.

    The third value is by how much the box grows.
    """
    height_A = np.ptp(cover[:, 2]) + gap_A
    if first:
        sheet = np.add(sheet, [0, 0, height_A])
        lift_A = sheet[:, 2].min() - gap_A - cover[:, 2].max()
    else:
        lift_A = sheet[:, 2].max() + gap_A - cover[:, 2].min()
    return sheet, np.add(cover, [0, 0, lift_A]), height_A


def graphite(size_A: float, layers: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Stacked layers of graphene, each turned at random, in a square with its middle at zero.

    Gives positions, shape (M, 3) [Å], and atomic numbers.
    """
    lattice = _BOND_A * np.array([[np.sqrt(3), 0], [np.sqrt(3) / 2, 1.5]])
    reach = int(np.ceil(size_A / _BOND_A))
    cells = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2), axis=-1).reshape(-1, 2)
    flat = np.concatenate([cells @ lattice, cells @ lattice + [0, _BOND_A]])
    stack = []
    for layer in range(layers):
        shift = rng.uniform(0, 1, 2) @ lattice
        turned = rotate(flat + shift, rng.uniform(0, np.pi / 3))
        turned = turned[(np.abs(turned) < size_A / 2).all(axis=1)]
        stack.append(np.column_stack([turned, np.full(len(turned), layer * _LAYERS_A)]))
    atoms = np.concatenate(stack)
    return atoms, np.full(len(atoms), atomic_numbers["C"])


def smooth_patch(
    size_A: float, share: float, rng: np.random.Generator
) -> Callable[[np.ndarray], np.ndarray]:
    """Choose a random part of a periodic square, about such a share of it, with a smooth outline.

    The function that it gives marks the positions that lie inside.
    """
    orders = np.stack(
        np.meshgrid(*[np.arange(-_HIGHEST_ORDER, _HIGHEST_ORDER + 1)] * 2), axis=-1
    ).reshape(-1, 2)
    orders = orders[orders.any(axis=1)]
    amplitudes = rng.standard_normal(len(orders)) / np.sum(orders**2, axis=1)
    phases = rng.uniform(0, 2 * np.pi, len(orders))

    def height(points: np.ndarray) -> np.ndarray:
        return np.cos(2 * np.pi / size_A * points @ orders.T + phases) @ amplitudes

    limit = np.quantile(height(rng.uniform(0, size_A, (4000, 2))), 1 - share)
    return lambda points: height(points) > limit
