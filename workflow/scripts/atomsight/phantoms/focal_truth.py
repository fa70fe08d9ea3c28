"""What is known of a simulated focal series, and its file."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from atomsight.files import sealed, tables


@dataclass(frozen=True)
class RecordingTruth:
    """What is known of a focal series of F images.

    ``columns`` has ``x_A, y_A`` from the centre of the first pixel, where the images lie on average
    [Å], ``class`` and ``region``; columns up to 2 Å outside are listed too. ``shifts_A``, shape
    (F, 2), is the position in an image minus that in ``columns``; zero on average. The field of
    view runs from the centre of the first pixel to that of the last. The dose is that of all images
    together, and ``class_names`` are all classes there are.
    """

    columns: pd.DataFrame
    shifts_A: np.ndarray
    field_of_view_A: tuple[float, float]
    focus_A: tuple[float, ...]
    dose_e_per_A2: float
    class_names: tuple[str, ...]


def write_truth(path: Path | str, truth: RecordingTruth, made_by: dict) -> None:
    """Write the truth about a focal series: the tables ``columns`` and ``shifts``."""
    x, y = truth.shifts_A.T
    shifts = pd.DataFrame({"frame": np.arange(len(x)), "x_A": x, "y_A": y})
    with sealed.create(path, made_by) as file:
        file.attrs.update(field_of_view=truth.field_of_view_A, field_of_view_units="angstrom")
        file.attrs.update(focus_A=truth.focus_A, dose_e_per_A2=truth.dose_e_per_A2)
        file.attrs["class_names"] = np.asarray(truth.class_names, dtype=h5py.string_dtype())
        tables.write_table(file, "columns", truth.columns)
        tables.write_table(file, "shifts", shifts)


def read_truth(path: Path | str) -> RecordingTruth:
    """Read what :func:`write_truth` wrote."""
    with sealed.open_to_read(path) as file:
        return RecordingTruth(
            columns=tables.read_table(file, "columns", ["x_A", "y_A", "class"]),
            shifts_A=tables.read_table(file, "shifts")[["x_A", "y_A"]].to_numpy(),
            field_of_view_A=tuple(float(edge) for edge in file.attrs["field_of_view"]),
            focus_A=tuple(float(focus) for focus in file.attrs["focus_A"]),
            dose_e_per_A2=float(file.attrs["dose_e_per_A2"]),
            class_names=tuple(file.attrs["class_names"]),
        )
