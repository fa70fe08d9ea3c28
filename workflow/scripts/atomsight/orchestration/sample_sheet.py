"""The sample sheet: which micrographs, and which model reads them."""

import csv
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from atomsight.errors import InputError, did_you_mean

_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_FRAMES = r"\d+(\s*-\s*\d+)?"
_FOCUS_A = r"[+-]?\d+(\.\d*)?"


@dataclass(frozen=True)
class Column:
    """A column of the sheet.

    Attributes
    ----------
    allowed : str
        What may stand there, for the message.
    pattern : str
        What a text there must match; None where a number is meant, which is above zero.
    at_most : float
        The greatest number allowed.
    empty : object
        What an empty field becomes; a column that must be filled in has none.
    is_path : bool
        Whether it is relative to the sheet.
    """

    allowed: str
    pattern: str | None = ".+"
    at_most: float = math.inf
    empty: object = ...
    is_path: bool = False

    @property
    def is_required(self) -> bool:
        """Whether it must be filled in."""
        return self.empty is ...

    def read(self, field: str) -> float | str | None:
        """The value of a field, or None if that is not allowed."""
        if self.pattern is not None:
            return field if re.fullmatch(self.pattern, field) else None
        try:
            value = float(field)
        except ValueError:
            return None
        return value if 0 < value <= self.at_most and math.isfinite(value) else None


COLUMNS = {
    "series": Column(
        "name of the series and of its folder of results, of letters, digits, '.', '_' and '-'",
        _NAME,
    ),
    "path": Column(
        "the file, or a pattern such as images/*.dm4; relative to the sheet or absolute",
        is_path=True,
    ),
    "model": Column(
        "name of a model, either one in the configuration or a folder in data/models", _NAME
    ),
    "pixel_size_A": Column(
        "size of a recorded pixel in Å, above 0 and at most 10; empty takes the file's",
        pattern=None,
        at_most=10,
        empty=None,
    ),
    "dose_e_per_A2": Column(
        "electron dose in e/Å² of one frame, or of all images of a focal series together, above 0;"
        " empty if unknown",
        pattern=None,
        empty=None,
    ),
    "frames": Column(
        "numbers of frames and ranges such as 0-9,12, counted from 0; empty means all",
        rf"{_FRAMES}(\s*,\s*{_FRAMES})*",
        empty="",
    ),
    "focus_A": Column(
        "the defocus in Å of two or more images that belong together, in the order of the frames"
        " and underfocus positive, such as -170,-40,90; empty for single images",
        rf"{_FOCUS_A}(\s*,\s*{_FOCUS_A}|\s+{_FOCUS_A})+",
        empty=(),
    ),
    "mask": Column(
        "an image that is nonzero where to analyse, or for particles also a polygon (.csv, .json)"
        " in Å; relative to the sheet or absolute",
        empty=None,
        is_path=True,
    ),
    "contrast": Column(
        "bright or dark, as the atoms are on the background; empty if unknown",
        "bright|dark",
        empty="",
    ),
    "notes": Column("anything; it is shown in the report", empty=""),
}
_REQUIRED = [name for name, column in COLUMNS.items() if column.is_required]


def read_sheet(path: Path | str) -> pd.DataFrame:
    """Read and check a sample sheet, a table with tabs between its columns.

    Empty lines and lines that begin with ``#`` are passed over. The result has a row per series,
    indexed by ``series``, with all other columns of :data:`COLUMNS`: numbers are floats,
    ``focus_A`` is a tuple of floats [Å], ``path`` and ``mask`` are relative to where the sheet's
    own path is, or absolute.

    Raises
    ------
    InputError
        If the file or a required column is missing, a column is unknown, a field is not allowed,
        or a name occurs twice: one sentence that names row and column.
    """
    path = Path(path)
    lines = _read_lines(path)
    if not lines:
        raise InputError(f"{path}: the sheet is empty; its first line must name the columns")
    (_, columns), *rows = lines
    _check_columns(path, columns)
    if not rows:
        raise InputError(f"{path}: the sheet has no row below its header; add one per series")
    records = [_read_row(path, number, columns, fields) for number, fields in rows]
    _check_unique(path, [number for number, _ in rows], [record["series"] for record in records])
    return pd.DataFrame(records, columns=list(COLUMNS), dtype=object).set_index("series")


def _read_lines(path: Path) -> list[tuple[int, list[str]]]:
    """Split a sheet into fields; every line keeps the number an editor shows for it."""
    if not path.is_file():
        raise InputError(f"{path}: the sample sheet does not exist")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: the sheet is not UTF-8 text; save it as such") from error
    reader = csv.reader(text.splitlines(), delimiter="\t")
    lines = [(reader.line_num, [field.strip() for field in fields]) for fields in reader]
    return [(number, fields) for number, fields in lines if any(fields) and fields[0][:1] != "#"]


def _check_columns(path: Path, columns: list[str]) -> None:
    for column in columns:
        if column not in COLUMNS:
            raise InputError(f"{path}: unknown column {column!r}; {_suggestion(column)}")
        if columns.count(column) > 1:
            raise InputError(f"{path}: the column {column} occurs twice; remove one")
    missing = [column for column in _REQUIRED if column not in columns]
    if missing:
        raise InputError(f"{path}: the column {missing[0]} is missing; add it")


def _suggestion(column: str) -> str:
    if any(mark in column for mark in ",; ") and any(name in column for name in COLUMNS):
        return "separate the columns by tabs"
    return did_you_mean(column, COLUMNS)


def _read_row(path: Path, number: int, columns: list[str], fields: list[str]) -> dict:
    """Turn the fields of a row into a record of all columns."""
    if len(fields) > len(columns):
        raise InputError(
            f"{path}, row {number}: {len(fields)} fields under {len(columns)} columns; remove a tab"
        )
    given = {name: field for name, field in zip(columns, fields, strict=False) if field}
    for name in _REQUIRED:
        if name not in given:
            raise InputError(f"{path}, row {number}: the column {name} is empty; fill it in")
    record = {name: column.empty for name, column in COLUMNS.items()}
    for name, field in given.items():
        column, where = COLUMNS[name], f"{path}, row {number}, column {name}"
        value = column.read(field)
        if value is None:
            raise InputError(f"{where}: {field!r} is not allowed; it must be {column.allowed}")
        if column.is_path:
            value = os.path.normpath(path.parent / value)
        record[name] = _focus_A(value, where) if name == "focus_A" else value
    return record


def _focus_A(field: str, where: str) -> tuple[float, ...]:
    """Read the defocus of the images of a focal series."""
    focus_A = tuple(float(value) for value in field.replace(",", " ").split())
    for value in focus_A:
        if focus_A.count(value) > 1:
            raise InputError(
                f"{where}: {value:g} Å occurs twice; the images of a focal series differ in "
                "defocus; give each its own, or leave the column empty for single images"
            )
    return focus_A


def _check_unique(path: Path, numbers: list[int], names: list[str]) -> None:
    first_row: dict[str, int] = {}
    for number, name in zip(numbers, names, strict=True):
        if name in first_row:
            raise InputError(
                f"{path}, row {number}, column series: {name!r} is the name of row "
                f"{first_row[name]} already; choose another"
            )
        first_row[name] = number
