"""Sections of a model's making: structures, waves, network and training."""

from typing import Literal, Self

import pydantic

from atomsight.config.microscope import SomeRanges
from atomsight.config.section import Range, Section, key, part, wrong


class StructuresSettings(Section):
    """How many structures are made, and in how many pieces."""

    count: int = key(48, ge=2)
    """Number of structures."""
    shards: int = key(2, ge=1)
    """Number of files the structures and waves are made in, each by a job of its own;
    shard_minutes, if it is set, has the last word."""


class WaveSettings(Section):
    """How exit waves are simulated."""

    sampling_A: float = key(0.15, unit="Å", ge=0.02, le=0.3)
    """Distance of the points of the multislice grid."""
    slice_thickness_A: float = key(1.0, unit="Å", ge=0.2, le=5)
    """Thickness of a slice."""
    k_max_per_A: float = key(1.6, unit="1/Å", ge=0.5, le=4)
    """Band limit of the stored waves; above the information limit of the microscope."""
    displacement_A: dict[str, Range] = key({"C": (0.06, 0.08)}, unit="Å", ge=0, le=0.5)
    """Root mean square thermal displacement along one axis by chemical symbol, drawn for every
    specimen; B = 8π²⟨u²⟩. That of elements that are not named is drawn from 0.06 to 0.11 Å."""
    frozen_phonons: int = key(0, ge=0, le=1000)
    """Number of snapshots with displaced atoms, whose images are averaged; 0 blurs the potential
    instead."""

    @pydantic.field_validator("displacement_A")
    @classmethod
    def _are_elements(cls, displacement_A: dict[str, tuple]) -> dict[str, tuple]:
        from ase.data import chemical_symbols

        known = chemical_symbols[1:]  # the first stands for none
        for symbol in displacement_A:
            if symbol not in known:
                near = symbol.capitalize()
                hint = f"; did you mean {near}?" if near in known else " such as C or Au"
                raise wrong(symbol, f"the name must be a chemical symbol{hint}")
        return displacement_A

    def displacement_range_A(self, symbol: str) -> tuple[float, float]:
        """Range of the root mean square thermal displacement of an element along one axis [Å]."""
        return self.displacement_A.get(symbol, (0.06, 0.11))


class NetworkSettings(Section):
    """Kind and size of the network."""

    kind: Literal["subpixel", "fusion"] = key("subpixel")
    """subpixel works at a quarter of the resolution of the image and below; fusion is the paper's,
    which costs more for about as good an answer (docs/benchmarks/networks.md)."""
    features: int = key(16, ge=2, le=128, multiple_of=2)
    """Features of the finest maps: at a quarter of the resolution (subpixel), at full resolution
    (fusion)."""


class FavourableSettings(Section):
    """Conditions that show atoms well, kept for some of the images.

    Of conditions drawn from wide ranges, many show nothing of the specimen; a network that meets
    only these learns slowly.
    """

    share: float = key(0, unit="share of the images", ge=0, le=1)
    """Images that keep them to the end; all do on the easy ranges, ever fewer until the full ones.
    """
    ranges: SomeRanges = part(SomeRanges)
    """The ranges; those left out are as for all images. With none, no image is favoured."""
    both_signs: bool = key(False)
    """Half of them show the other contrast in the end, with defocus and spherical aberration of the
    other sign."""


class CurriculumSettings(Section):
    """From the easy to the full ranges of the microscope.

    A network that meets the full ranges at once settles for the constant prediction, the local
    minimum the paper warns of.
    """

    easy_until: float = key(0.06, ge=0, le=1)
    """Share of the training spent on the easy ranges."""
    full_from: float = key(0.3, ge=0, le=1)
    """Share of the training from which the full ranges hold; in between they widen evenly."""
    favourable: FavourableSettings = part(FavourableSettings)

    @pydantic.model_validator(mode="after")
    def _widens(self) -> Self:
        if self.easy_until >= self.full_from:
            raise ValueError("easy_until must be less than full_from")
        return self

    def width(self, progress: float) -> float:
        """How far the ranges have widened, from 0, the easy ones, to 1, the full ones.

        ``progress`` is the share of the training that is done.
        """
        done = (progress - self.easy_until) / (self.full_from - self.easy_until)
        return float(min(max(done, 0), 1))


class TrainingSettings(Section):
    """How the network is trained."""

    steps: int = key(9000, ge=1)
    """Steps of the optimiser."""
    steps_per_epoch: int = key(100, ge=1)
    """Steps between two lines of the history."""
    batch: int = key(2, ge=1)
    """Images in a step."""
    image_px: int = key(192, unit="pixel", ge=32, multiple_of=16)
    """Edge of a training image."""
    learning_rate: float = key(0.002, gt=0, le=1)
    """Highest learning rate of Adam."""
    averaged_steps: int = key(600, ge=1)
    """Steps over which the weights are averaged (their exponential mean is what is kept)."""
    warm_up: float = key(0.05, unit="share of the steps", ge=0, le=0.5)
    """How long the learning rate rises before it falls as a cosine."""
    precision: Literal["auto", "float32", "bfloat16"] = key("auto")
    """Of the network's arithmetic while it is trained. auto is bfloat16 where the processor or the
    GPU multiplies in it and the network gains from it (fusion from 8 features on, subpixel from
    32), else float32; a training that resumes elsewhere keeps the one it began in."""
    loss: Literal["cross_entropy", "squared_error"] = key("cross_entropy")
    """Loss of a pixel."""
    on_sites: float = key(0, unit="share of the images", ge=0, le=1)
    """Images whose middle lies near a site, where specimens stand in a vacuum; the others lie
    anywhere."""
    blank_share: float = key(0, unit="share of the images", ge=0, le=1)
    """Images of which a part is blank, as behind a mask or the rim of a detector; nothing is to be
    found there."""
    site_weight: float = key(1, gt=0, le=1000)
    """Weight of the sites in the loss, against that of the background; the probabilities stay true.
    """
    class_balance: float = key(0, ge=0, le=1)
    """A class n times as rare as the mean weighs n to this power in the loss; the probabilities
    stay true."""
    site_sigma_A: float = key(0.4, unit="Å", ge=0.1, le=2)
    """Standard deviation of the Gaussian that stands for a site."""
    window_A: float = key(6.0, unit="Å", ge=1, le=50)
    """Standard deviation of the window of the local normalisation."""
    validation_share: float = key(0.1, gt=0, le=0.5)
    """Share of the waves kept aside for the validation loss."""
    validation_batches: int = key(4, ge=1)
    """Batches of the validation after every epoch."""
    curriculum: CurriculumSettings = part(CurriculumSettings)
