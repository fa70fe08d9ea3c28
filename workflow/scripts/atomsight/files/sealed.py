"""HDF5 files that are whole, or refused.

A file is written beside its place and renamed when it is complete: one that exists is whole. It
begins with a seal, the SHA-256 of all that follows, in the block of 512 bytes that HDF5 leaves to
its users. The seal is checked whenever a file is opened, which takes about a second per GB. What
made a file (script, settings, seed, library versions, inputs) is kept in its attributes. There are
no time stamps, so the same input gives the same bytes.
"""

import hashlib
import io
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from atomsight.errors import InputError
from atomsight.files import provenance
from atomsight.files.atomic import replacing
from atomsight.files.disk import Disk

#: Size of the seal, the least that HDF5 leaves free at the beginning of a file.
_SEAL_BYTES = 512
_SEAL_WORDS = b"atomsight sha256 "


@contextmanager
def create(path: Path | str, made_by: dict) -> Iterator[h5py.File]:
    """Write a file that appears only when it is complete, in folders that are made if missing.

    ``made_by`` is what :func:`atomsight.files.provenance.made_by` gives. Raises ``OSError`` if the
    disk is full or the folder cannot be written to; nothing is left behind.
    """
    with replacing(path) as partial, Disk(partial, "w+") as disk:
        try:
            with h5py.File(disk, "w", userblock_size=_SEAL_BYTES) as file:
                file.attrs.update(made_by)
                yield file
                file.attrs.update(
                    git=provenance.git_state(), inputs=provenance.as_text(provenance.inputs())
                )
                file.flush()
            _seal(disk)
        finally:
            if disk.error is not None:
                raise OSError(disk.error.errno, disk.error.strerror, str(path)) from disk.error


@contextmanager
def change(path: Path | str) -> Iterator[h5py.File]:
    """Open a file of :func:`create` to change it where it stands, and seal it again."""
    with h5py.File(path, "a") as file:
        yield file
    with Path(path).open("r+b") as disk:
        _seal(disk)


def _seal(disk: io.RawIOBase) -> None:
    """Write the checksum of all that follows the seal into the seal."""
    disk.seek(_SEAL_BYTES)
    words = _SEAL_WORDS + hashlib.file_digest(disk, "sha256").hexdigest().encode("ascii") + b"\n"
    disk.seek(0)
    disk.write(words.ljust(_SEAL_BYTES, b"\0"))


def check_seal(path: Path | str) -> str:
    """Give the SHA-256 that a file is sealed with; refuse a file that is not as it was written."""
    with Path(path).open("rb") as disk:
        words = disk.read(_SEAL_BYTES)
        found = hashlib.file_digest(disk, "sha256").hexdigest()
    if not words.startswith(_SEAL_WORDS):
        raise InputError(
            f"{path}: no seal of atomsight (cut short, damaged or of another program); give a file "
            f"that atomsight wrote, or, {remedy(path)}"
        )
    if words != (_SEAL_WORDS + found.encode("ascii") + b"\n").ljust(_SEAL_BYTES, b"\0"):
        raise InputError(f"{path}: cut short or damaged since it was written; {remedy(path)}")
    return found


def remedy(path: Path | str) -> str:
    """End of a message: how to recreate a file that cannot be used."""
    return f"to recreate it: rm {shlex.quote(str(path))}, then rerun the same command"


@contextmanager
def open_to_read(path: Path | str) -> Iterator[h5py.File]:
    """Open a file of :func:`create`.

    Raises ``InputError`` if it is missing, cut short, damaged or of another program, and where a
    data set, a group or an attribute is asked for that it does not have.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: the file does not exist")
    sha256 = check_seal(path)
    with _File(path, "r") as file:
        provenance.note_input(path, sha256, dict(file.attrs))
        yield file


class _MissingError(InputError, KeyError):
    """A file lacks what was asked for; a KeyError too, which ``get`` and ``in`` rely on."""

    __str__ = Exception.__str__

    def __init__(self, path: str, name: str):
        super().__init__(
            f"{path}: not the kind of file this step reads: {name!r} is missing; give the file of "
            "the step before"
        )


class _Attributes(h5py.AttributeManager):
    def __init__(self, parent: h5py.Group):
        super().__init__(parent)
        self.path = parent.file.filename

    def __getitem__(self, name: str) -> object:
        try:
            return super().__getitem__(name)
        except KeyError as error:
            raise _MissingError(self.path, name) from error


class _Group(h5py.Group):
    """A group that names its file where something is missing."""

    def __getitem__(self, name: str) -> "h5py.Dataset | _Group":
        try:
            item = super().__getitem__(name)
        except KeyError as error:
            raise _MissingError(self.file.filename, name) from error
        return _Group(item.id) if isinstance(item, h5py.Group) else item

    @property
    def attrs(self) -> _Attributes:
        return _Attributes(self)


class _File(_Group, h5py.File):
    """An open file that names itself where something is missing."""
