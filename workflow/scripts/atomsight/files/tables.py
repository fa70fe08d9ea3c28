"""Tables of text: results as CSV, and lists of the repository with tabs between their columns."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from atomsight.errors import InputError
from atomsight.files import provenance


def read_csv(path: Path | str, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table of results with the columns that are needed.

    Parameters
    ----------
    path : path
        A CSV file.
    columns : sequence of str
        Columns it must have; they hold numbers.

    Returns
    -------
    DataFrame
        The whole table.

    Raises
    ------
    InputError
        If the file is missing or no table, or a column is missing or holds text.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: the file does not exist")
    try:
        table = pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a table as CSV ({error}); make it again") from error
    missing = [name for name in columns if name not in table]
    if missing:
        raise InputError(f"{path}: the column {missing[0]!r} is missing; make the table again")
    provenance.note_input(path)
    # Pandas takes the columns of a table without rows for text.
    text = [name for name in columns if len(table) and table[name].dtype.kind not in "ifb"]
    if text:
        raise InputError(f"{path}: the column {text[0]!r} holds text; make the table again")
    return table


def read_list(
    path: Path | str, columns: Sequence[str], what: str, **options: object
) -> pd.DataFrame:
    """Read a list that stands in the repository, with tabs between its columns.

    Parameters
    ----------
    path : path
        The file; what follows ``#`` in a line is a comment.
    columns : sequence of str
        Columns it must have.
    what : str
        What it is, for the messages.
    **options
        For ``pandas.read_csv``.

    Returns
    -------
    DataFrame
        The whole table.

    Raises
    ------
    InputError
        If the file or a column is missing, or it is no table.
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
