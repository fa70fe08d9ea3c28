"""Which files of the library a script needs, for the workflow to know what an edit affects."""

import ast
import re
from functools import cache
from pathlib import Path

#: An import of ours, in one line or in brackets. To parse whole modules would take seconds of every
#: start of Snakemake, of which a job on a cluster makes two.
_IMPORT = re.compile(r"^[ \t]*(from atomsight\b[\w.]* import (?:\([^)]*\)|[^(\n]+))", re.MULTILINE)


def source_files(script: Path, *modules: Path) -> list[Path]:
    """A script, the modules of ``atomsight`` that it imports, and what these import in turn.

    The package lies beside the script. ``modules`` are files of it that the script imports by a
    name known only when it runs.
    """
    found, to_read = {}, [*modules, script]
    while to_read:
        path = to_read.pop()
        if path not in found:
            found[path] = None
            to_read += _needed_by(path, script.parent)
    return list(found)


@cache
def _needed_by(path: Path, folder: Path) -> list[Path]:
    """Modules that a file imports itself; read once, for many scripts need the same ones."""
    statements = _IMPORT.findall(path.read_text(encoding="utf-8"))
    return [
        module
        for node in ast.parse("\n".join(statements)).body
        for module in _modules(node, folder)
    ]


def _modules(node: ast.ImportFrom, folder: Path) -> list[Path]:
    """Files behind ``from atomsight.a import b``, where b is a module or a name in one."""
    base = folder.joinpath(*node.module.split("."))
    candidates = [base / f"{alias.name}.py" for alias in node.names]
    candidates += [base / alias.name / "__init__.py" for alias in node.names]
    candidates += [base.with_suffix(".py"), base / "__init__.py"]
    return [path for path in candidates if path.is_file()]
