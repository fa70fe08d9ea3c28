# Checks of the configuration and the sample sheet, and the functions that every rule needs.
import json
import re
import shlex
import sys
from glob import glob, has_magic
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from atomsight import materials
from atomsight.learning import models
from atomsight.orchestration import registry, sample_sheet
from atomsight.config import settings
from atomsight.errors import InputError
from atomsight.orchestration.source_files import source_files


def located(path):
    """A path as it stands in the working folder, or else in this repository."""
    return path if Path(path).exists() else str(Path(workflow.basedir) / path)


for model in config.get("models", {}).values():
    if isinstance(model.get("microscope"), str):
        model["microscope"] = located(model["microscope"])


# Snakemake takes the true of --config shipped_models=true for a text, but not True.
if config.get("shipped_models") in ("true", "false"):
    config["shipped_models"] = config["shipped_models"] == "true"


try:
    config = settings.check_configuration(config)
    SERIES = sample_sheet.read_sheet(located(config["series"]))
except InputError as error:
    raise WorkflowError(str(error)) from None


def one_of(names):
    """A regular expression for the names there are; a wrong one is then no target at all."""
    return "|".join(map(re.escape, names)) or "(?!)"


def named(path):
    """A path as rules name it: relative where it lies in the working folder."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def code(script):
    """A script and the modules of the library that it needs, so that an edit reruns the rule."""
    return [named(path) for path in source_files(SCRIPTS / script)]


def script_alone(script):
    """A script without its modules, for what no edit remakes: one file, however many the jobs."""
    return named(SCRIPTS / script)


def model_section(wildcards):
    """The configuration of a model."""
    return config["models"][wildcards.model]


def section(*keys):
    """Give a function that gives a section of a model as JSON, for --settings."""

    def as_json(wildcards):
        values = model_section(wildcards)
        return json.dumps({key: values[key] for key in keys} if len(keys) > 1 else values[keys[0]])

    return as_json


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


wildcard_constraints:
    series=one_of(SERIES.index),
    acquisition=one_of(config["acquisitions"]),
    focal_series=one_of(config["focal_series"]),
    sequence=one_of(config["sequences"]),
    image=one_of(registry.read_registry().index),
    shard=r"\d+",
