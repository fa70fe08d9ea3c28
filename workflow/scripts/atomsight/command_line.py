"""Shared command-line behaviour: arguments, settings, errors, and how a script stops.

A script imports inside its functions what only its work needs, so that ``--help`` and what is wrong
with the arguments are told at once.
"""

import _thread
import argparse
import errno
import functools
import importlib
import json
import logging
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from atomsight.config.section import Section, keys_of
from atomsight.errors import InputError
from atomsight.files import disk, provenance

if TYPE_CHECKING:
    import pandas as pd

#: A request to stop that came while HDF5 wrote, or was lost, is repeated after so long [s].
_SOON_S, _LATER_S = 0.01, 1.0
_timers: list[threading.Timer] = []


def parser(description: str, **more: object) -> argparse.ArgumentParser:
    """Make the argument parser of a script; ``--help`` shows the description as it stands."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, **more
    )


def add_settings(
    arguments: argparse.ArgumentParser, section: str, kind: Any = None, **others: type[Section]
) -> None:
    """Add ``--settings`` for a section of the configuration, and an option named as each other one.

    ``kind`` is its class, or one of several. The values are dicts, empty where the option is not
    given.
    """
    for option, one in {"settings": kind, **others}.items():
        name = section if option == "settings" else option
        keys = f"its keys are {', '.join(keys_of(one))}" if one else "its keys"
        arguments.add_argument(
            f"--{option}",
            action=_ReadJson,
            default={},
            metavar="JSON",
            help=f"the section '{name}' as JSON, or @FILE; {keys}, and the page Configuration of "
            "the documentation says what they mean",
        )


class _ReadJson(argparse.Action):
    """Read an object from JSON or, after an ``@``, from a file of it."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        text: str,
        option: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, read_json(text, option))


def read_json(text: str, option: str = "--settings") -> dict:
    """Read the JSON object that an option gives, as text or as ``@path``."""
    if text.startswith("@"):
        path = Path(text[1:])
        if not path.is_file():
            raise InputError(f"{option}: the file {path} does not exist")
        provenance.note_input(path)
        text = path.read_text(encoding="utf-8")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{option} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise InputError(f"{option} must be a JSON object, such as '{{\"count\": 4}}'")
    return value


def run_kind(description: str, kinds: Mapping[str, str], argv: list[str] | None) -> None:
    """Run what the first word of a script's arguments names.

    ``kinds`` maps the word to a module, imported only when it is chosen: its docstring is shown by
    ``SCRIPT KIND --help``, ``add_arguments(parser)`` adds its arguments, ``run(given)`` does it.
    """
    chooser = parser(description)
    chooser.add_argument("kind", choices=kinds, help="what to do; KIND --help tells about it")
    words = sys.argv[1:] if argv is None else argv
    kind = chooser.parse_args(words[:1]).kind
    provenance.note_kind(kind)
    module = importlib.import_module(kinds[kind])
    arguments = parser(module.__doc__, prog=f"{chooser.prog} {kind}")
    module.add_arguments(arguments)
    module.run(arguments.parse_args(words[1:]))


def print_table(table: "pd.DataFrame") -> None:
    """Print a table for a reader, its numbers with four digits."""
    print(table.to_string(index=False, float_format=lambda value: f"{value:.4g}"))


def script(main: Callable[[list[str] | None], None]) -> Callable[[list[str] | None], int]:
    """Turn a script's ``main(argv)`` into an entry point that reports errors in one sentence.

    It returns the exit code: 0, or 1 after printing the sentence of an :class:`InputError` to
    standard error. Asked to stop, by Ctrl-C or by a cluster, it leaves no partial file and returns
    128 plus the number of the signal.
    """

    @functools.wraps(main)
    def entry_point(argv: list[str] | None = None) -> int:
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
        warnings.showwarning = _log_warning
        try:
            words = sys.argv[1:] if argv is None else argv
            with _stopping(), provenance.noting(main.__code__.co_filename, words):
                main(argv)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt as stop:
            asked = stop.args[0] if stop.args else signal.SIGINT
            print(
                f"error: stopped by {asked.name}; no partial file is left, rerun the same command "
                "to continue",
                file=sys.stderr,
            )
            return 128 + asked
        except OSError as error:
            if not _is_users(error):
                raise
            print(f"error: {_sentence(error)}", file=sys.stderr)
            return 1
        return 0

    return entry_point


@contextmanager
def _stopping() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C stop a script so that what it was writing is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for timer in _timers:
            timer.cancel()
        _timers.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    """Stop, and again a second later if that was lost, as in finalisers and in code in C."""
    if isinstance(sys.exc_info()[1], KeyboardInterrupt):
        return  # It is on its way out.
    if disk.is_called_by_hdf5(frame):
        _stop_after(_SOON_S, number)
        return
    _stop_after(_LATER_S, number)
    raise KeyboardInterrupt(signal.Signals(number))


def _stop_after(seconds: float, number: int) -> None:
    timer = threading.Timer(seconds, _thread.interrupt_main, (number,))
    timer.daemon = True
    _timers.append(timer)
    timer.start()


def _log_warning(message: Warning, category: type, *_where: object) -> None:
    """Warn in one sentence, without the place in the code where it arose."""
    logging.warning("warning: %s", message)


_USERS_ERRORS = {
    errno.ENOSPC: "the disk is full",
    errno.EFBIG: "the file would be larger than is allowed here",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "permission denied",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "no such file or folder",
    errno.EISDIR: "this is a folder, not a file",
    errno.EIO: "the disk, or the way to it, fails",
    errno.ESTALE: "the file system lost the file; is the server of the disk well?",
}


def _is_users(error: OSError) -> bool:
    return error.errno in _USERS_ERRORS


def _sentence(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return where + _USERS_ERRORS[error.errno]
