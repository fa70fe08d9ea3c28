"""How functions that rules call say that the user can mend something."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from atomsight.errors import InputError

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


def in_one_sentence(function: Callable[_Given, _Found]) -> Callable[_Given, _Found]:
    """Let an input function end Snakemake with the sentence of its :class:`InputError` alone.

    Snakemake wraps every other exception of such a function in its rule, its wildcards and a
    traceback; only this one passes, with the exit code 1.
    """

    @functools.wraps(function)
    def call(*args: _Given.args, **kwargs: _Given.kwargs) -> _Found:
        try:
            return function(*args, **kwargs)
        except InputError as error:
            raise SystemExit(f"WorkflowError:\n{error}") from None

    return call
