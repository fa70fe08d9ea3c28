"""The whole configuration, and the section of a model in it."""

from collections.abc import Mapping
from typing import Literal, Self

import pydantic

from atomsight.config.analysis import (
    ComparisonSettings,
    DynamicsSettings,
    HeightSettings,
    HopSettings,
    StrainSettings,
    SubstrateSettings,
)
from atomsight.config.evaluation import (
    BackgroundSettings,
    ColumnEvaluationSettings,
    ErrorSettings,
    EvaluationSettings,
    HeightEvaluationSettings,
    SpeciesEvaluationSettings,
    StrainEvaluationSettings,
)
from atomsight.config.microscope import MicroscopeSettings
from atomsight.config.phantoms import RecordingSettings, SequenceSettings, SimulationSettings
from atomsight.config.reading import InferenceSettings, SegmentationSettings
from atomsight.config.replacing import with_replacements
from atomsight.config.section import Name, Range, Section, key, part, text, wrong
from atomsight.config.training import (
    NetworkSettings,
    StructuresSettings,
    TrainingSettings,
    WaveSettings,
)
from atomsight.materials import MATERIALS, is_counting, purpose

ClassName = text("^[A-Za-z0-9_]+$", "letters, digits and '_'")
SimulationName = text(
    "^simulated_[A-Za-z0-9_.-]+$", "'simulated_' and then letters, digits, '_', '.' and '-'"
)


class _ModelSettings(Section):
    """A model: what it is trained on, and how it reads images."""

    material: Literal[tuple(MATERIALS)] = key()
    """The generator of structures, a module of atomsight.materials."""
    class_names: tuple[ClassName, ...] = key(("atom",), min_length=1)
    """Names of the classes the network finds, from class 1 on; the background is class 0."""
    microscope: MicroscopeSettings = key()
    """A file of ranges, relative to the folder Snakemake runs in, or the ranges themselves."""
    structures: StructuresSettings = part(StructuresSettings)
    waves: WaveSettings = part(WaveSettings)
    network: NetworkSettings = part(NetworkSettings)
    read_pixel_size_A: Range | None = key(None, unit="Å", ge=0.02, le=0.5)
    """Pixels that the model reads as they are, where that is best for part of those it was trained
    on; images of others are resampled. null for all it was trained on."""
    replaces: str = key(None)
    """Model that this one is trained instead of. It takes what it leaves out from that section, and
    its place in the sample sheet, the figures and the scores."""
    start_from: str | None = key(None)
    """Model whose weights the training starts from, such as one that ships (its own name stands for
    that); null for random weights."""
    training: TrainingSettings = part(TrainingSettings)
    segmentation: SegmentationSettings = part(SegmentationSettings)

    @pydantic.field_validator("class_names")
    @classmethod
    def _are_classes_of_the_material(
        cls, names: tuple[str, ...], checked: pydantic.ValidationInfo
    ) -> tuple[str, ...]:
        if "material" in checked.data:
            purpose(checked.data["material"], names)
        return names

    @pydantic.model_validator(mode="after")
    def _has_both_signs_of_single_images(self) -> Self:
        steps_A = self.microscope.focal_series.steps_A
        if self.training.curriculum.favourable.both_signs and len(steps_A) > 1:
            raise wrong(
                "training.curriculum.favourable",
                "both_signs is for single images; in a focal series it would turn the order of the "
                "images round",
            )
        return self


#: With a section for every material.
ModelSettings: type[_ModelSettings] = pydantic.create_model(
    "ModelSettings",
    __base__=_ModelSettings,
    __doc__=_ModelSettings.__doc__,
    __module__=__name__,
    **{name: (module.Settings, part(module.Settings)) for name, module in MATERIALS.items()},
)


class Configuration(Section):
    """Configuration of atomsight."""

    seed: int = key(2018, ge=0)
    """Seed of everything random; the same seed gives the same files."""
    checkpoint_steps: int = key(100, ge=1)
    """Steps between two checkpoints of a training; the model does not depend on it."""
    series: str = key("config/series.tsv")
    """The sample sheet, relative to the folder Snakemake runs in, or absolute."""
    shard_minutes: float | None = key(None, unit="min", gt=0)
    """Work of one job in making structures and simulating waves, by an estimate; about 2.5 on a
    cluster, where a job costs a quarter of a minute beside its work. null takes the `shards` of
    each model."""
    models: dict[Name, ModelSettings] = key(min_length=1)
    """The models that can be trained, by name."""
    acquisitions: dict[SimulationName, SimulationSettings] = key({})
    """Simulated acquisitions that the workflow makes, by name; a row of the sample sheet names
    their file."""
    evaluation: EvaluationSettings = part(EvaluationSettings)
    strain_evaluation: StrainEvaluationSettings = part(StrainEvaluationSettings)
    inference: InferenceSettings = part(InferenceSettings)
    strain: StrainSettings = part(StrainSettings)
    heights: HeightSettings = part(HeightSettings)
    dynamics: DynamicsSettings = part(DynamicsSettings)
    substrate: SubstrateSettings = part(SubstrateSettings)
    hops: HopSettings = part(HopSettings)
    comparisons: dict[Name, tuple[str, str]] = key({})
    """Pairs of series whose hop rates are compared, by name: names of two rows of the sample sheet,
    read by models for nanoparticles."""
    comparison: ComparisonSettings = part(ComparisonSettings)
    sequences: dict[SimulationName, SequenceSettings] = key({})
    """Simulated in-situ series that the workflow makes, by name; a row of the sample sheet names
    their file."""
    focal_series: dict[SimulationName, RecordingSettings] = key({})
    """Simulated focal series that the workflow makes, by name; a row of the sample sheet names
    their file."""
    column_evaluation: ColumnEvaluationSettings = part(ColumnEvaluationSettings)
    background_evaluation: BackgroundSettings = part(BackgroundSettings)
    detection_errors: ErrorSettings = part(ErrorSettings)
    height_evaluation: HeightEvaluationSettings = part(HeightEvaluationSettings)
    species_evaluation: SpeciesEvaluationSettings = part(SpeciesEvaluationSettings)
    image_counts: tuple[str, ...] = key(())
    """Models that count columns from different numbers of images, compared in one figure; see
    config/image_count.yaml."""

    @pydantic.model_validator(mode="after")
    def _names_every_simulation_once(self) -> Self:
        named: dict[str, str] = {}
        for kind in ("acquisitions", "sequences", "focal_series"):
            for name in getattr(self, kind):
                if name in named:
                    raise wrong(
                        f"{kind}.{name}", f"{named[name]} has this name already; choose another"
                    )
                named[name] = kind
        return self

    @pydantic.model_validator(mode="after")
    def _compares_models_that_count(self) -> Self:
        for name in self.image_counts:
            if name not in self.models or not is_counting(self.models[name].class_names):
                raise wrong(
                    "image_counts",
                    f"{name} is not a model of the configuration that counts columns",
                )
        return self


def check_configuration(values: Mapping) -> dict:
    """Check the whole configuration as Snakemake reads it, the microscopes' files included.

    Gives a copy with all defaults, in which every model holds its microscope's ranges and one that
    replaces another stands in its place. :class:`InputError` names the first wrong key or value.
    """
    if isinstance(values.get("models"), Mapping):
        values = {**values, "models": with_replacements(values["models"])}
    configuration = Configuration.complete(values)
    for model in configuration["models"].values():
        model.pop("replaces", None)
    return configuration
