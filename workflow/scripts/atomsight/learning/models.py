"""A trained model is a folder: weights, a card that says how to use it and when not to, a history.

=======================  ========================================================================
``network.weights.h5``   the weights
``model.json``           the card, :class:`ModelCard`
``history.csv``          loss and validation loss by epoch
=======================  ========================================================================

A model may come from anyone. Its card is text that is checked, its weights are numbers
(:mod:`atomsight.learning.weights`), and the network is built by our own code: nothing in the files
is executed.
"""

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
import pydantic

from atomsight.config.microscope import MtfTable, OpticalRanges
from atomsight.config.section import AS_GIVEN, Range, Section, key, text, wrong
from atomsight.config.training import NetworkSettings
from atomsight.errors import InputError
from atomsight.files import atomic, provenance, sealed
from atomsight.learning import weights
from atomsight.materials import MATERIALS

if TYPE_CHECKING:
    import keras
    import pandas as pd

CARD = "model.json"
WEIGHTS = "network.weights.h5"
HISTORY = "history.csv"

#: A longer card is none [byte].
_MAX_OF_A_CARD = 1_000_000

#: So far the stated focus of an image may be from what a model has learned [Å] ...
_FOCUS_TOLERANCE_A = 10.0
#: ... or so many standard deviations of the error that it has learned, if that is more.
_FOCUS_DEVIATIONS = 3


Sha256 = text("^[0-9a-f]{64}$", "64 hexadecimal digits")


class _LearnedSeries(Section, extra="ignore"):
    steps_A: tuple[float, ...] = key(min_length=1, max_length=32)
    step_error_A: float = key(ge=0)


class _LearnedCamera(Section, extra="ignore"):
    c1: Range
    c2: Range
    c3: Range
    table: MtfTable


class _LearnedConditions(OpticalRanges, extra="ignore"):
    """What is used of the ranges of a microscope."""

    energy_eV: float = key(unit="eV")
    mtf: _LearnedCamera
    focal_series: _LearnedSeries


def _learned(microscope: dict) -> dict:
    _LearnedConditions.parse(microscope)
    return microscope


class ModelCard(Section, extra="ignore"):
    """Everything needed to use a model, and to know when not to.

    What would need much memory, or is no name, is refused.
    """

    name: text("^[A-Za-z0-9_.-]{1,100}$", "letters, digits, '_', '.' and '-'")
    material: Literal[tuple(MATERIALS)]
    """What it finds atoms in; the generator of structures it was trained on."""
    network: NetworkSettings
    """Its kind and size."""
    frames: int = key(ge=1, le=32)
    """Images that go in together."""
    class_names: tuple[text("^[A-Za-z0-9_.-]{1,40}$", "letters, digits, '_', '.' and '-'"), ...] = (
        key(min_length=2, max_length=65, unique=True)
    )
    """The background first."""
    contrast: Literal["bright", "dark", "either"]
    """How atoms look in the images it was trained on."""
    pixel_size_A: Range = key(unit="Å", gt=0, le=100)
    """Pixels that it reads as they are."""
    window_A: float = key(unit="Å", gt=0, le=1000)
    """Standard deviation of the window of the normalisation."""
    site_sigma_A: float = key(unit="Å", gt=0, le=100)
    """Standard deviation of the Gaussian of a site."""
    microscope: Annotated[dict, pydantic.BeforeValidator(_learned), AS_GIVEN]
    """Ranges of the conditions it was trained on."""
    training: Annotated[dict, AS_GIVEN]
    """Settings of the training."""
    thresholds: Annotated[dict, AS_GIVEN]
    """Settings of the segmentation that go with it."""
    seed: int = key(ge=0)
    data_sha256: Sha256
    """Of the exit waves it was trained on."""
    scores: dict[str, float]
    """Last losses."""
    versions: dict[str, str]
    """Of the libraries, and the backend of Keras."""
    git: str = key(max_length=60)
    """Commit of the code that trained it."""
    inputs: tuple[Annotated[dict, AS_GIVEN], ...] = key(max_length=100)
    """Files it was trained on, with their checksums (:mod:`atomsight.files.provenance`)."""
    weights_sha256: Sha256 | None = None
    """Of the file of weights; :func:`save` adds it."""

    @pydantic.model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.class_names[0] != "background":
            raise wrong("class_names", "the first class must be background")
        steps = len(self.focus_steps_A)
        if steps != self.frames:
            raise wrong("frames", f"{self.frames} images go in, but focal_series has {steps} steps")
        return self

    @property
    def focus_steps_A(self) -> tuple[float, ...]:
        """Defocus of the images it reads together, counted from the defocus of its range [Å]."""
        return focus_steps_A(self.microscope)


def save(
    folder: Path | str,
    network: "keras.Model",
    card: ModelCard,
    history: "pd.DataFrame",
    number: str = "float32",
) -> None:
    """Write a model. The card comes last: a folder with a card is whole.

    ``history`` has one row per epoch; ``number`` is the type of the stored weights, ``float32`` or
    ``float16``.
    """
    folder = Path(folder)
    with atomic.replacing(folder / WEIGHTS) as partial:
        # Keras insists on the ending of the name.
        written = partial.with_name(f"{partial.name}.weights.h5")
        try:
            network.save_weights(written)
            if number != "float32":
                weights.convert(written, number)
            written.rename(partial)
        finally:
            written.unlink(missing_ok=True)
        card = card.but(weights_sha256=provenance.file_sha256(partial))
    with atomic.replacing(folder / HISTORY) as partial:
        history.to_csv(partial, index=False, float_format="%.6g")
    text = json.dumps(card.model_dump(), indent=2, sort_keys=True, ensure_ascii=False)
    with atomic.replacing(folder / CARD) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def read_card(folder: Path | str) -> ModelCard:
    """Read the card of a model.

    Raises ``InputError`` if the folder is not a model, a file of it is missing or broken, or the
    card says what no card can say.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no model of this name; train it or correct the name")
    for name in (CARD, WEIGHTS):
        if not (folder / name).is_file():
            raise InputError(f"{folder}: the model's file {name} is missing; train the model again")
    values = _read_json(folder / CARD)
    try:
        card = ModelCard.parse(values)
    except InputError as error:
        raise InputError(
            f"{folder / CARD}: not the card of a model: {error}; train it again, or download it "
            "again"
        ) from None
    notes = {"made_by": "train_network.py", "seed": card.seed, "git": card.git}
    provenance.note_input(folder / CARD, notes=notes | {"inputs": card.inputs})
    return card


def _read_json(path: Path) -> object:
    try:
        if path.stat().st_size > _MAX_OF_A_CARD:
            raise ValueError("it is too long")
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: not the card of a model ({error}); train it again, or download it again"
        ) from error


def load_network(folder: Path | str) -> tuple["keras.Model", ModelCard]:
    """Load a model: the network, from normalised images to logits, and its card.

    Raises ``InputError`` if the folder is not a model, or its files do not fit together or hold
    anything else than the card and numbers.
    """
    from atomsight.learning.networks import build_network, measure

    card = read_card(folder)
    _check_weights(Path(folder) / WEIGHTS, card.weights_sha256)
    size = (card.network, card.frames, len(card.class_names))
    # Nothing of the network's size is made before the file is known to have it.
    weights.check(Path(folder) / WEIGHTS, measure(*size).weights)
    network = build_network(*size)
    try:
        with warnings.catch_warnings():
            # Keras only warns of layers that the file does not have.
            warnings.simplefilter("error", UserWarning)
            network.load_weights(Path(folder) / WEIGHTS)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UserWarning) as error:
        raise InputError(
            f"{Path(folder) / WEIGHTS}: the weights do not fit the card, or the file is cut short; "
            "train the model again"
        ) from error
    return network, card


def load_reader(folder: Path | str) -> tuple["keras.Model", ModelCard]:
    """As :func:`load_network`, to read images alone: its kernels are standardised once for all."""
    from atomsight.learning.networks import folded

    network, card = load_network(folder)
    return folded(network, card.network), card


def _check_weights(path: Path, sha256: str | None) -> None:
    """Refuse weights whose bytes are not those that the card tells of."""
    found = provenance.file_sha256(path)
    if sha256 != found:
        raise InputError(
            f"{path}: damaged, or not the weights of the card beside it (their checksum differs); "
            f"{sealed.remedy(path)}; a model that you have not trained yourself: download it again"
        )
    provenance.note_input(path, found)


def check_pixel_size(card: ModelCard, pixel_size_A: float, where: str) -> None:
    """Refuse a pixel size that a model has not learned; ``where`` says where it comes from."""
    low, high = card.pixel_size_A
    if not 0.999 * low <= pixel_size_A <= 1.001 * high:
        raise InputError(
            f"{where}: the pixel size of {pixel_size_A:.4g} Å is outside the range of the model "
            f"{card.name}, {low:g} to {high:g} Å; import the series again with this range"
        )


def check_focus(card: ModelCard, focus_A: tuple[float, ...], where: str) -> None:
    """As :func:`check_learned_focus`, of a model that is trained."""
    check_learned_focus(card.name, card.microscope, focus_A, where)


def check_learned_focus(
    name: str, microscope: dict, focus_A: tuple[float, ...], where: str
) -> None:
    """Refuse images whose focus is not what a model learns, trained already or not.

    Parameters
    ----------
    microscope : dict
        Ranges of the conditions the model is trained on.
    focus_A : tuple of float
        Defocus of the images that belong together, underfocus positive; empty for single images of
        unknown focus.
    where : str
        Where it comes from, for the message.

    Raises
    ------
    InputError
        If their number is not the model's, their focus is unknown but matters, or it differs from
        what the model learns by more than its tolerance.
    """
    steps_A = np.array(focus_steps_A(microscope))
    if len(steps_A) == 1 and not focus_A:
        return
    low, high = microscope["defocus_A"]
    usual = _in_words(((low + high) / 2 + steps_A).tolist())
    if not focus_A:
        raise InputError(
            f"{where}: the model {name} reads {len(steps_A)} images of different focus together, "
            f"but the focus of these is unknown; fill in the column focus_A, such as {usual}"
        )
    if len(focus_A) != len(steps_A):
        reads = (
            f"{len(steps_A)} images together, such as {usual} Å"
            if len(steps_A) > 1
            else "single images"
        )
        raise InputError(
            f"{where}: the column focus_A tells of {len(focus_A)} images, {_in_words(focus_A)} Å, "
            f"but the model {name} reads {reads}; correct the column or take another model"
        )
    # In whatever order the images were recorded.
    offsets_A = np.sort(focus_A) - np.sort(steps_A)
    off_A = offsets_A.mean() - (low + high) / 2
    tolerance_A = focus_tolerance_A(microscope)
    if np.abs(offsets_A - offsets_A.mean()).max() > tolerance_A:
        raise InputError(
            f"{where}: the focus {_in_words(focus_A)} Å is not in the steps that the model {name} "
            f"has learned, {usual} Å to {tolerance_A:g} Å; correct the column focus_A, or train a "
            "model on these steps (focal_series of its microscope)"
        )
    if not low - tolerance_A <= offsets_A.mean() <= high + tolerance_A:
        raise InputError(
            f"{where}: the steps of the focus {_in_words(focus_A)} Å are those of the model "
            f"{name}, but all its images are {off_A:+.0f} Å off {usual} Å, more than the "
            f"±{(high - low) / 2:g} Å learned; underfocus is positive, and focus 0 is the side of "
            "the specimen where the beam leaves it"
        )


def focus_steps_A(microscope: dict) -> tuple[float, ...]:
    """Defocus of the images read together, relative to the one drawn; 0 for single images."""
    return tuple(float(step) for step in microscope["focal_series"]["steps_A"])


def focus_tolerance_A(microscope: dict) -> float:
    """How far the focus of an image may be from what a training has seen."""
    error_A = microscope["focal_series"]["step_error_A"]
    return max(_FOCUS_TOLERANCE_A, _FOCUS_DEVIATIONS * error_A)


def reading_order(card: ModelCard, focus_A: tuple[float, ...]) -> np.ndarray:
    """Order in which a model reads the images that were recorded in the order of ``focus_A``."""
    return np.argsort(focus_A)[np.argsort(np.argsort(card.focus_steps_A))]


def _in_words(focus_A: tuple[float, ...]) -> str:
    return ",".join(f"{focus:g}" for focus in focus_A)
