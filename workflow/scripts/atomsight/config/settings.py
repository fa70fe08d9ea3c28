"""The configuration: checked against its schema, completed with defaults, turned into dataclasses.

``workflow/schemas/config.schema.yaml`` is the one place where a key has its type, range, unit,
default and description. Beside the words of JSON Schema it has three of its own: ``unit``;
``range: true``, for a list [low, high] that must not fall; ``allowed``, a pattern in words.
"""

import copy
import difflib
import math
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar, get_args, get_origin, get_type_hints

import jsonschema
import yaml

from atomsight import materials
from atomsight.config.replacing import with_replacements
from atomsight.config.section import Section
from atomsight.errors import InputError

SCHEMA_FILE = Path(__file__).parents[3] / "schemas" / "config.schema.yaml"

#: The loader of libyaml, six times as fast, where PyYAML was built with it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Settings = TypeVar("Settings")


@cache
def _schema() -> dict:
    return yaml.load(SCHEMA_FILE.read_text(encoding="utf-8"), Loader=_LOADER)


def complete(values: Mapping, section: str | None = None, where: str = "") -> dict:
    """Check a part of the configuration and fill in what it leaves out.

    Parameters
    ----------
    values : Mapping
        The values.
    section : str, optional
        Name of the part among the ``$defs`` of the schema; the whole configuration without it.
    where : str, optional
        Where the part stands in the configuration, for the message.

    Returns
    -------
    dict
        A copy with all defaults.

    Raises
    ------
    InputError
        On the first wrong key or value: one sentence that names the key.
    """
    schema = _schema()
    if section:
        schema = {"$ref": f"#/$defs/{section}", "$defs": schema["$defs"]}
    completed = _with_defaults(values, schema)
    error = first_error(completed, schema)
    if error:
        raise InputError(_sentence(error, _along(error.absolute_path, completed, schema), where))
    return completed


def load(values: Mapping, section: str, kind: type[Settings], where: str = "") -> Settings:
    """Read a part of the configuration into a dataclass.

    Parameters
    ----------
    values : Mapping
        The values.
    section : str
        Name of the part among the ``$defs`` of the schema.
    kind : type
        A dataclass whose fields are the keys of the part.
    where : str, optional
        Where the part stands in the configuration, for the message; the section's name without it.

    Returns
    -------
    instance of ``kind``
        The settings.

    Raises
    ------
    InputError
        On the first wrong key or value.
    """
    if issubclass(kind, Section):
        return kind.parse(values, where or section)
    return build(kind, complete(values, section, where or section))


def first_error(values: object, schema: Mapping) -> jsonschema.ValidationError | None:
    """Check values against a schema of the words that the configuration's has.

    Parameters
    ----------
    values : object
        The values.
    schema : Mapping
        The schema.

    Returns
    -------
    ValidationError or None
        What is most wrong with them, if anything is.
    """
    return jsonschema.exceptions.best_match(_Validator(schema).iter_errors(values))


def build(kind: type[Settings], values: Mapping) -> Settings:
    """Turn a part of the configuration that is checked and complete into a dataclass.

    Parameters
    ----------
    kind : type
        A dataclass whose fields are keys of the part.
    values : Mapping
        What :func:`complete` gave.

    Returns
    -------
    instance of ``kind``
        The settings; lists have become tuples.
    """
    return _build(kind, values)


def read_microscope(path: Path | str) -> dict:
    """Read the ranges of a microscope.

    Parameters
    ----------
    path : path
        A YAML file, such as those in ``config/microscopes``.

    Returns
    -------
    dict
        The ranges, checked and complete.

    Raises
    ------
    InputError
        If the file is missing or something in it is wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: the microscope's file does not exist")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: not a table of ranges such as 'defocus_A: [-200, 200]'")
    try:
        return complete(values, "microscope")
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def check_configuration(values: Mapping) -> dict:
    """Check the whole configuration, the microscopes' files included.

    Parameters
    ----------
    values : Mapping
        The configuration as Snakemake reads it.

    Returns
    -------
    dict
        A copy with all defaults; every model holds its microscope's ranges.

    Raises
    ------
    InputError
        On the first wrong key or value.
    """
    if isinstance(values.get("models"), Mapping):
        values = {**values, "models": with_replacements(values["models"])}
    configuration = complete(values)
    for name, model in configuration["models"].items():
        where = f"models.{name}"
        model.pop("replaces", None)
        model["microscope"] = _ranges(model["microscope"], f"{where}.microscope")
        _check_model(model, where)
    configuration["evaluation"] = complete_evaluation(configuration["evaluation"])
    _check_simulations(configuration)
    for name in configuration["image_counts"]:
        if not materials.is_counting(configuration["models"].get(name, {}).get("class_names", ())):
            raise InputError(
                f"image_counts: {name} is not a model of the configuration that counts columns"
            )
    return configuration


def complete_evaluation(values: Mapping) -> dict:
    """Check and complete the section ``evaluation``, its microscope's file included.

    Parameters
    ----------
    values : Mapping
        The section.

    Returns
    -------
    dict
        A copy with all defaults and the ranges of the microscope. A file of ranges that is not in
        the working folder is that of this repository.

    Raises
    ------
    InputError
        On the first wrong key or value, or if the camera is none that can be drawn.
    """
    section = complete(values, "evaluation", "evaluation")
    where = "evaluation.settings.microscope"
    given = section["settings"]["microscope"]
    if isinstance(given, str) and not Path(given).exists():
        given = str(SCHEMA_FILE.parents[2] / given)
    ranges = _ranges(given, where)
    if ranges["mtf"]["table"]:
        raise InputError(f"{where}.mtf: a measured table cannot be drawn from; give c1, c2 and c3")
    section["settings"]["microscope"] = ranges
    return section


def _ranges(given: str | Mapping, where: str) -> dict:
    """Read ranges of a microscope, from a file or as they stand in the configuration."""
    if isinstance(given, str):
        return read_microscope(given)
    return complete(given, "microscope", where)


def _check_simulations(configuration: Mapping) -> None:
    """See that no two simulations have one name, as their files would be the same."""
    named: dict[str, str] = {}
    for kind in ("acquisitions", "sequences", "focal_series"):
        for name in configuration[kind]:
            if name in named:
                raise InputError(
                    f"{kind}.{name}: {named[name]} has this name already; choose another"
                )
            named[name] = kind


def _check_model(model: Mapping, where: str) -> None:
    """Check what the schema cannot say: how the keys of a model fit together."""
    curriculum = model["training"]["curriculum"]
    if curriculum["easy_until"] >= curriculum["full_from"]:
        raise InputError(f"{where}.training.curriculum: easy_until must be less than full_from")
    steps = model["microscope"]["focal_series"]["steps_A"]
    if curriculum["favourable"]["both_signs"] and len(steps) > 1:
        raise InputError(
            f"{where}.training.curriculum.favourable: both_signs is for single images; in a focal "
            "series it would turn the order of the images round"
        )
    support = model["nanoparticle"]["support"]
    if support["amorphous_share"] + support["crystalline_share"] > 1:
        raise InputError(
            f"{where}.nanoparticle.support: amorphous_share and crystalline_share must not sum to "
            "more than 1"
        )
    try:
        materials.purpose(model["material"], model["class_names"])
    except InputError as error:
        raise InputError(f"{where}.class_names: {error}") from error


def _is_number(_checker: object, value: object) -> bool:
    return _is_integer(_checker, value) or (isinstance(value, float) and math.isfinite(value))


def _is_integer(_checker: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _does_not_fall(
    validator: jsonschema.protocols.Validator, is_range: bool, values: object, _schema: object
) -> Iterator[jsonschema.ValidationError]:
    """Check the keyword ``range``; whether there are two numbers is for other keywords to check."""
    is_pair = validator.is_type(values, "array") and len(values) == 2
    if is_range and is_pair and all(validator.is_type(value, "number") for value in values):
        low, high = values
        if low > high:
            yield jsonschema.ValidationError("the range falls")


#: JSON Schema with ``range``, and without numbers that are none: NaN, infinity, 3.0 for 3.
_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    validators={"range": _does_not_fall},
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_number, "integer": _is_integer}
    ),
)


def _resolve(schema: Mapping, values: object) -> Mapping:
    """Follow references, what stands beside one going first, and the conditions that hold."""
    if "$ref" in schema:
        target = _schema()["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**_resolve(target, values), **beside}
    if isinstance(values, Mapping):
        for condition in schema.get("allOf", ()):
            if _Validator(condition["if"]).is_valid(values):
                schema = {**schema, **_resolve(condition["then"], values)}
    return schema


def _part(schema: Mapping, key: str | int) -> Mapping:
    """Give the schema of one key or item of what a resolved schema describes."""
    if isinstance(key, int):
        first = schema.get("prefixItems", ())
        return first[key] if key < len(first) else schema.get("items", {})
    further = schema.get("additionalProperties")
    return schema.get("properties", {}).get(key, further if isinstance(further, Mapping) else {})


def _along(path: Iterable[str | int], values: object, schema: Mapping) -> list[Mapping]:
    """Give the resolved schemas of the values and of everything on the path into them."""
    schemas = [_resolve(schema, values)]
    for key in path:
        values = values[key]
        schemas.append(_resolve(_part(schemas[-1], key), values))
    return schemas


def _with_defaults(values: object, schema: Mapping) -> object:
    if not isinstance(values, Mapping):
        return values
    schema = _resolve(schema, values)
    completed = dict(values)
    for key, part in schema.get("properties", {}).items():
        resolved = _resolve(part, None)
        if key not in completed and "default" in resolved:
            completed[key] = copy.deepcopy(resolved["default"])
    return {key: _with_defaults(value, _part(schema, key)) for key, value in completed.items()}


def _sentence(error: jsonschema.ValidationError, schemas: list[Mapping], where: str) -> str:
    """Say in one sentence which key is wrong, and what is allowed.

    The last of the schemas describes what is wrong, the others what it is a part of.
    """
    path = ".".join([where, *map(str, error.absolute_path)]).strip(".")
    schema, value = schemas[-1], repr(error.instance)
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = next(key for key in error.instance if key not in known)
        key = f"{path}.{unknown}".strip(".")
        return f"{key} is not a key of the configuration{_suggestion(str(unknown), known)}"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        wanted = _wanted([_resolve(_part(schema, missing), None)])
        return f"{f'{path}.{missing}'.strip('.')} is missing; it must be {wanted}"
    if error.validator in _LIMITS:
        limit = f"{_LIMITS[error.validator]} {error.validator_value}"
        return f"{path}: {value} must be {limit}{_in_unit(schemas)}"
    if error.validator == "range":
        return f"{path}: the range {value} falls; write [low, high]{_in_unit(schemas)}"
    if "allowed" in error.schema:
        return f"{path}: {value} must be a text of {error.schema['allowed']} only"
    if not error.instance and "maxItems" not in schema and error.validator.startswith("min"):
        return f"{path}: {value} must not be empty"
    return f"{path}: {value} must be {_wanted(schemas)}"


_LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
}

_KINDS = {
    "number": "a number",
    "integer": "a whole number",
    "string": "a text",
    "boolean": "true or false",
    "object": "a table of keys",
    "null": "null",
}


def _wanted(schemas: list[Mapping]) -> str:
    """Say what a value must be."""
    schema = schemas[-1]
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    lengths = schema.get("minItems", 0), schema.get("maxItems")
    a_list = f"a list of {lengths[0]} numbers" if lengths[0] == lengths[1] else "a list"
    kinds_in_words = _KINDS | {"array": "a range [low, high]" if schema.get("range") else a_list}
    return " or ".join(kinds_in_words[kind] for kind in kinds) + _in_unit(schemas)


def _in_unit(schemas: list[Mapping]) -> str:
    """Write the unit; an item of a list has that of the list."""
    unit = next((schema["unit"] for schema in reversed(schemas) if "unit" in schema), None)
    return f" [{unit}]" if unit else ""


def _suggestion(unknown: str, known: list[str]) -> str:
    """Name the key that was meant: the same quantity, perhaps in another unit, or one alike."""
    same_quantity = [key for key in known if key.split("_")[0] == unknown.split("_")[0]]
    alike = difflib.get_close_matches(unknown, same_quantity or known, n=1) or same_quantity[:1]
    if alike:
        return f"; did you mean {alike[0]}?"
    return f"; known here are {', '.join(known)}" if known else ""


def _build(kind: object, values: object) -> object:
    """Turn checked values into a dataclass, or into tuples and dicts of them."""
    if isinstance(kind, type) and issubclass(kind, Section):
        return kind.parse(values)
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(
            **{
                field.name: _build(hints[field.name], values[field.name])
                for field in fields(kind)
                if field.name in values
            }
        )
    if isinstance(kind, types.UnionType):  # one kind, or None
        inner = next(one for one in get_args(kind) if one is not types.NoneType)
        return None if values is None else _build(inner, values)
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        each = inner[:1] * len(values) if inner[-1] is Ellipsis else inner
        return tuple(_build(one, value) for one, value in zip(each, values, strict=True))
    if get_origin(kind) in (dict, Mapping):
        return {key: _build(get_args(kind)[1], value) for key, value in values.items()}
    return float(values) if kind is float else values
