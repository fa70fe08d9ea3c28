"""Tables: in HDF5, as CSV, and lists of the repository with tabs between their columns."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from atomsight.errors import InputError
from atomsight.files import provenance, sealed
from atomsight.files.atomic import replacing

#: Unit of a column, by the end of its name.
_COLUMN_UNITS = {"_A": "angstrom", "_rad": "rad", "_e": "electron"}


def write_table(parent: h5py.Group, name: str, table: pd.DataFrame) -> None:
    """Write a table as a group with one data set per column, of numbers, booleans or strings.

    The end of a column's name (``_A``, ``_rad``, ``_e``) gives the unit.
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


def read_table(parent: h5py.Group, name: str, needed: Sequence[str] = ()) -> pd.DataFrame:
    """Read what :func:`write_table` wrote; InputError if a column that is needed is missing."""
    group = parent[name]
    missing = [column for column in needed if column not in group.attrs["columns"]]
    if missing:
        path = parent.file.filename
        raise InputError(
            f"{path}: the table {name!r} has no column {missing[0]!r}; {sealed.remedy(path)}"
        )
    columns = {}
    for column in group.attrs["columns"]:
        dataset = group[column]
        is_text = h5py.check_string_dtype(dataset.dtype) is not None
        columns[column] = dataset.asstr()[...] if is_text else dataset[...]
    return pd.DataFrame(columns)


def write_csv(path: Path | str, table: pd.DataFrame) -> None:
    """Write a table as CSV without its index, whole or not at all, and its notes beside it."""
    with replacing(path) as partial:
        table.to_csv(partial, index=False, float_format="%.6g")
    provenance.write_notes(path)


def read_csv(path: Path | str, numbers: Sequence[str], words: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table of results, which must have columns of numbers and of words."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: the file does not exist")
    try:
        table = pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a table as CSV ({error}); {sealed.remedy(path)}") from error
    missing = [name for name in (*numbers, *words) if name not in table]
    if missing:
        raise InputError(f"{path}: the column {missing[0]!r} is missing; make the table again")
    provenance.note_input(path)
    # Pandas takes the columns of a table without rows for text.
    text = [name for name in numbers if len(table) and table[name].dtype.kind not in "ifb"]
    if text:
        raise InputError(f"{path}: the column {text[0]!r} holds text; make the table again")
    return table


def read_list(
    path: Path | str, columns: Sequence[str], what: str, **options: object
) -> pd.DataFrame:
    """Read a list of the repository, such as the sample sheet.

    Columns are divided by tabs, and what follows ``#`` in a line is a comment. ``columns`` must be
    there; ``what`` names the list in messages; ``options`` are for ``pandas.read_csv``.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: the {what} does not exist")
    try:
        table = pd.read_csv(path, sep="\t", comment="#", **options)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a table with tabs between its columns ({error})") from error
    missing = [name for name in columns if name not in table]
    if missing:
        raise InputError(f"{path}: the column {missing[0]} is missing; add it")
    return table
