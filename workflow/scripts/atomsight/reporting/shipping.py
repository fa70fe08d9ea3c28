"""Models as they ship: weights as small as their maps allow, and a README made from the card."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from atomsight import materials
from atomsight.errors import InputError
from atomsight.files import atomic, layout, tables
from atomsight.learning import models

if TYPE_CHECKING:
    import keras

README = "README.md"

#: Most that a probability may change in any pixel when the weights are stored as float16.
TOLERANCE = 0.01

#: Largest file that ships [byte].
MAX_BYTES = 20_000_000

#: What a card calls the conditions, in words, with their units.
_CONDITIONS = {
    "energy_eV": ("energy of the electrons", "eV"),
    "defocus_A": ("defocus, underfocus positive", "Å"),
    "cs_um": ("spherical aberration Cs", "µm"),
    "c5_mm": ("C5", "mm"),
    "astigmatism_A": ("twofold astigmatism", "Å"),
    "focal_spread_A": ("focal spread, 1/e half-width", "Å"),
    "vibration_A": ("vibration, rms", "Å"),
}

#: Edge of a test image [pixel], distance of its spots and their standard deviation [Å].
_TEST_PX, _SPOTS_A, _SPOT_SIGMA_A = 256, 2.46, 0.5


@dataclass(frozen=True)
class EvaluationTable:
    """A table of an evaluation, as a README shows it.

    The column ``model``, if there, names the model that a row is about.
    """

    caption: str
    rows: pd.DataFrame


@dataclass(frozen=True)
class Story:
    """What the card does not know of a model.

    The command that trains it again, how long that took, in words (empty if nobody knows), what it
    is not good at, as sentences, and how good it is.
    """

    command: str
    time: str
    limits: Sequence[str]
    tables: Sequence[EvaluationTable]


@dataclass(frozen=True)
class Chosen:
    """How the weights of a model are stored, ``float16`` or ``float32``.

    ``difference`` is the largest one of a probability in any pixel of the test images if it is
    ``float16``.
    """

    number: str
    difference: float
    images: int


def ship(folder: Path | str, target: Path, story: Story, frames: Sequence[Path | str]) -> Chosen:
    """Write a model to ship; the name of the folder becomes the model's.

    ``frames`` are files of ``import_series.py`` whose first specimen is a test image, beside the
    spots. It is an error if a file would be too large.
    """
    network, card = models.load_network(folder)
    history = pd.read_csv(Path(folder) / models.HISTORY)
    images = [*spot_images(card), *(frame_image(card, path) for path in frames)]
    chosen = choose_number(network, images)
    if network.count_params() * np.dtype(chosen.number).itemsize > MAX_BYTES:
        raise InputError(
            f"{folder}: the weights as {chosen.number} have more than {MAX_BYTES / 1e6:g} MB; "
            "train a model of fewer features"
        )
    named = card.but(name=target.resolve().name)
    with atomic.replacing(target / README) as partial:
        partial.write_text(readme(named, story, chosen, card.name), encoding="utf-8")
    models.save(target, network, named, history, chosen.number)
    return chosen


def choose_number(network: "keras.Model", images: Sequence[np.ndarray]) -> Chosen:
    """Measure whether float16 is good enough for the weights of a network, by normalised images.

    It is if no probability differs by more than :data:`TOLERANCE`. The network is left as it was.
    """
    from atomsight.reading.inference import predict_maps

    exact = network.get_weights()
    before = [predict_maps(network, image[None], 1280) for image in images]
    with np.errstate(over="ignore"):
        network.set_weights([weight.astype("float16").astype("float32") for weight in exact])
    after = [predict_maps(network, image[None], 1280) for image in images]
    network.set_weights(exact)
    difference = max(
        float(np.abs(one - other).max()) for one, other in zip(before, after, strict=True)
    )
    # Not a number, where a weight is too large for float16, is no small difference.
    number = "float16" if difference <= TOLERANCE else "float32"
    return Chosen(number, difference, len(images))


def spot_images(card: models.ModelCard, seed: int = 0) -> list[np.ndarray]:
    """Test images for any model: jittered lattices of bright spots, at low, middle and high dose.

    They have the pixels and doses of the card, and are normalised, shape (256, 256, F); in those of
    a focal series bright and dark spots take turns.
    """
    from atomsight.reading.inference import normalise_frames

    random = np.random.default_rng(seed)
    pixel_size_A = float(np.mean(card.pixel_size_A))
    axis_A = np.arange(_TEST_PX) * pixel_size_A
    low, high = card.microscope["dose_e_per_A2"]
    signs = (-1.0) ** np.arange(card.frames)
    images = []
    for dose in np.geomspace(low, high, 3):
        across, down = (_spots(axis_A, random) for _ in range(2))
        intensity = 1 + 0.3 * signs[:, None, None] * (down.T @ across)
        electrons = random.poisson(dose * pixel_size_A**2 / card.frames * intensity)
        images.append(normalise_frames(electrons, card.window_A / pixel_size_A))
    return images


def _spots(axis_A: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One-dimensional Gaussians along an axis, shape (spots, pixels); products make spots."""
    centres_A = np.arange(0, axis_A[-1], _SPOTS_A)
    centres_A = centres_A + random.normal(0, 0.1, centres_A.shape)
    profile = np.exp(-0.5 * ((axis_A - centres_A[:, None]) / _SPOT_SIGMA_A) ** 2)
    return profile.sum(axis=0, keepdims=True)


def frame_image(card: models.ModelCard, path: Path | str) -> np.ndarray:
    """Read the first specimen of a file of ``import_series.py`` as a normalised test image."""
    from atomsight.reading.inference import normalise_frames

    with layout.open_frames(path) as frames:
        models.check_pixel_size(card, frames.pixel_size_A, str(path))
        models.check_focus(card, frames.focus_A, str(path))
        order = models.reading_order(card, frames.focus_A or (0.0,))
        images = frames.images[: frames.frames_per_specimen][order]
        return normalise_frames(images, card.window_A / frames.pixel_size_A)


def read_table(path: Path | str, caption: str, columns: Sequence[str]) -> EvaluationTable:
    """Read the columns of a table to show, beside ``model`` if there; all, if none are given."""
    rows = tables.read_csv(path, ())
    missing = [name for name in columns if name not in rows]
    if missing:
        raise InputError(f"{path}: the column {missing[0]!r} is missing; correct the name")
    shown = [name for name in rows if name == "model" or name in columns]
    return EvaluationTable(caption, rows[shown] if columns else rows)


def in_words(chosen: Chosen) -> str:
    """How the weights are stored, and why: a sentence without its full stop."""
    compared = "is within" if chosen.number == "float16" else "is not within"
    return (
        f"weights as {chosen.number}: as float16 they change the probabilities of {chosen.images} "
        f"test images by {chosen.difference:.2g} at most, which {compared} {TOLERANCE:g}"
    )


def readme(card: models.ModelCard, story: Story, chosen: Chosen, trained_as: str) -> str:
    """Write the README of a model as Markdown.

    ``trained_as`` is its name when it was trained, by which tables with a column ``model`` know it.
    """
    parts = [
        f"# {card.name}",
        f"Finds in {_specimens(card)}: {', '.join(card.class_names[1:])}. "
        f"{_images(card)} This file is made by `ship_model.py`.",
        "## What it was trained for",
        _conditions(card),
        "## How good it is",
        *(_evaluation(table, trained_as) for table in story.tables),
        "## Limits",
        _limits(story),
        "## Use",
        _use(card),
        "## Training it again",
        _training(card, story),
        "## Files",
        f"`model.json` is the card, `history.csv` the losses, `{models.WEIGHTS}` the "
        f"{in_words(chosen)}. They are converted when they are loaded; nothing in the files is "
        "executed.",
    ]
    return "\n\n".join(parts) + "\n"


def _specimens(card: models.ModelCard) -> str:
    return materials.material(card.material).IN_WORDS


def _images(card: models.ModelCard) -> str:
    if card.frames == 1:
        return "It reads single images."
    steps = ", ".join(f"{step:+g}" if step else "0" for step in card.focus_steps_A)
    return f"It reads {card.frames} images of a focal series together, steps {steps} Å."


def conditions(card: models.ModelCard) -> list[tuple[str, str]]:
    """The conditions a model was trained on, in words, and their ranges."""
    low, high = card.pixel_size_A
    contrast = {
        "either": "atoms bright or dark",
        "bright": "atoms bright; images in which they are dark are inverted for it",
        "dark": "atoms dark; images in which they are bright are inverted for it",
    }
    lowest, highest = card.microscope["dose_e_per_A2"]
    together = " of all images together" if card.frames > 1 else ""
    return [
        ("contrast", contrast[card.contrast]),
        ("pixel size", f"{low:g} to {high:g} Å; others are resampled"),
        ("dose", f"{lowest:g} to {highest:g} e/Å²{together}"),
        *(
            (words, f"{_range(card.microscope[key])} {unit}")
            for key, (words, unit) in _CONDITIONS.items()
        ),
    ]


def _conditions(card: models.ModelCard) -> str:
    lines = [f"| {name} | {value} |" for name, value in conditions(card)]
    return "\n".join(["| condition | range |", "|---|---|", *lines])


def _range(value: object) -> str:
    if isinstance(value, list | tuple):
        return " to ".join(f"{number:g}" for number in value)
    return f"{value:g}"


def _evaluation(table: EvaluationTable, name: str) -> str:
    rows = table.rows
    if "model" in rows:
        rows = rows[rows["model"] == name].drop(columns="model")
    lines = [
        f"| {' | '.join(rows.columns)} |",
        f"|{'---|' * len(rows.columns)}",
        *(f"| {' | '.join(map(_cell, row))} |" for row in rows.itertuples(index=False)),
    ]
    return f"{table.caption}:\n\n" + "\n".join(lines)


def _cell(value: object) -> str:
    if isinstance(value, float | np.floating):
        if np.isnan(value):
            return "–"
        return str(int(value)) if value.is_integer() else f"{value:.3g}"
    return str(value)


def _limits(story: Story) -> str:
    limits = [
        "It was trained on simulated images of the ranges above and knows no others. Images whose "
        "pixels or whose stated focus are outside them are resampled or refused; what else is "
        "outside is read all the same, and may be read wrongly.",
        *story.limits,
    ]
    return "\n".join(f"- {limit}" for limit in limits)


def _use(card: models.ModelCard) -> str:
    return f"Write `{card.name}` into the column `model` of the sample sheet."


def _training(card: models.ModelCard, story: Story) -> str:
    steps, batch = (card.training.get(key, "?") for key in ("steps", "batch"))
    versions = ", ".join(f"{name} {version}" for name, version in sorted(card.versions.items()))
    losses = ", ".join(f"{name} {value:.4g}" for name, value in sorted(card.scores.items()))
    facts = [
        f"Time it took: {story.time}." if story.time else "",
        f"Seed {card.seed}; {steps} steps of {batch} images; {card.network.features} features, "
        f"{card.network.kind}.",
        f"Last losses: {losses}." if losses else "",
        f"The exit waves had the sha256 `{card.data_sha256}`.",
        f"Made with {versions}.",
    ]
    return f"```bash\n{story.command}\n```\n\n" + "\n".join(f"- {fact}" for fact in facts if fact)
