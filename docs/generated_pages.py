"""The pages of the reference that are made from the code and the models at every build."""

import contextlib
import importlib
import io
import os
import re
import sys
from pathlib import Path
from types import ModuleType

import configuration_page

from atomsight.figures import FIGURES
from atomsight.learning import models
from atomsight.materials import material, purpose
from atomsight.orchestration import sample_sheet
from atomsight.reporting import shipping

_ROOT = Path(__file__).parents[1]
_SCRIPTS = _ROOT / "workflow" / "scripts"
_SHIPPED = _ROOT / "data" / "models"


#: Rows of the table of what models read: what :func:`shipping.conditions` names, and more.
_FIT = (
    "material",
    "you record",
    "voltage",
    "pixel size",
    "dose",
    "defocus, underfocus positive",
    "spherical aberration Cs",
    "contrast",
    "what comes out",
)
_FOUND = {
    "atoms": "atoms, bond lengths, rings, strain",
    "columns": "columns; in a movie sites, occupancy, hop rates",
    "heights": "atoms per column, with the probability of every count",
    "species": "species of every site, vacancies",
}


def write_all(folder: Path) -> None:
    """Write every generated page, and remove those of what is no longer there."""
    pages = {
        "configuration.md": configuration_page.page(),
        "conditions.md": conditions(),
        "columns.md": columns(),
        "figures.md": figures(),
        **{f"models/{name}.md": text for name, text in model_pages().items()},
        **{f"scripts/{name}.md": text for name, text in script_pages().items()},
    }
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # An unchanged page keeps its date, so that Sphinx does not read it again.
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.rglob("*.md"):
        if str(path.relative_to(folder)) not in pages:
            path.unlink()


def conditions() -> str:
    """What the models that ship read, one column per model."""
    columns = {
        f"[`{name}`](/reference/generated/models/{name}.md)": _fit(name)
        for name in _shipped_names()
    }
    rows = [f"| **{row}** | {' | '.join(fit[row] for fit in columns.values())} |" for row in _FIT]
    return "\n".join([f"| | {' | '.join(columns)} |", f"|---{'|---' * len(columns)}|", *rows, ""])


def _fit(name: str) -> dict[str, str]:
    card = models.read_card(_SHIPPED / name)
    known = {row: _minus(words) for row, words in shipping.conditions(card)}
    steps = ", ".join(f"{step:+g}" if step else "0" for step in card.focus_steps_A)
    return known | {
        "material": material(card.material).IN_WORDS,
        "you record": _minus(f"{card.frames} images, defocus steps {steps} Å")
        if card.frames > 1
        else "single images or movies",
        "voltage": f"{card.microscope['energy_eV'] / 1000:g} kV",
        "what comes out": _FOUND[purpose(card.material, card.class_names[1:])],
    }


def _minus(words: str) -> str:
    """The words with true minus signs."""
    return re.sub(r"-(?=\d)", "−", words)


def columns() -> str:
    """The columns of the sample sheet."""
    rows = [
        f"| `{name}` | {column.allowed} | {'yes' if column.is_required else ''} |"
        for name, column in sample_sheet.COLUMNS.items()
    ]
    return "\n".join(["| column | what | required |", "|---|---|---|", *rows, ""])


def figures() -> str:
    """The targets that are figures, and what they show."""
    rows = sorted(
        f"| `{picture.path}` | {_summary(module)} |"
        for module in FIGURES.values()
        for picture in module.PICTURES
    )
    return "\n".join(["| target | what |", "|---|---|", *rows, ""])


def model_pages() -> dict[str, str]:
    """The README of every model that ships."""
    return {name: (_SHIPPED / name / "README.md").read_text("utf-8") for name in _shipped_names()}


def _shipped_names() -> list[str]:
    return sorted(card.parent.name for card in _SHIPPED.glob("*/model.json"))


def script_pages() -> dict[str, str]:
    """What ``--help`` says of every script, and of everything that its first word can be."""
    names = sorted(path.stem for path in _SCRIPTS.glob("*.py"))
    scripts = {name: importlib.import_module(name) for name in names}
    pages = {name: _script_page(name, script) for name, script in scripts.items()}
    rows = [
        f"| [`{name}.py`]({name}.md) | {_summary(script)} |" for name, script in scripts.items()
    ]
    toctree = "\n".join(["```{toctree}", ":hidden:", "", *names, "```"])
    table = "\n".join(["| script | what it does |", "|---|---|", *rows])
    intro = (
        "Every step of the workflow is a script in `workflow/scripts` that also runs by hand, from "
        "any folder: `python workflow/scripts/locate_atoms.py --help`. Bad input ends in one "
        "sentence and exit code 1, and leaves no half-written file."
    )
    return pages | {"index": f"# Scripts\n\n{intro}\n\n{table}\n\n{toctree}\n"}


def _script_page(name: str, script: ModuleType) -> str:
    kinds = vars(script).get("KINDS") or vars(script).get("FIGURES", {})
    parts = [f"# {name}.py", _help(name, script)]
    for kind in kinds:
        parts += [f"## {name}.py {kind}", _help(name, script, kind)]
    return "\n\n".join(parts) + "\n"


def _help(name: str, script: ModuleType, *kind: str) -> str:
    text = io.StringIO()
    os.environ["COLUMNS"], sys.argv = "100", [f"{name}.py"]
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        script.main([*kind, "--help"])
    return f"```text\n{text.getvalue()}```"


def _summary(script: ModuleType) -> str:
    return script.__doc__.split("\n\n")[0].replace("\n", " ")
