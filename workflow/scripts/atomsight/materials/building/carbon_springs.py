"""Springs that pull the atoms of a carbon sheet to the distances of carbon.

At edges and defects those are not the distances of graphene. The fewer bonds an atom has, the
shorter and the further apart in direction they are: 1.37 Å at zigzag and 1.23 Å at armchair edges
(P. Koskinen, S. Malola, H. Häkkinen, Phys. Rev. Lett. 101, 115502 (2008)), 1.42 Å and 120° in the
sheet, 1.54 Å in diamond. Every atom of two or four bonds draws its own from wide ranges; that of
two bonds then draws the angle between them once more, for springs leave it little choice.
"""

import numpy as np
import scipy

#: Distance of neighbours in graphene [Å].
BOND_A = 1.42

#: By how much an atom with two bonds shortens them, fewest and most [Å].
_TWOFOLD_SHORTENING_A = (-0.1, 0.2)

#: An atom with four or more bonds lengthens them by up to this [Å].
_FOURFOLD_LENGTHENING_A = 0.2

#: Range of the angle between the two bonds of an atom that has no others [rad].
_TWOFOLD_ANGLE = np.deg2rad([115, 175])


def distances_of_carbon(
    bonds: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lengths of the bonds, and pairs of second neighbours with their distances [Å].

    Of two atoms that would change the bond between them, the one that changes it more prevails.
    """
    coordination = np.bincount(bonds.ravel(), minlength=count)
    is_twofold = coordination == 2
    shortening = rng.uniform(*_TWOFOLD_SHORTENING_A, count) * is_twofold
    lengthening = rng.uniform(0, _FOURFOLD_LENGTHENING_A, count) * (coordination > 3)
    lengths = BOND_A + lengthening[bonds].max(axis=1) - _stronger(shortening[bonds])
    angle = np.where(is_twofold, rng.uniform(*_TWOFOLD_ANGLE, count), 2 * np.pi / 3)
    return lengths, *second_neighbours(bonds, lengths, angle)


def _stronger(changes: np.ndarray) -> np.ndarray:
    """Of the changes that the two atoms of a bond make, shape (B, 2), the larger, with its sign."""
    return changes[np.arange(len(changes)), np.abs(changes).argmax(axis=1)]


def relax_springs(
    atoms: np.ndarray, bonds: np.ndarray, size: float, rng: np.random.Generator
) -> np.ndarray:
    """Pull neighbours and second neighbours to the distances of carbon."""

    bond_lengths, second, second_distances = distances_of_carbon(bonds, len(atoms), rng)
    pairs = np.concatenate([bonds, second])
    lengths = np.concatenate([bond_lengths, second_distances])
    stiffness = np.repeat([1.0, 0.25], [len(bonds), len(second)])

    def energy(flat: np.ndarray) -> tuple[float, np.ndarray]:
        positions = flat.reshape(-1, 2)
        apart = positions[pairs[:, 1]] - positions[pairs[:, 0]]
        apart -= size * np.round(apart / size)
        distance = np.linalg.norm(apart, axis=1)
        stretch = distance - lengths
        force = (stiffness * stretch / distance)[:, None] * apart
        gradient = np.column_stack(
            [
                np.bincount(pairs[:, 1], force[:, axis], minlength=len(positions))
                - np.bincount(pairs[:, 0], force[:, axis], minlength=len(positions))
                for axis in (0, 1)
            ]
        )
        return 0.5 * float(np.sum(stiffness * stretch**2)), gradient.ravel()

    found = scipy.optimize.minimize(
        energy, atoms.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 40}
    )
    return found.x.reshape(-1, 2) % size


def bend_twofold(
    atoms: np.ndarray, bonds: np.ndarray, size: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw the angle of every atom that has two bonds anew, its neighbours staying where they are.

    Springs leave it but a few degrees. A network that has seen no other then takes its prior for
    the position.
    """
    ends = np.concatenate([bonds, bonds[:, ::-1]])
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    is_twofold = np.bincount(ends[:, 0], minlength=len(atoms)) == 2
    one, other = ends[is_twofold[ends[:, 0]], 1].reshape(-1, 2).T
    at = atoms[is_twofold]
    arms = np.stack([atoms[one] - at, atoms[other] - at])
    arms -= size * np.round(arms / size)
    to_middle = arms.mean(axis=0)
    across = np.linalg.norm(arms[1] - arms[0], axis=1) / 2
    height = np.linalg.norm(to_middle, axis=1)
    wanted = across / np.tan(rng.uniform(*_TWOFOLD_ANGLE, len(at)) / 2)
    moved = atoms.copy()
    moved[is_twofold] += to_middle * (1 - wanted / np.maximum(height, 0.05))[:, None]
    return moved % size


def second_neighbours(
    bonds: np.ndarray, lengths_A: np.ndarray, angle: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of atoms that share a neighbour and are not bonded themselves, each once.

    Their distances follow from the lengths of their bonds to the neighbour, and from the angle
    between its bonds, shape (atoms,) [rad]; those that share several get the mean [Å].
    """
    ends = tuple(np.concatenate([bonds, bonds[:, ::-1]]).T)
    shape = (len(angle), len(angle))
    bonded = scipy.sparse.csr_array((np.ones(len(ends[0]), dtype=int), ends), shape=shape)
    reach = scipy.sparse.csr_array(
        (np.tile(lengths_A, 2) * np.sin(angle / 2)[ends[1]], ends), shape=shape
    )
    shared = scipy.sparse.triu(bonded @ bonded, k=1).astype(bool)
    pairs = (shared > bonded.astype(bool)).nonzero()
    across = reach @ bonded
    total = across[pairs] + across.T.tocsr()[pairs]
    return np.column_stack(pairs), total / (bonded @ bonded)[pairs]
