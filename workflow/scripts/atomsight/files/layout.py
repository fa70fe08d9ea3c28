"""The layout of every file: the only module that knows it.

==============  ==========================================================================
file            contents
==============  ==========================================================================
structures.h5   ``structures/<n>/`` positions [Å], numbers, sites [Å], classes
waves.h5        ``spectra`` [wave, snapshot, k_y, k_x], ``sites/`` a table with the column ``wave``
frames.h5       ``images`` [frame, y, x], ``usable`` likewise, ``names`` [frame]; of focal series
                ``focus_A`` in the attributes and ``shift_A`` [frame, (x, y)]
maps.h5         ``maps`` [frame, y, x, class]
atoms.h5 …      tables (:func:`atomsight.files.tables.write_table`)
==============  ==========================================================================

Files follow NeXus where that is easy: a file's main data set is named by the attribute ``signal``,
its axes by ``axes``, and every data set carries ``units``. All readers raise ``InputError`` if a
file is missing, damaged or of another kind.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from atomsight.errors import InputError
from atomsight.files.records import ClassMaps, Frames, Structure, Waves
from atomsight.files.sealed import create, open_to_read
from atomsight.files.tables import read_table, write_table

_STRUCTURE_UNITS = {"positions": "angstrom", "numbers": "", "sites": "angstrom", "classes": ""}


def write_structures(
    path: Path | str, structures: Iterable[tuple[int, Structure]], made_by: dict
) -> None:
    """Write a shard of structures, each with its number in the whole collection."""
    with create(path, made_by) as file:
        parent = file.create_group("structures")
        for number, structure in structures:
            group = parent.create_group(f"{number:05d}")
            group.attrs["cell"] = structure.cell_A
            group.attrs["cell_units"] = "angstrom"
            for name, units in _STRUCTURE_UNITS.items():
                group.create_dataset(name, data=getattr(structure, name)).attrs["units"] = units


def read_structures(path: Path | str) -> Iterator[tuple[int, Structure]]:
    """Read a shard of structures, one at a time, with their numbers in the whole collection."""
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
    waves : iterable of (spectra, sites, classes)
        Every wave as in :class:`~atomsight.files.records.Waves`: spectra of its snapshots, of shape
        (P, orders, orders), positions and classes of its sites.
    cell_A : tuple of float
        Edges ``(x, y)`` of the periodic box of all waves.
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
    """Read shards of exit waves, made with the same settings, into one collection.

    They may be most of a machine's memory, so they are held in it once.
    """
    paths = list(paths)
    shards = [_wave_shard(path) for path in paths]
    kinds = {(shard.shape[1:], shard.cell_A, shard.energy_eV) for shard in shards}
    if len(kinds) != 1:
        raise InputError(
            f"the exit waves do not fit together: {len(kinds)} sorts of box, energy or band limit "
            "in one set; simulate all shards with the same settings"
        )
    first, ends = shards[0], np.cumsum([shard.shape[0] for shard in shards])
    spectra = np.empty((ends[-1], *first.shape[1:]), first.dtype)
    for path, part in zip(paths, np.split(spectra, ends[:-1]), strict=True):
        with h5py.File(path) as file:  # whose checksum was right a moment ago
            file["spectra"].read_direct(part)
    return Waves(
        spectra=spectra,
        cell_A=first.cell_A,
        energy_eV=first.energy_eV,
        sites=tuple(sites for shard in shards for sites in shard.sites),
        classes=tuple(classes for shard in shards for classes in shard.classes),
    )


@dataclass(frozen=True)
class _WaveShard:
    """What a file of exit waves tells of them."""

    shape: tuple[int, ...]
    dtype: np.dtype
    cell_A: tuple[float, ...]
    energy_eV: float
    sites: list[np.ndarray]
    classes: list[np.ndarray]


def _wave_shard(path: Path | str) -> _WaveShard:
    with open_to_read(path) as file:
        spectra = file["spectra"]
        table = read_table(file, "sites", ["wave", "x_A", "y_A", "class"])
        ends = np.searchsorted(table["wave"], np.arange(1, len(spectra)))
        return _WaveShard(
            shape=spectra.shape,
            dtype=spectra.dtype,
            cell_A=tuple(float(edge) for edge in file.attrs["cell"]),
            energy_eV=float(file.attrs["energy_eV"]),
            sites=np.split(table[["x_A", "y_A"]].to_numpy(), ends),
            classes=np.split(table["class"].to_numpy(), ends),
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
    shape : tuple of int
        Frames, rows, columns.
    pixel_size_A, source_pixel_size_A : float
        Size of a pixel, now and as recorded.
    names : iterable of str
        Where every frame came from.
    focus_A : iterable of float
        Defocus of the images of every focal series; empty where every frame stands alone.

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
    """Write how far the frames of focal series lay ``(x, y)`` from the mean of their series.

    The images have been registered: these shifts of shape (F, 2) were taken out.
    """
    shifts = file.create_dataset("shift_A", data=shift_A)
    shifts.attrs["units"] = "angstrom"
    shifts.attrs["axes"] = ["frame", "(x, y)"]


@contextmanager
def open_frames(path: Path | str) -> Iterator[Frames]:
    """Open micrographs; their arrays are data sets of the open file, read frame by frame."""
    with open_to_read(path) as file:
        yield Frames(
            images=file["images"],
            usable=file["usable"],
            pixel_size_A=float(file.attrs["pixel_size_A"]),
            source_pixel_size_A=float(file.attrs["source_pixel_size_A"]),
            names=tuple(file["names"].asstr()[...]),
            focus_A=tuple(float(focus) for focus in file.attrs["focus_A"]),
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
    shape : tuple of int
        Frames, rows, columns, classes.
    class_names : iterable of str
        Names of the classes, the background first.
    site_sigma_A : float
        Standard deviation of the Gaussian of one site in the training.
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
    """Open class maps; they are a data set of the open file, read frame by frame."""
    with open_to_read(path) as file:
        yield ClassMaps(
            maps=file["maps"],
            pixel_size_A=float(file.attrs["pixel_size_A"]),
            class_names=tuple(file.attrs["class_names"]),
            site_sigma_A=float(file.attrs["site_sigma_A"]),
            thresholds=json.loads(file.attrs["thresholds"]),
        )
