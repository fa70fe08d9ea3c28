"""What the targets are made of, by what models find."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from atomsight.errors import InputError
from atomsight.orchestration import pictures
from atomsight.orchestration.measurements import SCORES
from atomsight.orchestration.models import Models
from atomsight.orchestration.series import Series
from atomsight.reporting.evaluated_models import TABLES

#: The tables that are made of a series, by what its model finds.
OF_SERIES = {
    "atoms": ("atoms", "strain"),
    "columns": ("atoms", "sites"),
    "heights": ("atoms", "heights"),
    "species": ("atoms",),
}
#: The tables of the target scores, by what a model finds.
SCORED = {
    "atoms": ("evaluation",),
    "columns": ("columns", "background"),
    "heights": ("heights_summary",),
    "species": ("species_summary",),
}


def one_of(names: Iterable[str]) -> str:
    """A regular expression for the names there are; a wrong one is then no target at all."""
    return "|".join(map(re.escape, names)) or "(?!)"


@dataclass(frozen=True)
class Targets:
    """The files of targets, from what is known of models and series."""

    models: Models
    series: Series

    def metrics_tables(self) -> list[str]:
        """What was measured of the models that ship."""
        return [
            f"results/metrics/{model}/{table}.csv"
            for kind, tables in TABLES.items()
            for model in self.models.shipping(kind)
            for table in tables
        ]

    def score_tables(self) -> list[str]:
        """What was measured of the models of the configuration, and on simulated series."""
        return [
            *(
                f"results/models/{model}/{table}.csv"
                for kind, tables in SCORED.items()
                for model in self.models.trained(kind)
                if model in self.models.evaluated(kind)
                for table in tables
            ),
            *(
                score.outputs(f"results/series/{name}")[0]
                for score in SCORES.values()
                for name in self.series.simulated(score.simulations)
            ),
            *(f"results/comparisons/{name}.csv" for name in self.series.comparisons()),
        ]

    def own_series(self) -> list[str]:
        """Everything that can be made of the series of the sheet that are not simulated.

        Raises
        ------
        InputError
            If there is none.
        """
        own = self.series.own()
        if not own:
            raise InputError(
                f"{self.series.configuration['series']}: every row is a simulated series; write a"
                " sheet of your own, with a row for each of your series, and name it with --config"
                " series=PATH (docs/reference/sample_sheet.md tells its columns)"
            )
        return [
            path
            for name in own
            for path in (*self._tables(name), *pictures.of_series(self.series, name))
        ]

    def _tables(self, name: str) -> list[str]:
        """The tables of a series."""
        tables = OF_SERIES[self.models.finds(self.series.model(name))]
        return [f"results/series/{name}/{table}.csv" for table in tables]
