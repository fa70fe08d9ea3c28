"""Structures that a model is trained on."""

from collections.abc import Sequence
from pathlib import Path

from atomsight.errors import InputError
from atomsight.files import layout
from atomsight.files.records import Structure


def read(paths: Sequence[Path | str]) -> dict[int, tuple[Path | str, Structure]]:
    """Read structures by their number, in order, with the path of each; there must be some."""
    found = {
        number: (path, structure)
        for path in paths
        for number, structure in layout.read_structures(path)
    }
    if not found:
        raise InputError(f"{', '.join(map(str, paths))}: there are no structures; make them again")
    return dict(sorted(found.items()))
