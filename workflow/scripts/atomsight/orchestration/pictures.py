"""What the rule of figures is made of: one drawing for every picture of every figure."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from atomsight.figures import FIGURES
from atomsight.figures.parts.entry import Argument, NothingToShow, Picture, arguments
from atomsight.orchestration.folders import Folders
from atomsight.orchestration.series import Series


def drawings(series: Series, folders: Folders) -> Iterator["Drawing"]:
    """All pictures of all figures, in the order of their names."""
    for name, figure in FIGURES.items():
        for picture in figure.PICTURES:
            yield Drawing(name, figure, picture, series, folders)


@dataclass(frozen=True, repr=False)  # Snakemake looks at the text of functions, its methods'
class Drawing:
    """A picture and the figure that it shows."""

    name: str  # of the figure
    figure: ModuleType
    picture: Picture
    series: Series
    folders: Folders

    @property
    def wildcards(self) -> list[str]:
        """Names of the wildcards of the picture."""
        return [name for name in ("series", "of", "model") if f"{{{name}}}" in self.picture.path]

    @property
    def limits(self) -> dict[str, list[str]]:
        """The series or models of which there is the picture, where not of all."""
        finds = self.picture.finds
        if not finds:
            return {}
        if "series" in self.wildcards:
            return {"series": self.series.read_by(finds)}
        return {"model": self.series.models.evaluated(finds)}

    @property
    def code(self) -> list[str]:
        """The script, and all that the figure is drawn with."""
        return self.folders.code("plot.py", f"atomsight/figures/{self.name}.py")

    @property
    def note(self) -> str:
        """Where a job's log and benchmark are, below their folder."""
        of_one = "_".join(f"{{{name}}}" for name in self.wildcards)
        return f"{self.picture.rule}/{of_one}" if of_one else self.picture.rule

    @property
    def labels(self) -> dict[str, str]:
        """Labels in the report."""
        named = {name: f"{{{name}}}" for name in ("series", "model") if name in self.wildcards}
        return named | {"figure": self.picture.label}

    @property
    def memory_MB(self) -> int:
        """What a job needs."""
        return getattr(self.figure, "MEMORY_MB", 2000)

    @property
    def conda(self) -> str:
        """Name of the environment that it is drawn in."""
        return getattr(self.figure, "CONDA", "analyse")

    @property
    def network(self) -> int:
        """How many of the jobs that share a GPU it is: Keras takes all of its memory."""
        return int(self.conda == "learn")

    def files(self, wildcards: Any) -> dict[str, list[str]]:
        """The files that it is drawn from, by the argument that they are."""
        files = {one.name: one.files(value) for one, value in self._arguments(wildcards)}
        return {name: paths for name, paths in files.items() if paths}

    def words(self, wildcards: Any) -> list[str]:
        """The arguments of the script after the name of the picture."""
        return [
            word for argument, value in self._arguments(wildcards) for word in argument.words(value)
        ]

    def caption(self, wildcards: Any) -> str:
        """What the report says below it."""
        return self.figure.CAPTION.format(
            wildcards=wildcards, config=self.series.configuration
        ).strip()

    def _arguments(self, wildcards: Any) -> list[tuple[Argument, Any]]:
        of = {name: getattr(wildcards, name) for name in self.wildcards}
        values = self.picture.arguments(self.series, **of)
        return [(one, values.get(one.name)) for one in arguments(self.figure.plot)]


def possible(series: Series, folder: str = "results") -> list[str]:
    """The pictures without wildcards, of a folder, of which the run has something to show."""
    return [
        picture.path
        for figure in FIGURES.values()
        for picture in figure.PICTURES
        if picture.is_one and picture.path.startswith(f"{folder}/") and _shows(picture, series)
    ]


def of_series(series: Series, name: str) -> list[str]:
    """The pictures of one series, as far as its model allows."""
    return [
        picture.path.format(series=name)
        for picture in _with_wildcard("series")
        if picture.finds in (None, series.models.finds(series.model(name)))
    ]


def of_shipping(series: Series) -> list[str]:
    """The pictures that show how good the models that ship are."""
    return [
        picture.path.format(of="metrics", model=model)
        for picture in _with_wildcard("model")
        for model in series.models.shipping(picture.finds)
    ]


def _with_wildcard(name: str) -> Iterator[Picture]:
    for figure in FIGURES.values():
        yield from (picture for picture in figure.PICTURES if f"{{{name}}}" in picture.path)


def _shows(picture: Picture, series: Series) -> bool:
    try:
        picture.arguments(series)
    except NothingToShow:
        return False
    return True
