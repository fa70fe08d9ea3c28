"""Films in which there is nothing to find: amorphous carbon, and ceria off all zone axes.

Simulated particles lie on them, and they are imaged alone. Neither comes from the generator of the
training's structures: the carbon is grown from random points that bond to each other and push each
other away, and the crystal is another.
"""

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from atomsight.files.records import Structure

#: Height of the box above and below the outermost atoms [Å].
HEADROOM_A = 3.0

#: Amorphous carbon: atoms per volume of 1.9 g/cm³, hard core of the random points, length of a
#: bond, smallest distance without a bond.
_CARBON_PER_A3 = 1.9 / 12.011 * 0.60221
_CARBON_CORE_A = 1.3
_CARBON_BOND_A = 1.45
_CARBON_APART_A = 2.4

#: Ceria: lattice constant, and the smallest angles of the beam from zone axes with dense columns.
_CERIA_A = 5.41
_OFF_AXIS_DEG = {(1, 0, 0): 8.0, (1, 1, 0): 8.0, (1, 1, 1): 8.0, (1, 1, 2): 6.0, (0, 1, 2): 6.0}


def amorphous_carbon(
    size_A: np.ndarray, thickness_A: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A film of amorphous carbon of 1.9 g/cm³, periodic along x and y.

    Points are put at random, none nearer than 1.3 Å to another. Then mutual nearest neighbours, at
    most three to an atom, are drawn to the length of a bond, and all others are pushed apart.
    Positions, z from 0 to the thickness [Å], and atomic numbers.
    """
    edges = np.array([*size_A, thickness_A])
    positions = _random_addition(round(_CARBON_PER_A3 * edges.prod()), edges, rng)
    for _ in range(25):
        positions = _bonding_step(positions, edges)
    return positions, np.full(len(positions), 6)


def _random_addition(count: int, edges: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random points, none nearer than the hard core to another, added in batches."""
    boxsize = [*edges[:2], 0]
    points = np.empty((0, 3))
    while len(points) < count:
        points = np.concatenate([points, rng.uniform(0, 1, (count - len(points), 3)) * edges])
        near = cKDTree(points, boxsize=boxsize).query_pairs(_CARBON_CORE_A, output_type="ndarray")
        # Of every pair the later point goes; those of earlier batches never meet.
        points = np.delete(points, np.unique(near.max(axis=1)), axis=0)
    return points


def _bonding_step(positions: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Draw bonded atoms together or apart, and push the others apart."""
    boxsize = [*edges[:2], 0]
    pairs = cKDTree(positions, boxsize=boxsize).query_pairs(_CARBON_APART_A, output_type="ndarray")
    one, other = np.concatenate([pairs, pairs[:, ::-1]]).T
    offsets = positions[other] - positions[one]
    offsets[:, :2] -= edges[:2] * np.round(offsets[:, :2] / edges[:2])
    distances = np.linalg.norm(offsets, axis=1)
    order = np.lexsort((distances, one))
    rank = np.empty(len(one), int)
    rank[order] = np.arange(len(one)) - np.searchsorted(one[order], one[order])
    nearest = rank < 3
    bonded = nearest & np.roll(nearest, len(pairs))  # the same pair seen from its other atom
    wanted = np.where(bonded, _CARBON_BOND_A, _CARBON_APART_A)
    # Half of the way is the other atom's, and half of the rest is for the next step.
    shifts = offsets * ((distances - wanted) / (4 * distances))[:, None]
    moved = positions + np.stack(
        [np.bincount(one, shift, minlength=len(positions)) for shift in shifts.T], axis=1
    )
    moved[:, :2] %= edges[:2]
    moved[:, 2] = np.clip(moved[:, 2], 0, edges[2])
    return moved


def ceria(
    size_A: np.ndarray, thickness_A: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A film of ceria, in an orientation that shows no columns, as :func:`amorphous_carbon`.

    It is not periodic, but ends just inside the box.
    """
    edges = np.array([*size_A, thickness_A])
    turn = off_axis_rotation(rng)
    reach = int(np.linalg.norm(edges) / 2 / _CERIA_A) + 2
    orders = np.arange(-reach, reach + 1)
    cells = np.stack(np.meshgrid(orders, orders, orders), axis=-1).reshape(-1, 1, 3)
    face_centres = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    basis = np.concatenate([face_centres, face_centres + 0.25, face_centres + 0.75])
    numbers = np.tile([58] * 4 + [8] * 8, len(cells))
    points = (cells + basis + rng.uniform(0, 1, 3)).reshape(-1, 3) * _CERIA_A
    positions = turn.apply(points) + edges / 2
    rim = np.array([_CERIA_RIM_A, _CERIA_RIM_A, 0])
    inside = ((positions >= rim) & (positions <= edges - rim)).all(axis=1)
    return positions[inside], numbers[inside]


#: Ceria ends this far inside its box, so that its atoms do not meet across the edge [Å].
_CERIA_RIM_A = 0.75


def off_axis_rotation(rng: np.random.Generator) -> Rotation:
    """Draw an orientation of a cubic crystal whose low-index zone axes are all off the beam.

    The rotation leads from the axes of the crystal to those of the image.
    """
    while True:
        turn = Rotation.random(rng=rng)
        if is_off_axis(turn.inv().apply([0, 0, 1])):
            return turn


def is_off_axis(beam: np.ndarray) -> bool:
    """Whether a beam is away from all zone axes of a cubic crystal with dense columns.

    That is at least 8° off ⟨100⟩, ⟨110⟩ and ⟨111⟩ and 6° off ⟨112⟩ and ⟨012⟩. The direction is a
    unit vector in the axes of the crystal.
    """
    folded = np.sort(np.abs(beam))  # the member of a family nearest to the beam has sorted indexes
    zones = np.sort(np.array(list(_OFF_AXIS_DEG)), axis=1)
    cosines = zones @ folded / np.linalg.norm(zones, axis=1)
    angles_deg = np.rad2deg(np.arccos(np.clip(cosines, -1, 1)))
    return bool((angles_deg >= list(_OFF_AXIS_DEG.values())).all())


#: Makers of films, by the name of the support.
FILMS = {"amorphous": amorphous_carbon, "crystalline": ceria}


def make_film(
    kind: str, size_A: tuple[float, float], thickness_A: float, rng: np.random.Generator
) -> Structure:
    """A film of one of :data:`FILMS` in its box, without sites: nothing is to be found in it."""
    positions, numbers = FILMS[kind](np.asarray(size_A, float), thickness_A, rng)
    return Structure(
        positions=positions + np.array([0, 0, HEADROOM_A]),
        numbers=numbers,
        cell_A=np.array([*size_A, thickness_A + 2 * HEADROOM_A]),
        sites=np.empty((0, 2)),
        classes=np.empty(0, int),
    )
