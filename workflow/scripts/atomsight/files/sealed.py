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
from types import FrameType

import h5py

from atomsight.errors import InputError
from atomsight.files import provenance
from atomsight.files.atomic import replacing

#: Size of the seal, the least that HDF5 leaves free at the beginning of a file.
_SEAL_BYTES = 512
_SEAL_WORDS = b"atomsight sha256 "


@contextmanager
def create(path: Path | str, made_by: dict) -> Iterator[h5py.File]:
    """Write a file that appears only when it is complete, in folders that are made if missing.

    ``made_by`` is what :func:`atomsight.files.provenance.made_by` gives. Raises ``OSError`` if the
    disk is full or the folder cannot be written to; nothing is left behind.
    """
    with replacing(path) as partial, _Disk(partial, "w+") as disk:
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
    """Open a file of :func:`create` to change it where it stands, and seal it anew."""
    with h5py.File(path, "a", libver="latest") as file:
        yield file
    with Path(path).open("r+b") as disk:
        _seal(disk)


def _seal(disk: io.RawIOBase) -> None:
    """Write the checksum of all that follows the seal into the seal."""
    disk.seek(_SEAL_BYTES)
    words = _SEAL_WORDS + hashlib.file_digest(disk, "sha256").hexdigest().encode("ascii") + b"\n"
    disk.seek(0)
    disk.write(words.ljust(_SEAL_BYTES, b"\0"))


def checksum(path: Path | str) -> str | None:
    """Read the SHA-256 that a file was sealed with; None of a file without a seal."""
    with Path(path).open("rb") as disk:
        words = disk.read(_SEAL_BYTES)
    if not words.startswith(_SEAL_WORDS):
        return None
    return words[len(_SEAL_WORDS) :].split(b"\n")[0].decode("ascii", "replace")


def _check_seal(path: Path) -> None:
    """Refuse a file whose bytes are not those that were written."""
    with path.open("rb") as disk:
        words = disk.read(_SEAL_BYTES)
        if not words.startswith(_SEAL_WORDS):
            return
        found = hashlib.file_digest(disk, "sha256").hexdigest().encode("ascii")
    if words != (_SEAL_WORDS + found + b"\n").ljust(_SEAL_BYTES, b"\0"):
        raise InputError(f"{path}: cut short or damaged since it was written; {remedy(path)}")


def remedy(path: Path) -> str:
    """End of a message: how a file that cannot be used is made again."""
    return f"to make it again: rm {shlex.quote(str(path))}, then the same command as before"


class _Disk(io.FileIO):
    """A file that fails once and then takes everything, so that HDF5 can close it.

    HDF5 keeps what it could not write and tries again when Python ends, which crashes.
    """

    error: OSError | None = None

    def write(self, data: bytes) -> int:
        rest = memoryview(data)
        try:
            while rest and self.error is None:
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.error = error
            raise
        return len(data)


def is_called_by_hdf5(frame: FrameType | None) -> bool:
    """Tell whether code runs within HDF5, which loses what is raised there but errors of files."""
    while frame is not None:
        if frame.f_code is _Disk.write.__code__:
            return True
        frame = frame.f_back
    return False


@contextmanager
def open_to_read(path: Path | str) -> Iterator[h5py.File]:
    """Open a file of :func:`create`.

    Raises ``InputError`` if it is missing, cut short, damaged, not HDF5, or holds something else
    than is asked for.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: the file does not exist")
    _check_seal(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(
            f"{path}: not a readable HDF5 file (cut short or of another format); {remedy(path)}"
        ) from error
    with file:
        # A seal whose first words are damaged looks like none.
        if file.userblock_size and checksum(path) is None:
            raise InputError(f"{path}: damaged, its seal is gone; {remedy(path)}")
        provenance.note_input(path, checksum(path), dict(file.attrs))
        try:
            yield file
        except KeyError as error:
            raise InputError(f"{path}: not the kind of file this step reads ({error})") from error
