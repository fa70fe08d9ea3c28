"""The reference page of the configuration, from the JSON schema of its classes."""

import json
import re
from collections.abc import Iterator

from atomsight.config.configuration import Configuration

_HEAD = """# Configuration

`config/config.yaml` has the keys that you are most likely to change; this page has all of them.
Write the keys that differ into a file of your own and merge it over `config/config.yaml` with
`--configfile my_config.yaml`. A misspelt key, a wrong unit or an impossible range stops the run
with one sentence that names the key.

A *section* is a mapping of further keys and has a table below; a range is `[low, high]`;
`<name>` stands for a name of your choice.
"""

_LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_PLAIN = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
}


def page() -> str:
    """The page as Markdown."""
    schema = Configuration.model_json_schema()
    return _HEAD + "\n".join(_section("", schema, schema["$defs"]))


def _section(path: str, section: dict, classes: dict) -> Iterator[str]:
    """Table of the keys of a section, then its sections."""
    if path:
        yield f"\n## `{path}`\n\n{section.get('description', '')}"
    yield "\n| key | value | default | meaning |\n|---|---|---|---|"
    inner = []
    for key, part in section["properties"].items():
        within = dict(_sections(f"{path}.{key}".lstrip("."), part, classes))
        inner += within.items()
        default = (
            f"`{json.dumps(part['default'], ensure_ascii=False)}`" if "default" in part else ""
        )
        if key in section.get("required", ()):
            default = "required"
        value = ", ".join(map(_link, within)) or _value(part)
        yield f"| `{key}` | {value} | {default} | {part.get('description', '')} |"
    for name, part in inner:
        yield from _section(name, part, classes)


def _sections(path: str, part: dict, classes: dict) -> Iterator[tuple[str, dict]]:
    """Sections that a key holds, with their paths; of several, each with its kind."""
    part = _resolved(part, classes)
    if "properties" in part:
        yield path, part
    for one in (*part.get("anyOf", ()), *part.get("oneOf", ())):
        for name, found in _sections(path, one, classes):
            kind = _kind(found, classes)
            yield f"{name} ({kind})" if kind else name, found
    for one in part.get("patternProperties", {}).values():
        yield from _sections(f"{path}.<name>", one, classes)


def _resolved(part: dict, classes: dict) -> dict:
    return classes[part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else part


def _kind(section: dict, classes: dict) -> str:
    """What tells a section from others in its place: its kind, or that of its specimen."""
    keys = section["properties"]
    if "kind" in keys:
        return keys["kind"].get("const", "")
    return _kind(_resolved(keys["specimen"], classes), classes) if "specimen" in keys else ""


def _link(path: str) -> str:
    """Link to a section, as Sphinx calls its heading."""
    anchor = re.sub(r"[^\w -]", "", path.lower()).replace(" ", "-")
    _, _, kind = path.partition("(")
    return f"[{kind.partition(')')[0] or 'section'}](#{anchor})"


def _value(part: dict) -> str:
    """Type, limits and unit in words."""
    return _type(part) + (f" [{part['unit']}]" if "unit" in part else "")


def _type(part: dict) -> str:
    if "enum" in part or "const" in part:
        return ", ".join(f"`{one}`" for one in part.get("enum", [part.get("const")]))
    if "anyOf" in part:
        return " or ".join(map(_type, part["anyOf"]))
    if "prefixItems" in part:
        return f"{len(part['prefixItems'])} × {_type(part['prefixItems'][0])}"
    if "items" in part:
        return f"list: {_type(part['items'])}"
    if part.get("type") == "object":
        values = [*part.get("patternProperties", {}).values(), part.get("additionalProperties")]
        return "by name: " + _type(next(filter(None, values)))
    limits = [f"{sign} {part[limit]:g}" for limit, sign in _LIMITS.items() if limit in part]
    return f"{_PLAIN.get(part.get('type'), part.get('type', 'any'))} {', '.join(limits)}".strip()
