"""What evaluate.py measures of models and score.py of simulated series, kind by kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class _Measurement:
    """A kind of a script.

    Attributes
    ----------
    tables : Mapping
        The tables it writes, without ``.csv``, and their options on the command line; those without
        an option stand there in this order.
    """

    tables: Mapping[str, str | None]

    def outputs(self, folder: str) -> list[str]:
        """Paths of the tables."""
        return [f"{folder}/{table}.csv" for table in self.tables]

    def words(self, paths: Iterable[str]) -> list[str]:
        """The tables on the command line."""
        pairs = zip(self.tables.values(), paths, strict=True)
        return [word for pair in pairs for word in pair if word]


@dataclass(frozen=True)
class Evaluation(_Measurement):
    """A kind of evaluate.py.

    Attributes
    ----------
    finds : str
        What models find that it is for: atoms, columns, heights or species.
    section : str
        Section of the configuration with its settings ...
    keys : tuple of str
        ... and their names, if these are not all of it.
    needs_specimen : bool
        Whether it images the specimen that is made for all models.
    """

    finds: str
    section: str
    keys: tuple[str, ...] = ()
    needs_specimen: bool = False
    threads: int = 2
    minutes: int = 120

    @property
    def specimen(self) -> list[str]:
        """The specimen it images, if it needs one."""
        return ["results/evaluation/specimen.h5"] if self.needs_specimen else []


EVALUATIONS = {
    "atoms": Evaluation(
        tables={"evaluation": None},
        finds="atoms",
        section="evaluation",
        keys=("acquisition", "doses_e_per_A2", "cameras", "camera_doses_e_per_A2"),
        needs_specimen=True,
        threads=8,
        minutes=60,
    ),
    "conditions": Evaluation(
        tables={"conditions": None, "settings": None},
        finds="atoms",
        section="evaluation",
        keys=("acquisition", "conditions", "settings"),
        needs_specimen=True,
        threads=8,
    ),
    "strain": Evaluation(
        tables={"strain": None}, finds="atoms", section="strain_evaluation", threads=8, minutes=60
    ),
    "columns": Evaluation(
        tables={"columns": None, "columns_summary": "--summary"},
        finds="columns",
        section="column_evaluation",
    ),
    "background": Evaluation(
        tables={"background": None}, finds="columns", section="background_evaluation"
    ),
    "detection_errors": Evaluation(
        tables={"detection_errors": None}, finds="columns", section="detection_errors"
    ),
    "heights": Evaluation(
        tables={
            "heights_summary": None,
            "heights_confusion": "--confusion",
            "heights_reliability": "--reliability",
            "heights_abstention": "--abstention",
            "heights_displacements": "--displacements",
        },
        finds="heights",
        section="height_evaluation",
    ),
    "species": Evaluation(
        tables={"species_summary": None, "species_confusion": None},
        finds="species",
        section="species_evaluation",
    ),
}


@dataclass(frozen=True)
class Score(_Measurement):
    """A kind of score.py.

    Attributes
    ----------
    simulations : str
        Section of the configuration with the simulations it is for.
    found : tuple of str
        Files of a series that are compared with the truth.
    label : str
        What the report calls it.
    """

    simulations: str
    found: tuple[str, ...]
    label: str


SCORES = {
    "atoms": Score({"scores": None}, "acquisitions", ("atoms", "strain"), "scores"),
    "classes": Score(
        {"class_scores": None, "class_confusion": "--confusion"},
        "focal_series",
        ("atoms",),
        "scores of its classes",
    ),
    "dynamics": Score(
        {"dynamics_scores": None, "dynamics_truth": "--table"},
        "sequences",
        ("sites",),
        "scores of its dynamics",
    ),
}
