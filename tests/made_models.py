"""The smallest models, untrained, for tests of what reads with one."""

from pathlib import Path

import keras
import pandas as pd

from atomsight.config.microscope import MicroscopeSettings
from atomsight.config.training import NetworkSettings
from atomsight.learning import models
from atomsight.learning.networks import build_network

#: The smallest network.
TINY = NetworkSettings(kind="subpixel", features=2)


def ranges(**changes: object) -> dict:
    """Ranges of a microscope, complete, with these in the place of some."""
    some = {
        "energy_eV": 80000,
        "defocus_A": [-95, -70],
        "cs_um": [-15, -8],
        "dose_e_per_A2": [100, 10000],
        "pixel_size_A": [0.1, 0.14],
    }
    return MicroscopeSettings.complete(some | changes)


ATOM_CARD = models.ModelCard(
    name="tiny",
    material="graphene",
    network=TINY,
    frames=1,
    class_names=("background", "atom"),
    contrast="bright",
    pixel_size_A=(0.1, 0.14),
    window_A=6.0,
    site_sigma_A=0.4,
    microscope=ranges(),
    training={},
    thresholds={"background_limit": 0.9, "min_existence": 0.0},
    seed=1,
    data_sha256="0" * 64,
    scores={},
    versions={},
    git="unknown",
    inputs=(),
)
COLUMN_CARD = ATOM_CARD.but(
    material="nanoparticle",
    class_names=("background", "column"),
    pixel_size_A=(0.1, 0.15),
)


def for_series(
    card: models.ModelCard, steps_A: tuple, classes: tuple, **more: object
) -> models.ModelCard:
    """Let a model read focal series with these steps and tell these classes apart."""
    microscope = ranges(focal_series={"steps_A": list(steps_A)})
    names = ("background", *classes)
    reads = {"frames": len(steps_A), "contrast": "either", "microscope": microscope}
    return card.but(class_names=names, **reads, **more)


def save_tiny_model(folder: Path, card: models.ModelCard) -> Path:
    """Save an untrained network, the same every time."""
    keras.utils.set_random_seed(1)
    network = build_network(TINY, card.frames, len(card.class_names))
    models.save(folder, network, card, pd.DataFrame({"epoch": [0]}))
    return folder
