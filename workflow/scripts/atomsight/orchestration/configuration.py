"""The configuration as the rules use it: checked, complete, with its microscopes and shards."""

from collections.abc import Mapping

from atomsight.config import settings
from atomsight.orchestration import workload
from atomsight.orchestration.folders import Folders


def read(values: Mapping, folders: Folders) -> dict:
    """Check and complete the configuration that Snakemake has read.

    Files of microscopes that are not in the working folder are those of the repository. With
    ``shard_minutes`` structures are dealt out in jobs of that length.

    Raises
    ------
    InputError
        On the first wrong key or value.
    """
    models = values.get("models")
    if isinstance(models, Mapping):
        models = {name: _with_microscope(model, folders) for name, model in models.items()}
    configuration = settings.check_configuration({**values, "models": models})
    if configuration["shard_minutes"]:
        for model in configuration["models"].values():
            shards = workload.shard_count(model, configuration["shard_minutes"])
            model["structures"]["shards"] = shards
    return configuration


def _with_microscope(model: object, folders: Folders) -> object:
    if not isinstance(model, Mapping) or not isinstance(model.get("microscope"), str):
        return model
    return {**model, "microscope": folders.located(model["microscope"])}
