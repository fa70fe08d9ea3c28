"""The tables that evaluations of a model leave, by what the model finds."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from atomsight import materials
from atomsight.config.evaluation import MAIN_CAMERA
from atomsight.errors import InputError
from atomsight.files import sealed, tables
from atomsight.learning import models

#: Columns of numbers needed of every table, by what a model finds. The first table of a kind must
#: be there, the others may be missing.
TABLES = {
    "atoms": {
        "evaluation": (
            *("dose_e_per_A2", "precision", "precision_low", "precision_high", "recall"),
            *("recall_low", "recall_high", "f1", "f1_low", "f1_high", "rms_error_A", "in_range"),
            *("bound_A", "peaks_precision", "peaks_recall", "peaks_f1", "peaks_rms_error_A"),
        ),
        "conditions": ("value", "dose_e_per_A2", "f1", "peaks_f1", "in_range"),
        "settings": ("setting", "dose_e_per_A2", "f1", "peaks_f1", "in_range", "resolves_bond"),
        "strain": (
            *("dose_e_per_A2", "in_range", "bond_mean_A", "bond_std_A", "bond_std_A_low"),
            *("bond_std_A_high", "bond_bound_A", "planar_rms", "planar_rms_low"),
            *("planar_rms_high", "planar_bound", "strained_atoms"),
        ),
    },
    "columns": {
        "columns": (
            *("zone_axis", "tilt_deg", "dose_e_per_A2", "columns", "f1", "rms_error_pm"),
            *("classical_f1", "classical_rms_error_pm", "in_range"),
        ),
        "background": ("dose_e_per_A2", "per_nm2", "per_nm2_low", "per_nm2_high"),
    },
    "heights": {
        "heights_summary": (
            *("tilt_low_deg", "tilt_high_deg", "dose_e_per_A2", "columns", "exact", "exact_low"),
            *("exact_high", "off_by_1", "off_by_2", "off_by_3plus", "within_one", "exact_1_6"),
            *("mean_error", "in_range"),
        ),
        "heights_displacements": (
            *("thermal_displacement_A", "static_displacement_A", "dose_e_per_A2", "columns"),
            *("tilt_high_deg", "exact", "exact_low", "exact_high", "exact_1_6", "exact_1_6_low"),
            *("exact_1_6_high", "mean_error", "mean_error_low", "mean_error_high"),
        ),
    },
    "species": {
        "species_summary": (
            *("frames", "dose_e_per_A2", "sites", "accuracy", "accuracy_low", "accuracy_high"),
            *("missed", "invented", "calibration_error", "in_range"),
        ),
    },
}


#: An answer is trusted where this share of it is right.
TRUSTED = 0.99

#: The first table of every kind has several cameras.
_CAMERA = {next(iter(columns)): ("camera",) for columns in TABLES.values()}


@dataclass(frozen=True)
class EvaluatedModel:
    """A model and what was measured of it.

    ``finds`` is a key of :data:`TABLES`, ``specimens`` says in what, such as "monolayers of MoS₂".
    The doses are those of its training [e/Å²], of all images of a focal series together. Of the
    first table, the cameras other than the main one are in ``cameras``.
    """

    name: str
    finds: str
    specimens: str
    doses_e_per_A2: tuple[float, float]
    tables: dict[str, pd.DataFrame]

    def trained(self, table: pd.DataFrame) -> np.ndarray:
        """Whether the rows of a table are of images like those of the training.

        The table has ``dose_e_per_A2``, and ``in_range`` if more than the dose is known.
        """
        if "in_range" in table:
            return table["in_range"].to_numpy(bool)
        low, high = self.doses_e_per_A2
        return table["dose_e_per_A2"].between(0.999 * low, 1.001 * high).to_numpy()


def read_model(folder: Path | str, place: Path | str) -> EvaluatedModel:
    """Read the card of a model and the tables of what was measured of it, the first at least."""
    card = models.read_card(folder)
    finds = materials.purpose(card.material, card.class_names)
    first = next(iter(TABLES[finds]))
    if not (path := Path(place) / f"{first}.csv").is_file():
        raise InputError(f"{path}: this table of the model {card.name} is missing; evaluate it")
    found = {
        name: _read_table(Path(place) / f"{name}.csv", columns)
        for name, columns in TABLES[finds].items()
        if (Path(place) / f"{name}.csv").is_file()
    }
    main = found[first]["camera"] == MAIN_CAMERA
    found |= {first: found[first][main].reset_index(drop=True), "cameras": found[first][~main]}
    low, high = card.microscope["dose_e_per_A2"]
    specimens = materials.material(card.material).IN_WORDS
    return EvaluatedModel(card.name, finds, specimens, (float(low), float(high)), found)


def _read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a table that has rows, and numbers in these columns."""
    table = tables.read_csv(path, columns, _CAMERA.get(path.stem, ()))
    if table.empty:
        raise InputError(f"{path}: the table has no rows; {sealed.remedy(path)}")
    return table
