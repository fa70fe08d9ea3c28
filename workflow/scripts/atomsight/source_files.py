"""Which files of the library a script needs, for the workflow to know what an edit affects."""

import ast
from pathlib import Path


def source_files(script: Path) -> list[Path]:
    """Find a script's own modules by its import statements, and theirs in turn.

    Parameters
    ----------
    script : Path
        The script; the package ``atomsight`` stands beside it.

    Returns
    -------
    list of Path
        The script first, then every module of ``atomsight`` that it needs.
    """
    found, to_read = [], [script]
    while to_read:
        path = to_read.pop()
        if path in found:
            continue
        found.append(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("atomsight"):
                to_read += _modules(node, script.parent)
    return found


def _modules(node: ast.ImportFrom, folder: Path) -> list[Path]:
    """Files behind ``from atomsight.a import b``, where b is a module or a name in one."""
    base = folder.joinpath(*node.module.split("."))
    candidates = [base / f"{alias.name}.py" for alias in node.names]
    candidates += [base / alias.name / "__init__.py" for alias in node.names]
    candidates += [base.with_suffix(".py"), base / "__init__.py"]
    return [path for path in candidates if path.is_file()]
