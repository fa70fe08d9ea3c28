# Checks of the configuration and the sample sheet, and the functions that rules look things up with.
import json
import re
import sys
from glob import glob, has_magic
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from atomsight import models, registry, sample_sheet, settings
from atomsight.errors import InputError
from atomsight.source_files import source_files


def located(path):
    """A path as it stands in the working folder, or else in this repository."""
    return path if Path(path).exists() else str(Path(workflow.basedir) / path)


def model_folder(name):
    """Folder of a model: made here if the configuration has it, else shipped."""
    if name in config["models"]:
        return f"results/models/{name}/model"
    return located(f"data/models/{name}")


for model in config.get("models", {}).values():
    if isinstance(model.get("microscope"), str):
        model["microscope"] = located(model["microscope"])


def one_of(names):
    """A regular expression for the names there are; a wrong one is then no target at all."""
    return "|".join(map(re.escape, names)) or "(?!)"


def check_models():
    """See that every model of the sample sheet exists and reads images of the sheet's focus."""
    for series, name in SERIES["model"].items():
        where = f"{config['series']}: series {series}"
        try:
            model = config["models"].get(name) or vars(models.read_card(model_folder(name)))
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        focus_A = SERIES.at[series, "focus_A"]
        models.check_learned_focus(name, model["microscope"], focus_A, where)


try:
    config = settings.check_configuration(config)
    SERIES = sample_sheet.read_sheet(located(config["series"]))
    check_models()
except InputError as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    model=one_of(config["models"]),
    series=one_of(SERIES.index),
    acquisition=one_of(config["acquisitions"]),
    focal_series=one_of(config["focal_series"]),
    sequence=one_of(config["sequences"]),
    image=one_of(registry.read_registry().index),
    shard=r"\d+",


def model_section(wildcards):
    """The configuration of a model."""
    return config["models"][wildcards.model]


def section(*keys):
    """Give a function that gives a section of a model as JSON, for --settings."""

    def as_json(wildcards):
        values = model_section(wildcards)
        return json.dumps({key: values[key] for key in keys} if len(keys) > 1 else values[keys[0]])

    return as_json


def purpose(model):
    """What a model finds, by its section or card: atoms, columns, heights of columns, species."""
    if model["material"] != "nanoparticle":
        return {"graphene": "atoms", "mos2": "species"}[model["material"]]
    names = set(model["class_names"]) - {"background"}
    return "heights" if settings.is_counting(names) else "columns"


def models_of(kind):
    """The models of the configuration that find atoms, columns, heights or species."""
    return [name for name, model in config["models"].items() if purpose(model) == kind]


def material_section(wildcards):
    """The configuration of a model's generator of structures as JSON."""
    values = model_section(wildcards)
    return json.dumps(values[values["material"]])


def shards(kind):
    """Give a function that lists the shards of a model: structures or waves."""

    def paths(wildcards):
        count = model_section(wildcards)["structures"]["shards"]
        return [f"results/models/{wildcards.model}/{kind}/{shard}.h5" for shard in range(count)]

    return paths


def model_parts(name):
    """The files of a model."""
    return [f"{model_folder(name)}/{part}" for part in (models.CARD, models.WEIGHTS)]


def model_files(wildcards):
    """The files of the model of a series."""
    return model_parts(SERIES.at[wildcards.series, "model"])


def trained_files(wildcards):
    """The files of a model of the configuration."""
    return model_parts(wildcards.model)


def model_pixel_size(name):
    """Range of pixel sizes that a model reads."""
    if name in config["models"]:
        return config["models"][name]["microscope"]["pixel_size_A"]
    return list(models.read_card(model_folder(name)).pixel_size_A)


def code(script):
    """A script and the modules of the library that it needs, so that an edit reruns the rule."""
    here = Path.cwd()
    paths = source_files(SCRIPTS / script)
    return [str(path.relative_to(here) if path.is_relative_to(here) else path) for path in paths]
