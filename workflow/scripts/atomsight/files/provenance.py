"""Where a result comes from: what made it, by which code, with which settings, from which files.

A script's run notes every file that it reads, and every file that it writes carries the notes:

==========  ============================================================================
HDF5        attributes ``made_by``, ``settings``, ``seed``, ``versions``, ``git``, ``inputs``
CSV, TIFF   the same in ``<name>.json`` beside it
PNG         the same in a text chunk, ``provenance``
model       the same in ``model.json``
==========  ============================================================================

``inputs`` lists the files that were read with their checksums, what made them, and the files that
they were made from in turn: the seed and the settings of all earlier steps stand in a result. There
are no times, users or folders among it, so that the same input gives the same bytes.
"""

import functools
import hashlib
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from atomsight.files.atomic import replacing

#: Root of the repository, if the library stands in one.
_ROOT = Path(__file__).resolve().parents[4]

#: Files of which each is listed; more are summed up in one line. HDF5 has no room for thousands.
_MAX_LISTED = 100
_MAX_BYTES = 50_000

#: What is kept of the notes of a file that was read.
_KEPT = ("made_by", "arguments", "settings", "seed", "git")

#: What is left of them where all would be too long.
_SHORT = ("file", "sha256", "made_by", "seed", "git")

#: Arguments that are paths: names of files and folders differ from run to run.
_PATH = re.compile(r"@.*|.*/.*|.*\.[A-Za-z]\w*", re.DOTALL)


@dataclass
class _Run:
    """Notes of one run of a script: the files that were read, by their checksums."""

    script: str
    arguments: list[str]
    inputs: dict[str, dict] = field(default_factory=dict)


_run: ContextVar[_Run | None] = ContextVar("run", default=None)


@contextmanager
def noting(script: Path | str, arguments: list[str]) -> Iterator[None]:
    """Note what a script reads until the end of its run; files written inside carry the notes.

    Paths in ``arguments``, its command line, are left out: files that are read are noted with their
    checksums.
    """
    kept = [text for text in arguments if text[:1] in "{[" or not _PATH.fullmatch(text)]
    token = _run.set(_Run(Path(script).name, kept))
    try:
        yield
    finally:
        _run.reset(token)


def note_kind(kind: str) -> None:
    """Note what a script does by its first word: ``made_by`` is then such as ``plot.py strain``."""
    if run := _run.get():
        run.script += f" {kind}"


def note_input(path: Path | str, sha256: str | None = None, notes: dict | None = None) -> None:
    """Note that the run reads a file.

    Without ``sha256`` the file is read for it. ``notes`` are what the file carries, such as the
    attributes of an HDF5 file; without them, those that stand beside it are taken.
    """
    run = _run.get()
    if run is None:
        return
    if notes is None and sidecar(path).is_file():
        notes = json.loads(sidecar(path).read_text(encoding="utf-8"))
    entry = {"file": Path(path).name, "sha256": sha256 or file_sha256(path)}
    notes = dict(notes or {})
    for key in _KEPT:
        if key in notes:
            entry[key] = _plain(notes[key])
    run.inputs.setdefault(entry["sha256"], entry)
    for ancestor in _plain(notes.get("inputs", [])):
        run.inputs.setdefault(ancestor["sha256"], ancestor)


def _plain(value: object) -> object:
    """What stands in an attribute of HDF5, as JSON has it."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return value.item() if hasattr(value, "item") else value


def sidecar(path: Path | str) -> Path:
    """Name of the file with the notes of one that cannot carry them: ``.json`` at the end."""
    path = Path(path)
    return path.with_name(f"{path.name}.json")


def inputs() -> list[dict]:
    """The files that the run has read, and those that they were made from.

    Each has ``file``, ``sha256`` and, if it is one of ours, ``made_by``, ``arguments`` or
    ``settings``, ``seed``, ``git``. Of many, arguments and settings are left out; very many are one
    entry, with a checksum of all checksums.
    """
    run = _run.get()
    found = list(run.inputs.values()) if run else []
    short = [{key: entry[key] for key in _SHORT if key in entry} for entry in found]
    for listed in (found, short):
        if len(listed) <= _MAX_LISTED and len(as_text(listed).encode()) <= _MAX_BYTES:
            return listed
    everything = hashlib.sha256("\n".join(sorted(run.inputs)).encode("ascii")).hexdigest()
    return [{"file": f"{found[0]['file']} and {len(found) - 1} more", "sha256": everything}]


def notes() -> dict:
    """All that is known of the files that the run writes, JSON-able.

    ``versions``, ``git``, ``inputs`` and, during a script's run, ``made_by`` and ``arguments``.
    """
    run = _run.get()
    made = {"made_by": run.script, "arguments": run.arguments} if run else {}
    return made | {"versions": library_versions(), "git": git_state(), "inputs": inputs()}


def made_by(script: str, settings: dict, seed: int | None = None, **more: object) -> dict:
    """Say what makes a file, in a form that is the same on every run.

    ``settings`` and ``more``, such as the names of inputs, are JSON-able. Gives the attributes that
    :func:`atomsight.files.sealed.create` takes.
    """
    facts = {
        "made_by": script,
        "settings": json.dumps(settings, sort_keys=True),
        "versions": json.dumps(library_versions(), sort_keys=True),
    }
    if seed is not None:
        facts["seed"] = seed
    return facts | {name: json.dumps(value, sort_keys=True) for name, value in more.items()}


def write_notes(path: Path | str) -> None:
    """Write beside a file that cannot carry its notes, such as CSV, where it comes from.

    Outside of a script's run nothing is written.
    """
    if _run.get() is not None:
        with replacing(sidecar(path)) as partial:
            text = json.dumps(notes(), indent=1, sort_keys=True, ensure_ascii=False)
            partial.write_text(text + "\n", encoding="utf-8")


def as_text(values: dict | list) -> str:
    """Write notes as JSON with sorted keys, the same on every run."""
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that results depend on, by their names."""
    versions = {"python": platform.python_version()}
    for package in ("atomsight", "abtem", "ase", "h5py", "keras", "numpy", "scipy"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


@functools.cache
def git_state() -> str:
    """Hash of the commit of the code that runs.

    With ``-dirty`` where files have been changed since; ``unknown`` where the code is in no
    repository, or there is no git.
    """
    if not (_ROOT / "Snakefile").is_file():
        return "unknown"
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        # Tags would change the words for one and the same commit.
        said = subprocess.run(
            [*command, "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=60,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return said.stdout.strip() if said.returncode == 0 else "unknown"


def file_sha256(path: Path | str) -> str:
    """SHA-256 of a file, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
