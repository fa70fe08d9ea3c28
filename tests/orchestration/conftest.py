"""A working folder with a sheet and models that ship, and what rules know of it."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from made_models import ATOM_CARD

from atomsight.learning.models import CARD, WEIGHTS
from atomsight.orchestration import configuration
from atomsight.orchestration.folders import Folders
from atomsight.orchestration.models import Models
from atomsight.orchestration.options import Options
from atomsight.orchestration.series import Series
from atomsight.orchestration.targets import Targets

ROOT = Path(__file__).parents[2]
HEADER = ("series", "path", "model", "pixel_size_A", "dose_e_per_A2", "focus_A", "mask", "notes")


@pytest.fixture(scope="session")
def laptop():
    """The configuration that ships, as Snakemake reads it."""
    return yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ship(folder):
    """Put a model into ``data/models``: its card, and a file where the weights are."""

    def write(name, material="graphene", classes=("atom",), **known):
        known |= {"name": name, "material": material, "class_names": ("background", *classes)}
        card = ATOM_CARD.model_dump() | {"pixel_size_A": (0.05, 0.07)} | known
        model = folder / "data" / "models" / name
        model.mkdir(parents=True)
        (model / CARD).write_text(json.dumps(card))
        (model / WEIGHTS).touch()
        return model

    return write


@pytest.fixture
def opened(folder, laptop):
    """Open a sheet as the rules do: one of some rows, or else that of the repository."""

    def read(*rows, **values):
        folders = Folders(ROOT, folder)
        if not rows:
            (folder / "config").mkdir()
            shutil.copy(ROOT / "config" / "series.tsv", folder / "config")
        else:
            lines = ["\t".join(HEADER), *("\t".join(map(str, row)) for row in rows)]
            (folder / "sheet.tsv").write_text("\n".join(lines) + "\n")
            values = {"series": "sheet.tsv", **values}
        values = {**laptop, **values}
        complete = configuration.read(values, folders)
        models = Models.of(complete, folders, configuration.replacements(values))
        series = Series.of(complete, models, folders)
        made = {"options": Options(complete, models, series), "targets": Targets(models, series)}
        return SimpleNamespace(configuration=complete, models=models, series=series, **made)

    return read
