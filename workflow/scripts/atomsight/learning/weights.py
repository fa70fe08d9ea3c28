"""The weights of a network in a file: numbers, and nothing that could be executed.

The file is HDF5 as Keras writes it (``*.weights.h5``): a group for every layer, a data set for each
of its weights. A file may come from anyone, so it is looked through before anything is loaded:
plain numbers of two or four bytes, as many as the network has, in this file itself. Archives,
pickles, descriptions of layers, links and numbers that are kept elsewhere are refused.
"""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from atomsight.errors import InputError
from atomsight.files import atomic

#: Groups and data sets that a file may hold; the network has 218.
_MAX_OBJECTS = 2000

#: Filters of HDF5 that need no plug-in: deflate, shuffle, checksum.
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}

#: Attributes in which Keras describes layers.
_DESCRIPTIONS = ("model_config", "training_config", "layer_names")


def check(path: Path | str, count: int) -> None:
    """Refuse a file that holds anything but ``count`` finite numbers, the weights of a network."""
    try:
        with h5py.File(path, "r") as file:
            described = [name for name in _DESCRIPTIONS if name in file.attrs]
            if described:
                _refuse(path, f"it describes layers ({described[0]})")
            # The sizes first: nothing is read that would not fit a network of this size.
            found = sum(dataset.size for dataset in _datasets(file, path))
            if found != count:
                _refuse(path, f"it holds {found} numbers where the card asks for {count}")
            if not all(np.isfinite(dataset[...]).all() for dataset in _datasets(file, path)):
                _refuse(path, "not all of its numbers are finite")
    except InputError:
        raise
    except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{path}: the weights do not fit the card, or the file is cut short or of another "
            "format; only HDF5 with plain numbers is read; train the model again"
        ) from error


def _datasets(file: h5py.File, path: Path | str) -> Iterator[h5py.Dataset]:
    """All data sets of a file, none of which refers to anything outside."""
    groups, objects = [file], 0
    while groups:
        group = groups.pop()
        for name in group:
            objects += 1
            if objects > _MAX_OBJECTS:
                _refuse(path, f"it has more than {_MAX_OBJECTS} parts")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                _refuse(path, f"{name} is a link")
            item = group[name]
            if isinstance(item, h5py.Group):
                groups.append(item)
            elif isinstance(item, h5py.Dataset) and _is_plain(item):
                yield item
            else:
                _refuse(path, f"{item.name} is no array of plain numbers")


def _is_plain(dataset: h5py.Dataset) -> bool:
    """Whether a data set holds numbers of two or four bytes, in this file."""
    if dataset.dtype.kind != "f" or dataset.dtype.itemsize not in (2, 4):
        return False
    layout = dataset.id.get_create_plist()
    filters = {layout.get_filter(index)[0] for index in range(layout.get_nfilters())}
    return filters <= _FILTERS and not dataset.is_virtual and not dataset.external


def _refuse(path: Path | str, reason: str) -> None:
    raise InputError(
        f"{path}: the weights do not fit the card: {reason}; only HDF5 with the plain numbers of "
        "the network is read; train the model again, or download it again"
    )


def convert(path: Path | str, number: str) -> None:
    """Store the weights of a file as numbers of another type, such as ``float16``, in its place."""
    with (
        atomic.replacing(path) as partial,
        h5py.File(path, "r") as source,
        h5py.File(partial, "w") as target,
    ):
        source.visititems(lambda name, item: _copy(target, name, item, number))


def _copy(target: h5py.File, name: str, item: h5py.Group | h5py.Dataset, number: str) -> None:
    if isinstance(item, h5py.Dataset):
        copied = target.create_dataset(name, data=item[...].astype(number))
    else:
        copied = target.require_group(name)
    copied.attrs.update(item.attrs)
