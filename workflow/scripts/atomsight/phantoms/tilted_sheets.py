"""Sheets that do not lie flat in the microscope."""

import dataclasses

import numpy as np

from atomsight.files.records import Structure

#: Vacuum above and below the sheet [Å].
_HEADROOM_A = 2.0


def tilt(structure: Structure, tilt_deg: float) -> Structure:
    """Turn a sheet about an axis along y through the middle of its box.

    What an image can show of an atom is its position projected along the beam. So the sites of the
    tilted sheet are x and y of the turned atoms: x shrinks by the cosine, and an atom that stands
    out of the sheet moves by its height times the sine.

    The same atoms in the same order, in a box that is narrower along x and as high as they need.
    One end stands higher than the other, so across the edge of the box the sheet is continued in x
    and y, but not in height.
    """
    if len(structure.sites) != len(structure.positions):
        raise ValueError("only a sheet in which every atom is a site can be tilted")
    angle = np.deg2rad(tilt_deg)
    middle = np.append(structure.cell_A[:2] / 2, np.mean(_ends(structure.positions[:, 2])))
    x, y, z = (structure.positions - middle).T
    width = structure.cell_A[0] * np.cos(angle)
    turned = np.stack(
        [
            np.mod(x * np.cos(angle) + z * np.sin(angle) + width / 2, width),
            y + middle[1],
            z * np.cos(angle) - x * np.sin(angle),
        ],
        axis=1,
    )
    low, high = _ends(turned[:, 2])
    turned[:, 2] += _HEADROOM_A - low
    return dataclasses.replace(
        structure,
        positions=turned,
        cell_A=np.array([width, structure.cell_A[1], high - low + 2 * _HEADROOM_A]),
        sites=turned[:, :2].copy(),
    )


def _ends(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(values.max())
