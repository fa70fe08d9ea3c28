"""Which rows of the sample sheet a figure shows."""

from typing import Any

from atomsight.figures.parts.entry import NothingToShow


def particles(sheet: Any) -> list[str]:
    """The series of particles that are compared, or else all of them."""
    compared = [name for pair in sheet.comparisons().values() for name in pair]
    found = list(dict.fromkeys(compared)) or sheet.read_by("columns")
    if not found:
        raise NothingToShow(
            f"this figure shows particles, and {sheet.configuration['series']} has no series that a"
            " model of columns reads; take the row simulated_gold_vacuum of config/series.tsv"
        )
    return found


def focal_series(sheet: Any, kind: str, material: str | None = None) -> str:
    """The first simulated focal series in which a model finds ``heights`` or ``species``."""
    for name in sheet.read_by(kind):
        is_it = material in (None, sheet.models.facts(sheet.model(name))["material"])
        if is_it and sheet.simulation(name, "focal_series"):
            return name
    example = "simulated_mos2" if kind == "species" else "simulated_gold_heights"
    raise NothingToShow(
        f"this figure shows a simulated focal series, and {sheet.configuration['series']} has none"
        f" that a model of {kind} reads; take the row {example} of config/series.tsv"
    )


def trained(sheet: Any, kind: str, material: str | None = None) -> str:
    """The first model of the configuration that finds ``atoms`` or ``columns``."""
    sections = sheet.models.sections
    for name in sheet.models.trained(kind):
        if material in (None, sections[name]["material"]):
            return name
    raise NothingToShow(
        f"this figure shows a model of {material or kind} that the configuration trains, and there"
        " is none; add one under models"
    )


def files(series: str, *kinds: str) -> dict[str, str]:
    """Files of a series, by their kind."""
    return {kind: f"results/series/{series}/{kind}.h5" for kind in kinds}


def files_of_each(names: list[str], *kinds: str) -> dict[str, dict[str, str]]:
    """Files of several series, by their kind and the name of the series."""
    return {kind: {name: files(name, kind)[kind] for name in names} for kind in kinds}
