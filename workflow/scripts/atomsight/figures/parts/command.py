"""The command line of a figure, from the arguments of its ``plot``."""

from pathlib import Path
from types import ModuleType
from typing import Any

from atomsight import command_line
from atomsight.errors import InputError
from atomsight.figures.parts import entry


def read(name: str, module: ModuleType, words: list[str]) -> tuple[str, dict[str, Any]]:
    """Read the path of a picture, and what the figure is to be drawn from."""
    parser = command_line.parser(module.__doc__, prog=f"plot.py {name}")
    parser.add_argument("output", metavar="OUTPUT.png", help="the picture")
    arguments = entry.arguments(module.plot)
    for argument in arguments:
        parser.add_argument(
            argument.option,
            dest=argument.name,
            required=argument.is_required,
            nargs="+" if argument.several else None,
            type=argument.kind if argument.kind in (int, float) else str,
            metavar=_metavar(argument),
            help=argument.meaning,
        )
    given = vars(parser.parse_args(words))
    return given["output"], {
        argument.name: _value(argument, given[argument.name])
        for argument in arguments
        if given[argument.name] is not None
    }


def _metavar(argument: entry.Argument) -> str:
    what = {Path: "FILE", str: "TEXT", dict: "JSON"}.get(argument.kind, "NUMBER")
    return f"NAME={what}" if argument.several is dict else what


def _value(argument: entry.Argument, given: Any) -> Any:
    if argument.several is dict:
        return dict(_pair(argument.option, pair) for pair in given)
    return command_line.read_json(given, argument.option) if argument.kind is dict else given


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"{option}: {text!r} is not of the form NAME=VALUE")
    return name, value
