"""What rules write on command lines: settings as JSON, options that depend on a row."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from atomsight.orchestration.measurements import EVALUATIONS, SCORES
from atomsight.orchestration.models import Models
from atomsight.orchestration.series import Series


@dataclass(frozen=True)
class Options:
    """Texts for command lines, from the configuration, the models and the sheet."""

    configuration: Mapping
    models: Models
    series: Series

    def section(self, name: str, *keys: str) -> str:
        """A section of the configuration, or some keys of it."""
        section = self.configuration[name]
        return json.dumps({key: section[key] for key in keys} if keys else section)

    def everything(self) -> str:
        """The whole configuration."""
        return json.dumps(self.configuration)

    def simulation(self, name: str) -> str:
        """How a series is simulated."""
        return json.dumps(self.configuration[self.series.simulations()[name]][name])

    def specimen(self) -> str:
        """How the specimen is made that models are evaluated on."""
        return json.dumps(self.configuration["evaluation"]["specimen"])

    def model(self, name: str, *keys: str) -> str:
        """A model: all of it, one section of it, or several by their names."""
        section = self.models.sections[name]
        if len(keys) == 1:
            return json.dumps(section[keys[0]])
        return json.dumps({key: section[key] for key in keys or section})

    def material(self, name: str) -> str:
        """How the structures of a model are made."""
        section = self.models.sections[name]
        return json.dumps(section[section["material"]])

    def import_settings(self, name: str) -> str:
        """What the sample sheet tells of a series."""
        return json.dumps(self.series.import_settings(name))

    def particles(self, section: str, model: str, of: str) -> str:
        """A section of the evaluation, with the contrast and the metal of a model."""
        contrast = self.models.contrast(model, of)
        values = self.configuration[section] | {
            "contrast": "auto" if contrast == "either" else contrast
        }
        # The card of a model that is not in the configuration does not tell the metal.
        if "particle" in values and model in self.models.sections:
            values["particle"] = values["particle"] | self.models.of_phantom(model)
        return json.dumps(values)

    def evaluation(self, kind: str, wildcards: Any, output: Iterable[str]) -> list[str]:
        """What evaluate.py writes and how it measures, of a kind that stands in EVALUATIONS."""
        chosen = EVALUATIONS[kind]
        if chosen.finds in ("columns", "heights"):
            settings = self.particles(chosen.section, wildcards.model, wildcards.of)
        else:
            settings = self.section(chosen.section, *chosen.keys)
        return [
            *chosen.words(output),
            *("--inference", self.section("inference"), "--settings", settings),
            *(["--strain", self.section("strain")] if kind == "strain" else []),
        ]

    def score(self, kind: str, wildcards: Any, input: Any, output: Iterable[str]) -> list[str]:
        """What score.py writes and how it compares, of a kind that stands in SCORES."""
        _, *more = input.found
        relative = self.configuration["strain"]["reference"] == "relative"
        strain = ["--strain", *more, "--settings", json.dumps({"relative": relative})]
        return [*SCORES[kind].words(output), *(strain if more else [])]

    def hops(self, name: str, errors: list[str]) -> list[str]:
        """What tells hops from errors in a series, as far as it is known.

        ``errors`` is the table of how often its model errs, if there is one.
        """
        dose = self.series.dose_e_per_A2(name)
        return [
            *(["--errors", *errors] if errors else []),
            *(["--dose", str(dose)] if dose else []),
            *("--hops", self.section("hops")),
        ]
