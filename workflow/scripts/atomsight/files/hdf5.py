"""Our files: the only module that knows how they are laid out.

Every file is HDF5 and follows NeXus where that is easy: a file's main data set is named by the
attribute ``signal``, its axes by ``axes``, and every data set carries ``units``. What made a file
(script, settings, seed, library versions) is kept in its attributes. There are no time stamps, so
the same input gives the same bytes. Files are written beside their place and renamed when they are
complete: a file that exists is whole. It stays whole or is refused: every file begins with a seal,
the SHA-256 of all that follows, in the block of 512 bytes that HDF5 leaves to its users. It is
checked whenever a file is opened, which takes about a second per GB. Files without a seal, of
earlier versions, are read as they are.

==============  ==========================================================================
file            contents
==============  ==========================================================================
structures.h5   ``structures/<n>/`` positions [Å], numbers, sites [Å], classes
waves.h5        ``spectra`` [wave, snapshot, k_y, k_x], ``sites/`` a table with the column ``wave``
frames.h5       ``images`` [frame, y, x], ``usable`` likewise, ``names`` [frame]; of focal series
                ``focus_A`` in the attributes and ``shift_A`` [frame, (x, y)]
maps.h5         ``maps`` [frame, y, x, class]
atoms.h5 …      tables: a group with one data set per column, the unit in its attribute
==============  ==========================================================================
"""

import errno
import hashlib
import io
import json
import os
import platform
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import h5py
import numpy as np
import pandas as pd

from atomsight.errors import InputError
from atomsight.files import provenance as origin
from atomsight.files.records import ClassMaps, Frames, Structure, Waves

#: Size of the seal, the least that HDF5 leaves free at the beginning of a file.
_SEAL_BYTES = 512
_SEAL_WORDS = b"atomsight sha256 "

#: Errors of writing alone.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

#: Unit of a column, by the end of its name.
_COLUMN_UNITS = {"_A": "angstrom", "_rad": "rad", "_e": "electron"}


def provenance(script: str, settings: dict, seed: int | None = None, **more: object) -> dict:
    """Say what makes a file, in a form that is the same on every run.

    Parameters
    ----------
    script : str
        Name of the script.
    settings : dict
        Its settings, JSON-able.
    seed : int, optional
        The seed of its randomness.
    **more
        Further JSON-able facts, such as the names of the inputs.

    Returns
    -------
    dict
        Attributes for :func:`create`.
    """
    facts = {
        "made_by": script,
        "settings": json.dumps(settings, sort_keys=True),
        "versions": json.dumps(origin.library_versions(), sort_keys=True),
    }
    if seed is not None:
        facts["seed"] = seed
    return facts | {name: json.dumps(value, sort_keys=True) for name, value in more.items()}


@contextmanager
def create(path: Path | str, made_by: dict) -> Iterator[h5py.File]:
    """Write a file that appears only when it is complete.

    Parameters
    ----------
    path : path
        Where the file will stand. Missing folders are made.
    made_by : dict
        What :func:`provenance` gives.

    Yields
    ------
    h5py.File
        The open file.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written to; nothing is left behind.
    """
    with replacing(path) as partial, _Disk(partial, "w+") as disk:
        try:
            with h5py.File(disk, "w", userblock_size=_SEAL_BYTES) as file:
                file.attrs.update(made_by)
                yield file
                file.attrs.update(git=origin.git_state(), inputs=origin.as_text(origin.inputs()))
                file.flush()
            _seal(disk)
        finally:
            if disk.error is not None:
                raise OSError(disk.error.errno, disk.error.strerror, str(path)) from disk.error


@contextmanager
def change(path: Path | str) -> Iterator[h5py.File]:
    """Open a file of :func:`create` to change it, and seal it anew.

    Parameters
    ----------
    path : path
        The file. It is changed where it stands.

    Yields
    ------
    h5py.File
        The open file.
    """
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
    """Read the checksum that a file was written with; the data are not looked at.

    Parameters
    ----------
    path : path
        A file of :func:`create`.

    Returns
    -------
    str or None
        SHA-256 of all that follows the seal, in hexadecimal; None of a file without a seal.
    """
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
    """Say how a file that cannot be used is made again.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        The end of a message.
    """
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
    """Tell whether code runs within HDF5, which loses what is raised there but errors of files.

    Parameters
    ----------
    frame : frame or None
        Where the code is.

    Returns
    -------
    bool
        True while HDF5 writes to a file.
    """
    while frame is not None:
        if frame.f_code is _Disk.write.__code__:
            return True
        frame = frame.f_back
    return False


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Give a path to write to, and move what was written to its place at the end.

    Parameters
    ----------
    path : path
        Where the file will stand. Missing folders are made.

    Yields
    ------
    Path
        A path in the same folder. On an error it is removed and ``path`` is left as it was.

    Raises
    ------
    OSError
        If it cannot be written, with ``path`` as the file's name.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Of this process alone: another one, on this machine or another, may write the same file.
    partial = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}.partial")
    try:
        yield partial
        _to_disk(partial)
        os.replace(partial, path)
        _to_disk(path.parent)
    except OSError as error:
        # What fails while it is written to has no name, or one that nobody knows.
        is_nameless = error.filename is None and error.errno in _NO_ROOM
        if is_nameless or str(error.filename) == str(partial):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        partial.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Wait until a file or a folder has reached the disk, so that a power cut leaves it whole.

    Some file systems of clusters know this of files alone.
    """
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP) or not path.is_dir():
            raise
    finally:
        os.close(number)


def write_csv(path: Path | str, table: pd.DataFrame) -> None:
    """Write a table as CSV, whole or not at all.

    Parameters
    ----------
    path : path
        Where the file will stand.
    table : DataFrame
        The table; its index is left out.
    """
    with replacing(path) as partial:
        table.to_csv(partial, index=False, float_format="%.6g")
    write_notes(path)


def write_notes(path: Path | str) -> None:
    """Tell in a file beside it where a file comes from that cannot tell itself.

    Parameters
    ----------
    path : path
        The file, such as a CSV file. Outside of a script's run nothing is written.
    """
    if origin.is_noting():
        with replacing(origin.sidecar(path)) as partial:
            text = json.dumps(origin.notes(), indent=1, sort_keys=True, ensure_ascii=False)
            partial.write_text(text + "\n", encoding="utf-8")


@contextmanager
def open_to_read(path: Path | str) -> Iterator[h5py.File]:
    """Open one of our files.

    Parameters
    ----------
    path : path
        The file.

    Yields
    ------
    h5py.File
        The open file.

    Raises
    ------
    InputError
        If the file is missing, cut short, damaged, not HDF5, or holds something else than was
        asked for.
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
        origin.note_input(path, checksum(path), dict(file.attrs))
        try:
            yield file
        except KeyError as error:
            raise InputError(f"{path}: not the kind of file this step reads ({error})") from error


def write_table(parent: h5py.Group, name: str, table: pd.DataFrame) -> h5py.Group:
    """Write a table as a group with one data set per column.

    Parameters
    ----------
    parent : h5py.Group
        Where to write.
    name : str
        Name of the table.
    table : DataFrame
        Columns of numbers, booleans or strings; the end of a name (``_A``, ``_rad``) gives the
        unit.

    Returns
    -------
    h5py.Group
        The new group.
    """
    group = parent.create_group(name)
    # HDF5 can keep the order itself, but then stamps the group with the time.
    group.attrs["columns"] = list(table.columns)
    for column in table.columns:
        values = table[column].to_numpy()
        if values.dtype.kind in "OUT":
            values = np.asarray(values, dtype=h5py.string_dtype())
        dataset = group.create_dataset(column, data=values)
        dataset.attrs["units"] = next(
            (unit for end, unit in _COLUMN_UNITS.items() if column.endswith(end)), ""
        )
    return group


def read_table(parent: h5py.Group, name: str) -> pd.DataFrame:
    """Read what :func:`write_table` wrote.

    Parameters
    ----------
    parent : h5py.Group
        Where the table stands.
    name : str
        Name of the table.

    Returns
    -------
    DataFrame
        The table, its columns in their order.
    """
    group = parent[name]
    columns = {}
    for column in group.attrs["columns"]:
        dataset = group[column]
        is_text = h5py.check_string_dtype(dataset.dtype) is not None
        columns[column] = dataset.asstr()[...] if is_text else dataset[...]
    return pd.DataFrame(columns)


def write_structures(
    path: Path | str, structures: Iterable[tuple[int, Structure]], made_by: dict
) -> None:
    """Write a shard of structures.

    Parameters
    ----------
    path : path
        Where the file will stand.
    structures : iterable of (int, Structure)
        The number of every structure in the whole collection, and the structure.
    made_by : dict
        What :func:`provenance` gives.
    """
    with create(path, made_by) as file:
        parent = file.create_group("structures")
        for number, structure in structures:
            group = parent.create_group(f"{number:05d}")
            group.attrs["cell"] = structure.cell_A
            group.attrs["cell_units"] = "angstrom"
            for name, units in _STRUCTURE_UNITS.items():
                group.create_dataset(name, data=getattr(structure, name)).attrs["units"] = units


_STRUCTURE_UNITS = {"positions": "angstrom", "numbers": "", "sites": "angstrom", "classes": ""}


def read_structures(path: Path | str) -> Iterator[tuple[int, Structure]]:
    """Read a shard of structures, one at a time.

    Parameters
    ----------
    path : path
        A file of :func:`write_structures`.

    Yields
    ------
    (int, Structure)
        The structure's number in the whole collection, and the structure.

    Raises
    ------
    InputError
        If the file is missing, cut short or of another kind.
    """
    with open_to_read(path) as file:
        # HDF5 gives names in the order of letters.
        for name, group in sorted(file["structures"].items(), key=lambda item: int(item[0])):
            arrays = {key: group[key][...] for key in _STRUCTURE_UNITS}
            yield int(name), Structure(cell_A=np.asarray(group.attrs["cell"]), **arrays)


def write_waves(
    path: Path | str,
    waves: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]],
    cell_A: tuple[float, float],
    energy_eV: float,
    made_by: dict,
) -> None:
    """Write a shard of exit waves, holding one at a time.

    Parameters
    ----------
    path : path
        Where the file will stand.
    waves : iterable of (spectra, sites, classes)
        Every wave as in :class:`~atomsight.files.records.Waves`: spectra of its snapshots, of shape
        (P, orders, orders), positions and classes of its sites.
    cell_A : tuple of float
        Edges ``(x, y)`` of the periodic box of all waves [Å].
    energy_eV : float
        Energy of the electrons [eV].
    made_by : dict
        What :func:`provenance` gives.
    """
    tables = []
    with create(path, made_by) as file:
        file.attrs.update(signal="spectra", axes=["wave", "snapshot", "k_y", "k_x"])
        file.attrs.update(cell=cell_A, cell_units="angstrom", energy_eV=energy_eV)
        for number, (spectra, sites, classes) in enumerate(waves):
            if number == 0:
                shape, chunk = (0, *spectra.shape), (1, 1, *spectra.shape[1:])
                stored = file.create_dataset(
                    "spectra", shape, spectra.dtype, maxshape=(None, *spectra.shape), chunks=chunk
                )
                stored.attrs["units"] = ""
            stored.resize(number + 1, axis=0)
            stored[number] = spectra
            columns = {"wave": number, "x_A": sites[:, 0], "y_A": sites[:, 1], "class": classes}
            tables.append(pd.DataFrame(columns))
        write_table(file, "sites", pd.concat(tables, ignore_index=True))


def read_waves(paths: Iterable[Path | str]) -> Waves:
    """Read shards of exit waves into one collection.

    Parameters
    ----------
    paths : iterable of paths
        Files of :func:`write_waves`, made with the same settings.

    Returns
    -------
    Waves
        All of them, in the order of the files.

    Raises
    ------
    InputError
        If a file is missing, cut short or of another kind, or if the files do not fit together.
    """
    shards = [_read_wave_shard(path) for path in paths]
    kinds = {(shard.cell_A, shard.energy_eV, shard.spectra.shape[1:]) for shard in shards}
    if len(kinds) != 1:
        raise InputError(
            f"the exit waves do not fit together: {len(kinds)} sorts of box, energy or band limit "
            "in one set; simulate all shards with the same settings"
        )
    return Waves(
        spectra=np.concatenate([shard.spectra for shard in shards]),
        cell_A=shards[0].cell_A,
        energy_eV=shards[0].energy_eV,
        sites=tuple(sites for shard in shards for sites in shard.sites),
        classes=tuple(classes for shard in shards for classes in shard.classes),
    )


def _read_wave_shard(path: Path | str) -> Waves:
    with open_to_read(path) as file:
        spectra = file["spectra"][...]
        table = read_table(file, "sites")
        ends = np.searchsorted(table["wave"], np.arange(1, len(spectra)))
        return Waves(
            spectra=spectra,
            cell_A=tuple(float(edge) for edge in file.attrs["cell"]),
            energy_eV=float(file.attrs["energy_eV"]),
            sites=tuple(np.split(table[["x_A", "y_A"]].to_numpy(), ends)),
            classes=tuple(np.split(table["class"].to_numpy(), ends)),
        )


def create_frames(
    file: h5py.File,
    shape: tuple[int, int, int],
    pixel_size_A: float,
    source_pixel_size_A: float,
    names: Iterable[str],
    focus_A: Iterable[float] = (),
) -> tuple[h5py.Dataset, h5py.Dataset]:
    """Lay out an open file for micrographs, to be filled frame by frame.

    Parameters
    ----------
    file : h5py.File
        A file of :func:`create`.
    shape : tuple of int
        Frames, rows, columns.
    pixel_size_A, source_pixel_size_A : float
        Size of a pixel, now and as recorded [Å].
    names : iterable of str
        Where every frame came from.
    focus_A : iterable of float
        Defocus of the images of every focal series [Å]; empty where every frame stands alone.

    Returns
    -------
    images, usable : h5py.Dataset
        Data sets of that shape, float32 and bool.
    """
    file.attrs.update(signal="images", axes=["frame", "y", "x"])
    file.attrs.update(pixel_size_A=pixel_size_A, source_pixel_size_A=source_pixel_size_A)
    file.attrs["focus_A"] = np.asarray(list(focus_A), float)
    file.create_dataset("names", data=np.asarray(list(names), dtype=h5py.string_dtype()))
    chunk = (1, *shape[1:])
    images = file.create_dataset("images", shape, "float32", chunks=chunk)
    images.attrs["units"] = "counts"
    usable = file.create_dataset("usable", shape, bool, chunks=chunk, compression="gzip")
    usable.attrs["units"] = ""
    return images, usable


def write_shifts(file: h5py.File, shift_A: np.ndarray) -> None:
    """Write how the frames of focal series were displaced before they were registered.

    Parameters
    ----------
    file : h5py.File
        A file of :func:`create_frames`.
    shift_A : ndarray of shape (F, 2)
        Displacement ``(x, y)`` of every frame from the mean of its series [Å]; it was taken out.
    """
    shifts = file.create_dataset("shift_A", data=shift_A)
    shifts.attrs["units"] = "angstrom"
    shifts.attrs["axes"] = ["frame", "(x, y)"]


@contextmanager
def open_frames(path: Path | str) -> Iterator[Frames]:
    """Open micrographs, to be read frame by frame.

    Parameters
    ----------
    path : path
        A file that ``import_series.py`` wrote.

    Yields
    ------
    Frames
        Its arrays are data sets of the open file.

    Raises
    ------
    InputError
        If the file is missing, cut short or of another kind.
    """
    with open_to_read(path) as file:
        yield Frames(
            images=file["images"],
            usable=file["usable"],
            pixel_size_A=float(file.attrs["pixel_size_A"]),
            source_pixel_size_A=float(file.attrs["source_pixel_size_A"]),
            names=tuple(file["names"].asstr()[...]),
            focus_A=tuple(float(focus) for focus in file.attrs.get("focus_A", ())),
        )


def create_maps(
    file: h5py.File,
    shape: tuple[int, int, int, int],
    pixel_size_A: float,
    class_names: Iterable[str],
    site_sigma_A: float,
    thresholds: dict[str, float],
) -> h5py.Dataset:
    """Lay out an open file for class maps, to be filled frame by frame.

    Parameters
    ----------
    file : h5py.File
        A file of :func:`create`.
    shape : tuple of int
        Frames, rows, columns, classes.
    pixel_size_A : float
        Size of a pixel [Å].
    class_names : iterable of str
        Names of the classes, the background first.
    site_sigma_A : float
        Standard deviation of the Gaussian of one site in the training [Å].
    thresholds : dict of str to float
        Settings of the segmentation that the model asks for.

    Returns
    -------
    h5py.Dataset
        A data set of that shape, float32.
    """
    file.attrs.update(signal="maps", axes=["frame", "y", "x", "class"])
    file.attrs.update(pixel_size_A=pixel_size_A, site_sigma_A=site_sigma_A)
    file.attrs["thresholds"] = json.dumps(thresholds, sort_keys=True)
    file.attrs["class_names"] = np.asarray(list(class_names), dtype=h5py.string_dtype())
    maps = file.create_dataset("maps", shape, "float32", chunks=(1, *shape[1:]))
    maps.attrs["units"] = ""
    return maps


@contextmanager
def open_maps(path: Path | str) -> Iterator[ClassMaps]:
    """Open class maps, to be read frame by frame.

    Parameters
    ----------
    path : path
        A file that ``map_classes.py`` wrote.

    Yields
    ------
    ClassMaps
        Its maps are a data set of the open file.

    Raises
    ------
    InputError
        If the file is missing, cut short or of another kind.
    """
    with open_to_read(path) as file:
        yield ClassMaps(
            maps=file["maps"],
            pixel_size_A=float(file.attrs["pixel_size_A"]),
            class_names=tuple(file.attrs["class_names"]),
            site_sigma_A=float(file.attrs["site_sigma_A"]),
            thresholds=json.loads(file.attrs["thresholds"]),
        )
