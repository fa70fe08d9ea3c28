"""Models that are trained instead of others, such as those of config/paper.yaml."""

from collections.abc import Mapping

from atomsight.errors import InputError


def replacements(models: Mapping[str, object]) -> dict[str, str]:
    """Names of the models that replace others, by the names of these.

    Raises
    ------
    InputError
        If a model replaces what is none, or is replaced itself, or two replace the same.
    """
    found: dict[str, str] = {}
    for name, section in models.items():
        old = section.get("replaces") if isinstance(section, Mapping) else None
        if old is None:
            continue
        where = f"models.{name}.replaces"
        if old == name or old not in models:
            known = ", ".join(other for other in models if other != name)
            raise InputError(f"{where}: {old} is no other model; known are {known}")
        if old in found:
            raise InputError(f"{where}: {found[old]} replaces {old} already; remove one of the two")
        found[old] = name
    for old, name in found.items():
        if name in found:
            raise InputError(
                f"models.{name}.replaces: {name} is replaced by {found[name]} itself; write"
                f" 'replaces: {old}' there and remove {name}"
            )
    return found


def with_replacements(models: Mapping[str, object]) -> dict[str, object]:
    """Sections of models: one that replaces another takes its place, and what it leaves out.

    Raises
    ------
    InputError
        As :func:`replacements`.
    """
    by_old = replacements(models)
    by_new = {new: old for old, new in by_old.items()}
    return {
        by_old.get(name, name): _merged(section, models[by_old[name]])
        if name in by_old
        else section
        for name, section in models.items()
        if name not in by_new
    }


def _merged(below: object, above: object) -> object:
    """A section with another merged over it, as Snakemake merges files."""
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    common = {key: _merged(below[key], above[key]) for key in above if key in below}
    return {**below, **above, **common}
