"""Lattices of columns and sheets of atoms, in ångström."""

import numpy as np
import pandas as pd
from ase.build import graphene

from atomsight.analysis.bonds import find_bonds
from atomsight.analysis.dynamics.drift import Columns

BOND_A = 1.42


def sheet(cells: int) -> np.ndarray:
    """A rhombus of graphene about the origin, `cells` by `cells`, a zigzag row along x."""
    positions = graphene(a=np.sqrt(3) * BOND_A, size=(cells, cells, 1)).positions[:, :2]
    return positions - positions.mean(axis=0)


def stone_wales(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn the bond nearest to the origin by 90 degrees; also give its two atoms."""
    bonds = find_bonds(positions, 3, 3**0.25)
    bond = bonds[np.linalg.norm(positions[bonds].mean(axis=1), axis=1).argmin()]
    middle = positions[bond].mean(axis=0)
    turned = positions.copy()
    turned[bond] = middle + (positions[bond] - middle)[:, ::-1] * [-1, 1]
    return turned, bond


def hexagonal(radius_A: float, spacing_A: float = 2.5, turn_rad: float = 0.0) -> np.ndarray:
    """A round piece of a hexagonal lattice about the origin."""
    steps = np.stack(np.meshgrid(np.arange(-20, 21), np.arange(-20, 21)), -1).reshape(-1, 2)
    points = steps @ (spacing_A * np.array([[1, 0], [0.5, np.sqrt(3) / 2]]))
    cosine, sine = np.cos(turn_rad), np.sin(turn_rad)
    return points[np.hypot(*points.T) < radius_A] @ np.array([[cosine, sine], [-sine, cosine]])


def square(columns: int, rows: int, corner_A: object = 10.0) -> np.ndarray:
    """A square lattice of columns 2.5 Å apart, row by row."""
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    return np.stack([x.ravel(), y.ravel()], axis=1) * 2.5 + corner_A


def columns_of(found: list[np.ndarray], shape: tuple[int, int], pixel_A: float) -> Columns:
    """What is found in the frames of a series, frame by frame."""
    frames = np.repeat(np.arange(len(found)), [len(one) for one in found])
    return Columns(frames, np.concatenate(found), (len(found), *shape), pixel_A)


def picture(places_A: np.ndarray, shape: tuple[int, int], pixel_A: float, sigma_A: float):
    """Gaussians of height one at some places."""
    grids = (np.arange(edge) * pixel_A for edge in shape[::-1])
    x, y = (
        np.exp(-((grid - along[:, None]) ** 2) / (2 * sigma_A**2))
        for grid, along in zip(grids, places_A.T, strict=True)
    )
    return y.T @ x


def drift_table(shifts_A: np.ndarray, unused: tuple[int, ...] = ()) -> pd.DataFrame:
    """Drift that is known, except of frames that are not used."""
    table = pd.DataFrame(np.asarray(shifts_A, float), columns=["x_A", "y_A"])
    table.insert(0, "frame", np.arange(len(table)))
    table["used"] = ~table["frame"].isin(unused)
    table.loc[list(unused), ["x_A", "y_A"]] = np.nan
    return table
