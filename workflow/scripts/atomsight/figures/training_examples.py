"""What a network is trained on: images and their truth at rising dose (the paper, Fig 5).

The images, normalised images and ground truths are made as in the training, from its exit waves and
within the ranges of its microscope. Each has other conditions, which are written above it.

Example:
    python plot.py training_examples examples.png --waves waves_0.h5 waves_1.h5 --seed 1 \\
        --settings @graphene.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from atomsight.errors import InputError
from atomsight.figures.parts import choice, examples, mpl, style
from atomsight.figures.parts.entry import Picture

CAPTION = """
Simulated training examples of rising dose, all other conditions drawn at random from the ranges of
the microscope: (a) the simulated image, (b) the image after local normalisation, which the network
sees, and (c) the ground truth, one minus the probability of the background.
"""
MEMORY_MB = 3000
CONDA = "learn"


def of_first_model(sheet: Any) -> dict[str, Any]:
    model = choice.trained(sheet, "atoms")
    return {
        "waves": sheet.models.shards(model, "waves"),
        "seed": sheet.configuration["seed"],
        "settings": sheet.models.sections[model],
    }


PICTURES = (
    Picture("results/figures/fig05_training_examples.png", of_first_model, "5: training examples"),
)

#: Places and sizes [inch].
_PANEL = 1.36
_GAP = 0.07
_LABELS = 0.2
_CONDITIONS = 0.62
_MARGIN = 0.06

_ROWS = {"a": "simulated image", "b": "normalised image", "c": "ground truth"}


def plot(
    waves: Annotated[list[Path], "shards of exit waves"],
    seed: Annotated[int, "seed of everything random"],
    settings: Annotated[dict, "the section 'models.<name>'"],
    columns: Annotated[int, "number of examples"] = 5,
):
    from atomsight.config.configuration import ModelSettings
    from atomsight.files import layout

    if columns < 1:
        raise InputError(f"--columns is {columns}; draw one example at least")
    model = ModelSettings.parse(settings)
    doses = np.geomspace(*model.microscope.dose_e_per_A2, columns)
    return draw(examples.make_examples(layout.read_waves(waves), model, doses, seed))


def draw(made: Sequence[examples.Example]) -> mpl.Figure:
    """Draw examples side by side: their conditions, image, normalised image, ground truth."""
    step = _PANEL + _GAP
    left, top = _MARGIN + _LABELS, _MARGIN + _CONDITIONS
    width, height = left + len(made) * step, top + len(_ROWS) * step
    figure = mpl.Figure(figsize=(width, height))
    for row, (mark, label) in enumerate(_ROWS.items()):
        style.write(figure, _MARGIN, top + row * step, mark, weight="bold", size=9)
        middle = top + row * step + _PANEL / 2
        look = {"rotation": 90, "ha": "left", "va": "center", "size": 7.5}
        figure.text(_MARGIN / width, 1 - middle / height, label, **look)
    for column, example in enumerate(made):
        x = left + column * step
        dose = f"{float(f'{example.dose_e_per_A2:.2g}'):,.0f} e/Å²"
        style.write(figure, x, _MARGIN, dose, weight="bold", size=8)
        style.write(figure, x, _MARGIN + 0.16, conditions(example), linespacing=1.3, size=6.5)
        axes = [style.place(figure, x, top + row * step, _PANEL, _PANEL) for row in range(3)]
        for panel, image in zip(axes, (example.image, example.normalised), strict=False):
            style.show_image(panel, image, example.pixel_size_A, **style.grey(image))
        style.show_image(axes[2], example.truth, example.pixel_size_A, **style.probability())
    return figure


def conditions(example: examples.Example) -> str:
    """Write the conditions of an example in three lines."""
    return (
        f"defocus {_signed(example.defocus_A, 0)} Å, astig. {example.astigmatism_A:.0f} Å\n"
        f"Cs {_signed(example.cs_um, 1)} µm, C5 {example.c5_mm:.1f} mm\n"
        f"{example.pixel_size_A:.3f} Å per pixel"
    )


def _signed(value: float, decimals: int) -> str:
    return f"{value:+.{decimals}f}".replace("-", "−")
