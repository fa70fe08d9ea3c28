"""The sample sheet: which micrographs, and which model reads them."""

import csv
import difflib
import os
from pathlib import Path

import jsonschema
import pandas as pd
import yaml

from atomsight.errors import InputError

SCHEMA = Path(__file__).resolve().parents[3] / "schemas" / "series.schema.yaml"
#: What an empty field becomes.
EMPTY = {
    "pixel_size_A": None,
    "dose_e_per_A2": None,
    "frames": "",
    "focus_A": (),
    "mask": None,
    "contrast": "",
    "notes": "",
}
PATH_COLUMNS = ("path", "mask")


def read_sheet(path: Path | str) -> pd.DataFrame:
    """Read and validate a sample sheet.

    Parameters
    ----------
    path : path
        A table with tabs between its columns. Empty lines and lines that begin with ``#`` are
        passed over.

    Returns
    -------
    DataFrame
        One row per series, indexed by ``series``, with the columns ``path, model, pixel_size_A``
        [Å], ``dose_e_per_A2`` [e/Å²], ``frames, focus_A, mask, contrast, notes``. Numbers are
        floats; ``focus_A`` is a tuple of floats [Å], one for every image of a focal series, and
        empty for single images; an empty number or mask is None, another empty field is an empty
        text. ``path`` and ``mask`` are relative to where the sheet's own path is, or absolute.

    Raises
    ------
    InputError
        If the file or a required column is missing, a column is unknown, a field is not what
        ``workflow/schemas/series.schema.yaml`` says, or a name occurs twice.
    """
    path = Path(path)
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    lines = _read_lines(path)
    if not lines:
        raise InputError(f"{path}: the sheet is empty; its first line must name the columns")
    (_, columns), *rows = lines
    _check_columns(path, columns, schema)
    if not rows:
        raise InputError(f"{path}: the sheet has no row below its header; add one per series")
    validator = jsonschema.Draft202012Validator(schema)
    records = [_read_row(path, number, columns, fields, validator) for number, fields in rows]
    _check_unique(path, [number for number, _ in rows], [record["series"] for record in records])
    for record in records:
        for column in PATH_COLUMNS:
            if column in record:
                record[column] = os.path.normpath(path.parent / record[column])
    order = [column for column in schema["properties"] if column != "series"]
    table = pd.DataFrame([EMPTY | record for record in records], dtype=object)
    return table.set_index("series")[order]


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


def _check_columns(path: Path, columns: list[str], schema: dict) -> None:
    known = list(schema["properties"])
    for column in columns:
        if column not in known:
            raise InputError(f"{path}: unknown column {column!r}; {_suggestion(column, known)}")
        if columns.count(column) > 1:
            raise InputError(f"{path}: the column {column} occurs twice; remove one")
    missing = [column for column in schema["required"] if column not in columns]
    if missing:
        raise InputError(f"{path}: the column {missing[0]} is missing; add it")


def _suggestion(column: str, known: list[str]) -> str:
    if any(mark in column for mark in ",; ") and any(name in column for name in known):
        return "separate the columns by tabs"
    stem = column.split("_")[0]
    near = difflib.get_close_matches(column, known, n=1) or [
        name for name in known if stem and name.startswith(stem)
    ]
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def _read_row(
    path: Path,
    number: int,
    columns: list[str],
    fields: list[str],
    validator: jsonschema.Draft202012Validator,
) -> dict:
    """Turn the fields of a row into a record without its empty fields."""
    if len(fields) > len(columns):
        raise InputError(
            f"{path}, row {number}: {len(fields)} fields under {len(columns)} columns; remove a tab"
        )
    properties = validator.schema["properties"]
    record = {
        column: _value(field, properties[column]["type"])
        for column, field in zip(columns, fields, strict=False)
        if field
    }
    for column in validator.schema["required"]:
        if column not in record:
            raise InputError(f"{path}, row {number}: the column {column} is empty; fill it in")
    error = jsonschema.exceptions.best_match(validator.iter_errors(record))
    if error is not None:
        column = error.absolute_path[0]
        raise InputError(
            f"{path}, row {number}, column {column}: {record[column]!r} is not allowed; it must be "
            f"{properties[column]['description']}"
        )
    if "focus_A" in record:
        record["focus_A"] = _focus(record["focus_A"], f"{path}, row {number}, column focus_A")
    return record


def _focus(field: str, where: str) -> tuple[float, ...]:
    """Read the defocus of the images of a focal series."""
    focus_A = tuple(float(value) for value in field.replace(",", " ").split())
    for value in focus_A:
        if focus_A.count(value) > 1:
            raise InputError(
                f"{where}: {value:g} Å occurs twice; the images of a focal series differ in "
                "defocus; give each its own, or leave the column empty for single images"
            )
    return focus_A


def _value(field: str, kind: str) -> float | str:
    """Read a number where one belongs; what is none stays text, which the schema then refuses."""
    if kind != "number":
        return field
    try:
        value = float(field)
    except ValueError:
        return field
    return value if abs(value) < float("inf") else field


def _check_unique(path: Path, numbers: list[int], names: list[str]) -> None:
    first_row: dict[str, int] = {}
    for number, name in zip(numbers, names, strict=True):
        if name in first_row:
            raise InputError(
                f"{path}, row {number}, column series: {name!r} is the name of row "
                f"{first_row[name]} already; choose another"
            )
        first_row[name] = number
