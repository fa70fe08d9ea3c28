"""The configuration as the rules use it: checked, complete, with its microscopes and shards."""

from collections.abc import Mapping

from atomsight.config import replacing
from atomsight.config.configuration import check_configuration
from atomsight.orchestration import workload
from atomsight.orchestration.folders import Folders


def replacements(values: Mapping) -> dict[str, str]:
    """Names of the models that are trained instead of others, by the names of these.

    Raises
    ------
    InputError
        If one replaces what is no model.
    """
    models = values.get("models")
    return replacing.replacements(models) if isinstance(models, Mapping) else {}


def read(values: Mapping, folders: Folders) -> dict:
    """Check and complete the configuration that Snakemake has read.

    Files of microscopes that are not in the working folder are those of the repository. A
    model that replaces another stands in its place. With ``shard_minutes`` structures are dealt out
    in jobs of that length.

    Raises
    ------
    InputError
        On the first wrong key or value.
    """
    models = values.get("models")
    if isinstance(models, Mapping):
        models = {name: _with_microscope(model, folders) for name, model in models.items()}
        values = {**values, "models": models}
    configuration = check_configuration(values)
    if configuration["shard_minutes"]:
        for model in configuration["models"].values():
            shards = workload.shard_count(model, configuration["shard_minutes"])
            model["structures"]["shards"] = shards
    return configuration


def _with_microscope(model: object, folders: Folders) -> object:
    if not isinstance(model, Mapping) or not isinstance(model.get("microscope"), str):
        return model
    return {**model, "microscope": folders.located(model["microscope"])}
