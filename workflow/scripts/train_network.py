"""Train a network on exit waves; every example is a new simulated image.

MODEL is the folder of the model; its files appear when the training is complete. Checkpoints and
logs go to WORK. A training that was stopped or killed continues from its last checkpoint when the
command is rerun, here or on another machine, and ends with the model that it would have had.

Example:
    python train_network.py model waves_0.h5 waves_1.h5 --work training --seed 1 \\
        --settings @graphene.json
"""

import argparse
import importlib
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from atomsight import command_line
from atomsight.config.configuration import ModelSettings
from atomsight.config.reading import SegmentationSettings
from atomsight.errors import InputError
from atomsight.files import provenance
from atomsight.files.records import Waves

if TYPE_CHECKING:
    import keras
    import numpy as np
    import pandas as pd

    from atomsight.learning.examples import ImagingAndTruth
    from atomsight.learning.models import ModelCard
    from atomsight.learning.training import TrainingPlan

#: Images on which the inverse temperature of the probabilities is measured.
CALIBRATION_IMAGES = 120

#: A network has learned nothing if its loss is more than this share of a constant answer's.
COLLAPSED = 0.99


@command_line.script
def main(argv: list[str] | None = None) -> None:
    given = parse(argv)
    from atomsight.files import layout

    if given.checkpoint_steps < 1:
        raise InputError(f"--checkpoint-steps: {given.checkpoint_steps} must be at least 1")
    section = ModelSettings.complete(given.settings)
    waves = layout.read_waves(given.waves)
    # Keras and its backend take seconds to load: only once the inputs are known to be right.
    from atomsight.learning import backend

    backend.tell_tensorflow_of_training()
    backend.load_keras()
    from atomsight.learning import checkpoints, models
    from atomsight.learning.training import (
        constant_loss,
        make_examples,
        make_imaging,
        make_learner,
        make_plan,
        train,
    )

    plan = make_plan(section, given.seed)
    start = starting_weights(given.start_from, plan) if given.start_from else ()
    with checkpoints.lock(given.work):
        imaging = make_imaging(waves, plan)
        network, history = train(waves, plan, imaging, given.work, given.checkpoint_steps, start)
        plan = plan.in_precision(network.compute_dtype)
        validation = make_examples(waves, plan, imaging)[1]
        constant = constant_loss(make_learner(network, waves, plan), validation)
        warn_if_collapsed(history["val_loss"].iloc[-1], constant)
        if section["segmentation"]["inverse_temperature"] is None:
            inverse_temperature = inverse_temperature_of(
                network, waves, plan, imaging, section["segmentation"]
            )
            section["segmentation"] |= {"inverse_temperature": inverse_temperature}
        card = make_card(given.name or given.model.resolve().name, section, plan, waves, history)
        card.scores["constant_loss"] = constant
        models.save(given.model, network, card, history)
        checkpoints.discard(given.work)


def parse(argv: list[str] | None) -> argparse.Namespace:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("model", metavar="MODEL", type=Path, help="folder of the model")
    arguments.add_argument("waves", metavar="WAVES.h5", nargs="+", help="shards of exit waves")
    arguments.add_argument("--work", type=Path, required=True, help="folder of checkpoints, logs")
    arguments.add_argument(
        "--checkpoint-steps",
        type=int,
        default=100,
        metavar="N",
        help="steps between two checkpoints (default: %(default)s)",
    )
    arguments.add_argument(
        "--start-from", metavar="MODEL", help="folder of a model whose weights are started from"
    )
    arguments.add_argument("--name", help="name of the model; the folder's without it")
    arguments.add_argument("--seed", type=int, required=True)
    command_line.add_settings(arguments, "models.<name>", ModelSettings)
    return arguments.parse_args(argv)


def starting_weights(folder: str, plan: "TrainingPlan") -> "list[np.ndarray]":
    """Read the weights of a model to start from, which must have the sizes of the plan."""
    from atomsight.learning import models

    network, card = models.load_network(folder)
    for name, theirs, ours in (
        ("network.kind", card.network.kind, plan.network.kind),
        ("network.features", card.network.features, plan.network.features),
        ("class_names", len(card.class_names) - 1, plan.classes - 1),
        ("images of a focal series", card.frames, plan.frames),
    ):
        if theirs != ours:
            raise InputError(
                f"start_from: {folder} has {theirs} ({name}), this model has {ours}; they must be "
                "equal"
            )
    return network.get_weights()


def warn_if_collapsed(val_loss: float, constant: float) -> None:
    """Warn if the validation loss is no better than that of the best constant answer."""
    if not val_loss < COLLAPSED * constant:
        warnings.warn(
            f"the network has learned nothing: its validation loss is {val_loss:.3f}, that of an "
            f"answer that is the same everywhere {constant:.3f}; lower training.learning_rate, or "
            "widen the ranges later (training.curriculum)",
            stacklevel=2,
        )


def inverse_temperature_of(
    network: "keras.Model",
    waves: Waves,
    plan: "TrainingPlan",
    imaging: "ImagingAndTruth",
    segmentation: dict,
) -> float:
    """Measure the exponent of a network's probabilities on the waves kept aside."""
    from atomsight.learning.training import make_examples
    from atomsight.reading.probability_calibration import measure_inverse_temperature

    batches = -(-CALIBRATION_IMAGES // plan.training.batch)
    more = replace(plan, training=plan.training.but(validation_batches=batches))
    chosen = SegmentationSettings.parse(segmentation)
    return measure_inverse_temperature(network, make_examples(waves, more, imaging)[1], chosen)


def make_card(
    name: str, section: dict, plan: "TrainingPlan", waves: Waves, history: "pd.DataFrame"
) -> "ModelCard":
    """Say what was trained, on what and with what result."""
    import keras

    from atomsight.learning import models
    from atomsight.learning.training import waves_sha256

    backend = keras.backend.backend()
    versions = provenance.library_versions() | {
        "keras_backend": backend,
        backend: str(importlib.import_module(backend).__version__),
    }
    microscope = dict(section["microscope"])
    return models.ModelCard(
        name=name,
        material=section["material"],
        network=plan.network,
        frames=plan.frames,
        class_names=("background", *section["class_names"]),
        contrast=microscope.pop("contrast"),
        pixel_size_A=tuple(section["read_pixel_size_A"] or plan.microscope.pixel_size_A),
        window_A=plan.training.window_A,
        site_sigma_A=plan.training.site_sigma_A,
        microscope=microscope,
        training=section["training"] | {"precision": plan.training.precision},
        thresholds=section["segmentation"],
        seed=plan.seed,
        data_sha256=waves_sha256(waves),
        scores={key: float(history[key].iloc[-1]) for key in ("loss", "val_loss")},
        versions=versions,
        git=provenance.git_state(),
        inputs=tuple(provenance.inputs()),
    )


if __name__ == "__main__":
    sys.exit(main())
