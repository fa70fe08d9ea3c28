"""A section of the configuration: its keys with type, range, unit, default and meaning.

A section is a class. Its docstring says what it is about, its fields are the keys, and the text
below a field says what the key means::

    class InferenceSettings(Section):
        '''How images are read by the network.'''

        memory_mb: int = key(4000, unit="MB", ge=2000)
        '''Memory of a job that reads images.'''

A class that differs from another in some defaults names them in its head::

    class LargeImage(AcquisitionSettings, rows=1024, columns=1024): ...

The default None for a key that must have a value says that the key may be absent.

Numbers are what YAML says they are: ``true`` is none, 3.0 is no whole number, and NaN and infinity
are refused. Whole numbers are taken where any number is allowed. Lists become tuples.
"""

import ast
import copy
import functools
import inspect
import itertools
import reprlib
import sys
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, PydanticUndefined
from pydantic_core import core_schema as schemas

from atomsight.errors import InputError, did_you_mean


class FileError(ValueError):
    """What is wrong with a file that stands for a section: a whole sentence."""


def wrong(key: str, message: str) -> PydanticCustomError:
    """What a validator of a section raises about a key in it, such as ``training.steps``."""
    return PydanticCustomError("key", "{message}", {"key": key, "message": message})


class Section(pydantic.BaseModel):
    """A part of the configuration, checked and complete."""

    model_config = pydantic.ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        validate_default=True,  # a default of 1 becomes 1.0 where the key is a number
        defer_build=True,  # an import builds no validators
    )

    def __init_subclass__(cls, **_defaults: object) -> None:
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(cls, **defaults: object) -> None:
        for name, field in list(cls.model_fields.items()):
            if name in defaults:
                cls.model_fields[name] = field = copy.copy(field)
                field.default, field.default_factory = defaults[name], None
            if _may_be_absent(field):
                field.validate_default = False

    @classmethod
    def parse(cls, values: object, where: str = "") -> Self:
        """As :func:`parse`."""
        return parse(cls, values, where)

    @classmethod
    def complete(cls, values: object, where: str = "") -> dict:
        """As :func:`complete`."""
        return complete(cls, values, where)

    def but(self, **changes: object) -> Self:
        """The same section with other values for some keys, which are taken as they are."""
        if unknown := changes.keys() - type(self).model_fields.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        return self.model_copy(update=changes)

    @classmethod
    def meanings(cls) -> dict[str, str]:
        """What every key means, by its name; of a section within it, what its class says."""
        meanings = {}
        for name, field in cls.model_fields.items():
            kind = _bare(field.annotation)
            if isinstance(kind, type) and issubclass(kind, Section):
                meanings[name] = inspect.cleandoc(kind.__doc__)
        sections = [base for base in cls.__mro__ if issubclass(base, Section)]
        for base in reversed(sections):
            meanings |= _meanings_in(base.__module__).get(base.__qualname__, {})
        return {name: meanings.get(name, "") for name in cls.model_fields}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> dict:
        described = handler(schema)
        properties = handler.resolve_ref_schema(described).get("properties", {})
        for name, meaning in cls.meanings().items():
            properties[name]["description"] = " ".join(meaning.split())
            if _may_be_absent(cls.model_fields[name]):
                del properties[name]["default"]
        return described


def parse(kind: Any, values: object, where: str = "") -> Any:
    """Check a part of the configuration, fill in what it leaves out, and give it as a section.

    ``kind`` is the class of a section, or what :func:`one_of` gives; ``where`` is where the part
    stands in the configuration, for the message. Raises :class:`InputError` on the first wrong key
    or value: one sentence that names the key, what is wrong and what is allowed.
    """
    is_section = isinstance(kind, type)
    check = kind.model_validate if is_section else pydantic.TypeAdapter(kind).validate_python
    try:
        return check(_tuples(values))
    except pydantic.ValidationError as error:
        raise InputError(_sentence(kind, _worst(error.errors()), where)) from None


def complete(kind: Any, values: object, where: str = "") -> dict:
    """Check a part of the configuration as :func:`parse` does, and give it with all defaults.

    What was given is as it was given: a number that is whole stays so.
    """
    return _completed(parse(kind, values, where), values)


def keys_of(kind: Any) -> list[str]:
    """Names of the keys of a section, or of all that :func:`one_of` names."""
    if isinstance(kind, type):
        return list(kind.model_fields)
    kinds = [get_args(one)[0] for one in get_args(_bare(kind))]
    return list(dict.fromkeys(name for one in kinds for name in one.model_fields))


def key(
    default: object = PydanticUndefined,
    *,
    unit: str | None = None,
    min_length: int = 0,
    max_length: int | None = None,
    unique: bool = False,
    **limits: float,
) -> Any:
    """A key of a section; it is required if it has no default.

    The limits ``ge gt le lt multiple_of`` hold for the number, or for every number in the list or
    mapping. ``min_length`` and ``max_length`` are numbers of items; ``unique`` ones differ.
    """
    field = pydantic.Field(default, json_schema_extra={"unit": unit} if unit else None)
    if limits:
        field.metadata.append(_Limits(limits))
    if min_length or max_length or unique:
        field.metadata.append(_Items(min_length, max_length, unique))
    return field


def part(kind: type[Section], **values: object) -> Any:
    """A section within a section; where it is left out, it has these values."""
    return pydantic.Field(default_factory=lambda: kind(**values))


def _rising(pair: tuple[float, float]) -> tuple[float, float]:
    low, high = pair
    if low > high:
        raise PydanticCustomError("range_falls", "the range falls")
    return pair


#: ``[low, high]`` that must not fall.
Range = Annotated[tuple[float, float], pydantic.AfterValidator(_rising)]
CountRange = Annotated[tuple[int, int], pydantic.AfterValidator(_rising)]


#: For mappings of anything: lists in them stay lists.
AS_GIVEN = pydantic.AfterValidator(lambda values: _lists(values))


def text(pattern: str, allowed: str) -> type[str]:
    """A text that matches a pattern; ``allowed`` says it in words."""
    return Annotated[str, _Text(pattern, allowed)]


def one_of(discriminator: str, **kinds: type[Section]) -> Any:
    """One of several sections, told apart by a key such as ``kind`` or ``specimen.kind``."""

    def kind_of(values: object) -> object:
        for name in discriminator.split("."):
            values = (
                values.get(name) if isinstance(values, Mapping) else getattr(values, name, None)
            )
        return values if isinstance(values, str) else None

    tagged = [Annotated[kind, pydantic.Tag(name)] for name, kind in kinds.items()]
    found = pydantic.Discriminator(
        kind_of,
        custom_error_type="kind",
        custom_error_message="no known kind",
        custom_error_context={"key": discriminator, "kinds": ", ".join(kinds)},
    )
    return Annotated[Union[tuple(tagged)], found]  # noqa: UP007 - made of a list


class _Limits:
    """Limits of a number, or of every number in a list or mapping."""

    def __init__(self, limits: Mapping[str, float]) -> None:
        self.limits = limits

    def __get_pydantic_core_schema__(
        self, source: object, handler: pydantic.GetCoreSchemaHandler
    ) -> CoreSchema:
        return self._limited(handler(source))

    def _limited(self, schema: CoreSchema) -> CoreSchema:
        if schema["type"] in ("int", "float"):
            return schema | self.limits
        limited = dict(schema)
        for inner in ("schema", "values_schema"):
            if inner in schema:
                limited[inner] = self._limited(schema[inner])
        if "items_schema" in schema:
            limited["items_schema"] = [self._limited(item) for item in schema["items_schema"]]
        return limited


class _Items:
    """How many items there are, and whether they differ."""

    def __init__(self, least: int, most: int | None, unique: bool) -> None:
        self.least, self.most, self.unique = least, most, unique

    def __get_pydantic_core_schema__(
        self, source: object, handler: pydantic.GetCoreSchemaHandler
    ) -> CoreSchema:
        return schemas.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> dict:
        told = handler(schema)
        for inner in told.get("anyOf", [told]):
            kind = {"array": "Items", "object": "Properties", "string": "Length"}.get(inner["type"])
            if kind and self.least:
                inner[f"min{kind}"] = self.least
            if kind and self.most:
                inner[f"max{kind}"] = self.most
            if kind and self.unique:
                inner["uniqueItems"] = True
        return told

    def _check(self, items: object) -> object:
        if items is not None and len(items) < self.least:
            wrong = "must have at least {least} items" if items else "must not be empty"
            raise PydanticCustomError("sentence", wrong, {"least": self.least})
        if items is not None and self.most and len(items) > self.most:
            raise PydanticCustomError("sentence", "must not be longer than {most}", vars(self))
        if items is not None and self.unique and len(set(items)) < len(items):
            raise PydanticCustomError("sentence", "must not have an item twice")
        return items


class _Text:
    """A text of a pattern."""

    def __init__(self, pattern: str, allowed: str) -> None:
        self.pattern, self.allowed = pattern, allowed

    def __get_pydantic_core_schema__(self, *_: object) -> CoreSchema:
        return schemas.custom_error_schema(
            schemas.str_schema(pattern=self.pattern),
            "sentence",
            custom_error_message=f"must be a text of {self.allowed} only",
        )


#: The name that something of the configuration is given.
Name = text("^[A-Za-z0-9_.-]+$", "letters, digits, '_', '.' and '-'")


@functools.cache
def _meanings_in(module: str) -> dict[str, dict[str, str]]:
    """Texts below the fields of the classes of a module, by class and field."""
    source = inspect.getsource(sys.modules[module])
    return {
        node.name: {
            field.target.id: inspect.cleandoc(text.value.value)
            for field, text in itertools.pairwise(node.body)
            if isinstance(field, ast.AnnAssign)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        }
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef)
    }


def _tuples(values: object) -> object:
    if isinstance(values, Mapping):
        return {name: _tuples(value) for name, value in values.items()}
    return tuple(map(_tuples, values)) if isinstance(values, list | tuple) else values


def _lists(values: object) -> object:
    if isinstance(values, Mapping):
        return {name: _lists(value) for name, value in values.items()}
    return list(map(_lists, values)) if isinstance(values, list | tuple) else values


def _completed(checked: object, given: object) -> object:
    """Add the defaults to what was given."""
    if isinstance(checked, Section) and isinstance(given, str):
        given = checked.read(given)  # only a section that a file may stand for passes as a path
    if isinstance(given, Section):
        given = {name: getattr(given, name) for name in given.model_fields_set}
    if not isinstance(given, Mapping):
        return _lists(given)
    if not isinstance(checked, Section):
        return {name: _completed(checked[name], value) for name, value in given.items()}
    completed = {name: _completed(getattr(checked, name), value) for name, value in given.items()}
    for name, field in type(checked).model_fields.items():
        if name in given:
            continue
        value = getattr(checked, name)
        if isinstance(value, Section | Mapping):
            default = field.get_default(call_default_factory=True)
            completed[name] = _completed(value, default)
        elif not _may_be_absent(field):
            completed[name] = _lists(field.get_default(call_default_factory=True))
    return completed


# Sentences


def _worst(errors: list[ErrorDetails]) -> ErrorDetails:
    """The error to tell: a key that is unknown, as it may be the missing one, else the first."""
    return min(errors, key=lambda error: error["type"] not in _UNKNOWN)


_UNKNOWN = ("extra_forbidden", "invalid_key")

_LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("more than", "gt"),
    "less_than": ("less than", "lt"),
    "multiple_of": ("a multiple of", "multiple_of"),
}


def _sentence(kind: object, error: ErrorDetails, where: str) -> str:
    """Say in one sentence which key is wrong, and what is allowed."""
    location, fault = error["loc"], error["type"]
    if fault == "missing" and isinstance(location[-1], int):  # a list that is too short
        location, fault = location[:-1], "too_short"
    names, found, unit, known = _follow(kind, location)
    path = ".".join([where, *names]).strip(".")
    value = _shown(error["input"])
    if fault in _UNKNOWN:
        suggestion = f"; {did_you_mean(names[-1], known)}" if known else ""
        return f"{path} is not a key of the configuration{suggestion}"
    if fault == "missing":
        return f"{path} is missing; it must be {_wanted(found)}{unit}"
    if fault == "kind":
        return _kind_sentence(path, error)
    if fault in _LIMITS:
        words, name = _LIMITS[fault]
        limit = error["ctx"][name]
        limit = int(limit) if limit == int(limit) else limit
        return f"{path}: {value} must be {words} {limit}{unit}"
    if fault == "range_falls":
        return f"{path}: the range {value} falls; write [low, high]{unit}"
    if fault == "sentence":
        return f"{path}: {value} {error['msg']}"
    if fault == "key":
        return f"{path}.{error['ctx']['key']}: {error['msg']}".removeprefix(".")
    if fault == "value_error":
        told = error["ctx"]["error"]
        return str(told) if isinstance(told, FileError) else f"{path}: {told}".removeprefix(": ")
    return f"{path}: {value} must be {_wanted(found)}{unit}".removeprefix(": ")


def _shown(value: object) -> str:
    """A value as it is written, and shortened if it is long."""
    return _SHORT.repr(_lists(value))


_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxdict = 10
_SHORT.maxstring = _SHORT.maxother = 60


def _kind_sentence(path: str, error: ErrorDetails) -> str:
    """Say what is wrong with the key that tells sections apart."""
    values, names = error["input"], error["ctx"]["key"].split(".")
    for name in names:
        if not isinstance(values, Mapping):
            return f"{path}: {_shown(values)} must be a mapping"
        path = f"{path}.{name}".strip(".")
        wanted = f"one of {error['ctx']['kinds']}" if name == names[-1] else "a mapping"
        if name not in values:
            return f"{path} is missing; it must be {wanted}"
        values = values[name]
    return f"{path}: {_shown(values)} must be {wanted}"


def _follow(kind: object, location: tuple[str | int, ...]) -> tuple[list[str], object, str, list]:
    """Follow the location of an error: names of the keys, type, unit and known keys at its end."""
    names, unit, known = [], "", []
    for step in location:
        kind = _bare(kind)
        if get_origin(kind) in (Union, UnionType):  # of sections; the step is the tag of one
            tagged = {get_args(one)[1].tag: get_args(one)[0] for one in get_args(kind)}
            kind = tagged[step]
            continue
        names.append(str(step))
        if isinstance(kind, type) and issubclass(kind, Section):
            known = list(kind.model_fields)
            if step not in known:
                return names, None, "", known
            field = kind.model_fields[step]
            unit = f" [{field.json_schema_extra['unit']}]" if field.json_schema_extra else ""
            kind = field.annotation
            if field.metadata:
                kind = Annotated[(kind, *field.metadata)]
        elif get_origin(kind) is tuple:
            items = get_args(kind)
            kind = items[0] if items[-1] is Ellipsis else items[min(step, len(items) - 1)]
        else:
            names_of, kind = get_args(kind)
            if "[key]" in location:  # the name of an item is wrong: the mapping is told
                return names[:-1], names_of, "", known
    return names, kind, unit, known


def _may_be_absent(field: FieldInfo) -> bool:
    """Whether a key that must have a value may be left out, and is None then."""
    return field.default is None and not _is_optional(field.annotation)


def _is_optional(kind: object) -> bool:
    return get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind)


def _bare(kind: object) -> object:
    """The type without what is annotated, and without None beside it."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if _is_optional(kind):
        return _bare(next(one for one in get_args(kind) if one is not NoneType))
    return kind


_WORDS = {float: "a number", int: "a whole number", str: "a text", bool: "true or false"}


def _wanted(kind: object) -> str:
    """Say what a value must be."""
    bare = _bare(kind)
    if get_origin(bare) is Literal:
        words = "one of " + ", ".join(map(str, get_args(bare)))
    elif get_origin(bare) is tuple:
        items = get_args(bare)
        each = "texts" if items[0] is str else "numbers"
        words = "a list" if items[-1] is Ellipsis else f"a list of {len(items)} {each}"
        words = "a range [low, high]" if _is_range(kind) else words
    else:
        words = _WORDS.get(bare, "a mapping")
    return f"{words} or null" if _allows_none(kind) else words


def _is_range(kind: object) -> bool:
    if get_origin(kind) is Annotated:
        inner, *metadata = get_args(kind)
        return Range.__metadata__[0] in metadata or _is_range(inner)
    return _is_optional(kind) and any(map(_is_range, get_args(kind)))


def _allows_none(kind: object) -> bool:
    if get_origin(kind) is Annotated:
        return _allows_none(get_args(kind)[0])
    return _is_optional(kind)
