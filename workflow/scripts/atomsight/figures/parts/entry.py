"""What a figure tells the workflow: the targets that show it, and what it is drawn from."""

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from atomsight.errors import InputError


class NothingToShow(InputError):
    """A run has nothing that a figure could show."""


@dataclass(frozen=True)
class Picture:
    """A target that shows a figure."""

    path: str  # with the wildcards {series}, or {of} and {model}
    #: ``arguments(sheet, **wildcards)`` gives the arguments of the figure's ``plot``, its files as
    #: paths that rules make, or raises :class:`NothingToShow`. ``sheet`` is the
    #: :class:`atomsight.orchestration.series.Series` of the run.
    arguments: Callable[..., dict[str, Any]]
    label: str  # in the report, with the category
    category: str = "Figures of the paper"
    finds: str | None = None  # what the model behind {series} or {model} must find, as "columns"

    @property
    def is_one(self) -> bool:
        """Whether there is one such picture, and not one for every series or model."""
        return "{" not in self.path

    @property
    def rule(self) -> str:
        """Name of the rule that makes it."""
        stem = PurePath(self.path).stem
        return stem if self.is_one else f"plot_{stem}"


@dataclass(frozen=True)
class Argument:
    """An argument of a figure's ``plot``, as its annotation tells."""

    name: str
    meaning: str
    kind: type  # Path, str, int, float, or dict for a section of the configuration
    several: type | None  # list or dict where there are several, the latter by name
    default: Any
    is_required: bool

    @property
    def option(self) -> str:
        """The option of the command line that gives it."""
        return "--" + self.name.replace("_", "-")

    def files(self, value: Any) -> list[str]:
        """The files among its values."""
        if self.kind is not Path or not value:
            return []
        return list(value.values() if self.several is dict else value if self.several else [value])

    def words(self, value: Any) -> list[str]:
        """The words of the command line that give a value; none without a value."""
        if value is None or (self.several and not value):
            return []
        if self.several is dict:
            return [self.option, *(f"{name}={one}" for name, one in value.items())]
        if self.several:
            return [self.option, *map(str, value)]
        return [self.option, json.dumps(value) if self.kind is dict else str(value)]


def arguments(plot: Callable) -> list[Argument]:
    """The arguments of a figure."""
    annotations = get_type_hints(plot, include_extras=True)
    return [
        _argument(parameter, *get_args(annotations[parameter.name]))
        for parameter in inspect.signature(plot).parameters.values()
    ]


def _argument(parameter: inspect.Parameter, kind: Any, meaning: str) -> Argument:
    if isinstance(kind, UnionType):  # with None
        kind = get_args(kind)[0]
    several = get_origin(kind)
    if several:
        kind = get_args(kind)[-1]
    is_required = parameter.default is parameter.empty
    default = None if is_required else parameter.default
    return Argument(parameter.name, meaning, kind, several, default, is_required)
