"""What is known of a simulated sequence, and its file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from atomsight.files import sealed, tables

if TYPE_CHECKING:
    from atomsight.phantoms.acquisition import AcquisitionSettings  # which needs abTEM


@dataclass(frozen=True)
class SequenceTruth:
    """What is known of a sequence of F frames with S sites.

    ``sites`` has ``site, x_A, y_A`` (in the first frame), ``atoms, dynamic, p_appear, p_vanish,
    hop_rate, region`` (``interior``, ``surface``, ``outside`` for lattice sites that are empty in
    the particle) and ``clear`` (seen apart from the support). ``occupied``, shape (S, F), says
    whether the column is there. ``drift``, shape (F, 2), is the position in a frame minus that in
    the first one [Å]. The field of view runs from the centre of the first pixel to that of the
    last, ``(x, y)`` [Å].
    """

    sites: pd.DataFrame
    occupied: np.ndarray
    drift: np.ndarray
    field_of_view_A: tuple[float, float]


def write_truth(
    path: Path | str, truth: SequenceTruth, settings: "AcquisitionSettings", made_by: dict
) -> None:
    """Write what is known of a sequence; ``made_by`` as in :mod:`atomsight.files.provenance`."""
    frames = len(truth.drift)
    drift = pd.DataFrame(
        {"frame": np.arange(frames), "x_A": truth.drift[:, 0], "y_A": truth.drift[:, 1]}
    )
    with sealed.create(path, made_by) as file:
        file.attrs.update(
            pixel_size_A=settings.pixel_size_A,
            frame_shape=(frames, settings.rows, settings.columns),
            field_of_view=truth.field_of_view_A,
            field_of_view_units="angstrom",
            dose_e_per_A2=settings.dose_e_per_A2,
        )
        tables.write_table(file, "sites", truth.sites)
        tables.write_table(file, "drift", drift)
        occupied = file.create_dataset("occupied", data=truth.occupied.astype(np.int8))
        occupied.attrs["units"] = ""


def read_truth(path: Path | str) -> SequenceTruth:
    """Read what :func:`write_truth` wrote."""
    with sealed.open_to_read(path) as file:
        return SequenceTruth(
            sites=tables.read_table(file, "sites"),
            occupied=file["occupied"][...] > 0,
            drift=tables.read_table(file, "drift")[["x_A", "y_A"]].to_numpy(),
            field_of_view_A=tuple(float(edge) for edge in file.attrs["field_of_view"]),
        )
