"""Rows of the sample sheet: their files, their models, and what is known of simulated ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import NoReturn

import pandas as pd

from atomsight.errors import InputError
from atomsight.learning.models import check_learned_focus
from atomsight.orchestration import sample_sheet
from atomsight.orchestration.folders import Folders
from atomsight.orchestration.models import Models
from atomsight.orchestration.registry import read_registry

#: Where the workflow puts what it simulates.
SIMULATED = "results/acquisitions"
#: Where it puts the public images of its registry.
PUBLIC = "data/images"
#: What simulate.py makes of sections of the configuration, whose simulations rows can name.
SIMULATIONS = {
    "acquisitions": "acquisition",
    "sequences": "sequence",
    "focal_series": "focal_series",
}


@dataclass(frozen=True)
class Series:
    """The rows of the sample sheet, with the configuration and the models they are read by."""

    sheet: pd.DataFrame
    configuration: Mapping
    models: Models

    @classmethod
    def of(cls, configuration: Mapping, models: Models, folders: Folders) -> "Series":
        """Read the sheet that the configuration names, and see that its models exist and suit.

        Raises
        ------
        InputError
            If the sheet is wrong, or a row names a model that there is not, or one that does not
            read images of the row's focus.
        """
        sheet = sample_sheet.read_sheet(folders.located(configuration["series"]))
        series = cls(sheet, configuration, models)
        for name in series.names:
            series._check_model(name)
        return series

    def _check_model(self, name: str) -> None:
        where, model = f"{self.configuration['series']}: series {name}", self.model(name)
        self.models.check(model, where)
        microscope = self.models.facts(model)["microscope"]
        check_learned_focus(model, microscope, self.sheet.at[name, "focus_A"], where)

    @property
    def names(self) -> list[str]:
        """All series, in the order of the sheet."""
        return list(self.sheet.index)

    def read_by(self, kind: str) -> list[str]:
        """The series in which a model finds atoms, columns, heights or species."""
        return [name for name in self.names if self.models.finds(self.model(name)) == kind]

    def model(self, name: str) -> str:
        """Name of the model that reads a series."""
        return self.models.current(self.sheet.at[name, "model"])

    def material(self, name: str) -> str:
        """Material that the model of a series is for."""
        return self.models.facts(self.model(name))["material"]

    def title(self, name: str) -> str:
        """What pictures say of a series: its notes; one that is simulated is always called so."""
        notes = self.sheet.at[name, "notes"] or name
        simulated = any(self.simulation(name, kind) for kind in SIMULATIONS)
        return f"Simulated: {notes}" if simulated and "simulated" not in notes.lower() else notes

    def contrast(self, name: str) -> str:
        """Contrast of a series: bright, dark, or auto where the sheet does not tell."""
        return self.sheet.at[name, "contrast"] or "auto"

    def dose_e_per_A2(self, name: str) -> float | None:
        """Dose of an image of a series, or of all images of a focal series together [e/Å²]."""
        return self.sheet.at[name, "dose_e_per_A2"]

    def path(self, name: str) -> str:
        """Path of a series, or a glob, as rules name files."""
        return self.models.folders.named(Path(self.sheet.at[name, "path"]))

    def files(self, name: str) -> list[str]:
        """The files of a series, those that a rule will make included.

        Raises
        ------
        InputError
            If there is none, or if the mask of the series does not exist.
        """
        path = self.path(name)
        for mask in self.mask(name):
            if not Path(mask).exists():
                self._missing(name, "mask", "this file does not exist")
        if has_magic(path):
            return sorted(glob(path)) or self._missing(name, "path", "no file fits this pattern")
        if not self._is_made(name) and not Path(path).exists():
            self._missing(name, "path", "this file does not exist")
        return [path]

    def _is_made(self, name: str) -> bool:
        """Whether a rule makes the file of a series: it is simulated, or a public image."""
        path = Path(self.path(name))
        is_public = path.parent == Path(PUBLIC) and path.stem in read_registry().index
        return is_public or name not in self.own()

    def _missing(self, name: str, column: str, fault: str) -> NoReturn:
        sheet = self.configuration["series"]
        raise InputError(
            f"{sheet}, series {name}, column {column}: {self.sheet.at[name, column]}: {fault};"
            " correct the column, which is relative to the sheet, or bring the file there"
        )

    def mask(self, name: str) -> list[str]:
        """The mask of a series; nothing if it has none."""
        mask = self.sheet.at[name, "mask"]
        return [mask] if mask else []

    def still_mask(self, name: str) -> list[str]:
        """Mask that holds for every frame alike; that of a particle follows the drift instead."""
        return [] if name in self.read_by("columns") else self.mask(name)

    def import_settings(self, name: str) -> dict:
        """What the sample sheet tells of a series, for import_series.py."""
        row = self.sheet.loc[name]
        return {
            "series": name,
            "pixel_size_A": row["pixel_size_A"],
            "frames": row["frames"],
            "focus_A": row["focus_A"],
            "mask": next(iter(self.still_mask(name)), None),
            "model_pixel_size_A": self.models.pixel_size_A(self.model(name)),
        }

    def simulation(self, name: str, kind: str) -> str | None:
        """Name of the simulation behind a series, of one kind of :data:`SIMULATIONS`, if any."""
        path = Path(self.path(name))
        known = path.parent == Path(SIMULATED) and path.stem in self.configuration[kind]
        return path.stem if known else None

    def simulated(self, kind: str) -> list[str]:
        """The series behind which there is a simulation of one kind of :data:`SIMULATIONS`."""
        return [name for name in self.names if self.simulation(name, kind)]

    def truth(self, name: str, *kinds: str) -> list[str]:
        """The truth of a series that is simulated, in one of some ways; nothing of another one."""
        found = (self.simulation(name, kind) for kind in kinds or SIMULATIONS)
        return [f"{SIMULATED}/{simulation}_truth.h5" for simulation in found if simulation]

    def simulations(self) -> dict[str, str]:
        """Sections of the configuration that simulations are in, by their names."""
        return {name: kind for kind in SIMULATIONS for name in self.configuration[kind]}

    def own(self) -> list[str]:
        """The series that are not simulated by the workflow itself."""
        return [
            name
            for name in self.names
            if not any(self.simulation(name, kind) for kind in SIMULATIONS)
        ]

    def detection_errors(self, name: str) -> list[str]:
        """Table of how often the model of a series errs: shipped, or made here.

        Nothing if the dose is unknown, or if the model ships without one.
        """
        if self.dose_e_per_A2(name) is None:
            return []
        model = self.model(name)
        if model in self.models.sections:
            return [f"results/models/{model}/detection_errors.csv"]
        shipped = f"{self.models.shipped_folder(model)}/detection_errors.csv"
        return [shipped] if Path(shipped).exists() else []

    def comparisons(self) -> dict[str, tuple[str, str]]:
        """Comparisons of the configuration; those of simulated series only if the sheet has them.

        Raises
        ------
        InputError
            If one names what is not a series of particles.
        """
        known, chosen = self.read_by("columns"), {}
        for name, pair in self.configuration["comparisons"].items():
            missing = [series for series in pair if series not in known]
            if not missing:
                chosen[name] = pair
            elif not set(missing) <= set(self.configuration["sequences"]):
                raise InputError(
                    f"comparisons.{name}: {missing[0]} is not a series of particles in"
                    f" {self.configuration['series']}; correct the name or add the row"
                )
        return chosen
