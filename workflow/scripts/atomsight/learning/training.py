"""Training: from exit waves to a network, by a compiled step on images that are new every time."""

import hashlib
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import ops

from atomsight.config.microscope import MicroscopeSettings
from atomsight.config.training import NetworkSettings, TrainingSettings
from atomsight.errors import InputError
from atomsight.files.records import Waves
from atomsight.imaging.microscope import Microscope
from atomsight.learning import backend, checkpoints
from atomsight.learning.examples import Examples, ExampleStream, ImagingAndTruth, split_waves
from atomsight.learning.networks import build_network, choose_precision
from atomsight.learning.optimizer import make_optimizer


class Learner(keras.Model):
    """The network with the loss behind it.

    ``loss`` is ``cross_entropy`` or ``squared_error``; ``weights`` of shape (C,) are those of the
    classes in the loss.
    """

    def __init__(self, network: keras.Model, loss: str, weights: np.ndarray):
        super().__init__()
        self.network = network
        self.pixel_loss = LOSSES[loss]
        self.weights_of_classes = weights.astype("float32")

    def call(self, images: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        return self.network(images, training=training)

    def compute_loss(
        self,
        x: object = None,
        y: keras.KerasTensor | None = None,
        y_pred: keras.KerasTensor | None = None,
        sample_weight: object = None,
        training: bool = True,
    ) -> keras.KerasTensor:
        """Mean loss of all pixels, of the truth ``y`` and the logits ``y_pred``."""
        return self.pixel_loss(ops.convert_to_tensor(y), y_pred, self.weights_of_classes)


def cross_entropy(
    truth: keras.KerasTensor, logits: keras.KerasTensor, weights: np.ndarray
) -> keras.KerasTensor:
    """Mean cross-entropy of probabilities against a distribution [nat per pixel].

    ``truth`` and ``logits`` have the shape (B, H, W, C), ``weights`` of the classes (C,). Their
    logarithms are added to the logits, so that the lowest loss is where the logits give the true
    probabilities, whatever the weights (Menon et al., arXiv:2007.07314).
    """
    weights = ops.convert_to_tensor(weights)
    adjusted = ops.log_softmax(logits + ops.log(weights), axis=-1)
    return ops.mean(-ops.sum(weights * truth * adjusted, axis=-1))


def squared_error(
    truth: keras.KerasTensor, logits: keras.KerasTensor, weights: np.ndarray
) -> keras.KerasTensor:
    """Mean squared error of probabilities, some classes weighing more.

    ``truth`` and ``logits`` have the shape (B, H, W, C), ``weights`` of the classes (C,). The
    lowest loss is at the true probabilities, whatever the weights.
    """
    square = ops.square(truth - ops.softmax(logits, axis=-1))
    weighted = ops.convert_to_tensor(weights) * ops.mean(square, axis=(0, 1, 2))
    return ops.sum(weighted) / weights.size


LOSSES = {"cross_entropy": cross_entropy, "squared_error": squared_error}


def class_weights(
    classes: tuple[np.ndarray, ...], count: int, settings: TrainingSettings
) -> np.ndarray:
    """Weights of the C classes in the loss, so that rare ones are learned too, shape (C,)."""
    sites = np.minimum(np.concatenate(classes), count - 1)
    numbers = np.bincount(sites, minlength=count)[1:]
    rarity = np.maximum(numbers, 1) ** -settings.class_balance
    mean = np.sum(numbers * rarity) / np.sum(numbers)
    return np.concatenate([[1.0], settings.site_weight * rarity / mean])


@dataclass(frozen=True)
class TrainingPlan:
    """All that a training is made of, but the waves."""

    network: NetworkSettings
    frames: int
    classes: int  # the background included
    microscope: MicroscopeSettings
    training: TrainingSettings
    seed: int

    def in_precision(self, precision: str) -> "TrainingPlan":
        """The same plan in another precision."""
        return replace(self, training=self.training.but(precision=precision))


def make_plan(section: dict, seed: int) -> TrainingPlan:
    """Gather what a training is made of from a model's complete section, microscope included."""
    microscope = MicroscopeSettings.parse(section["microscope"], "microscope")
    return TrainingPlan(
        network=NetworkSettings.parse(section["network"], "network"),
        frames=len(microscope.focal_series.steps_A),
        classes=len(section["class_names"]) + 1,
        microscope=microscope,
        training=TrainingSettings.parse(section["training"], "training"),
        seed=seed,
    )


def train(
    waves: Waves,
    plan: TrainingPlan,
    imaging: ImagingAndTruth,
    work: Path,
    checkpoint_steps: int,
    start: Sequence[np.ndarray] = (),
) -> tuple[keras.Model, pd.DataFrame]:
    """Train a network, continuing where a stopped training left off.

    Checkpoints (``checkpoint/``), TensorBoard logs (``logs/``) and ``history.csv`` go to the folder
    ``work``; the images are made by ``imaging``, that of :func:`make_imaging`. The result does not
    depend on ``checkpoint_steps``, the steps between two checkpoints.
    ``start`` are weights of a network of this size to start from; without them they are random.

    Gives the network, with averaged weights, and its history, with ``epoch``, ``step``, ``loss``,
    ``val_loss`` of every epoch; the validation loss is that of the averaged weights. Raises
    ``InputError`` if there are too few waves and ``SystemExit`` if the process is told to end; a
    checkpoint is written before.
    """
    learning, validation = make_examples(waves, plan, imaging)
    made_of = [waves_sha256(waves), arrays_sha256(start)]
    plan = _with_precision(plan, made_of, work)
    keras.utils.set_random_seed(plan.seed)
    network = build_network(
        plan.network, plan.frames, plan.classes, precision=plan.training.precision
    )
    if start:
        network.set_weights(start)
    learner = make_learner(network, waves, plan)
    learner(learning.of(0)[0])  # both are compiled before two threads use them
    learner.optimizer.build(learner.trainable_variables)
    kept = checkpoints.Checkpoints(work, [repr(plan), *made_of], learner, checkpoint_steps)
    kept.restore()
    with (
        kept.stopping_on_signals(),
        checkpoints.tensorboard(work, learner) as log,
        closing(learning.ahead(range(kept.step, learning.steps))) as examples,
    ):
        while kept.step < learning.steps:
            log(_train_epoch(learner, examples, validation, kept, plan.training))
    checkpoints.assign(learner.trainable_variables, learner.optimizer.averaged_weights())
    return network, pd.DataFrame(kept.history)


def _with_precision(plan: TrainingPlan, made_of: list[str], work: Path) -> TrainingPlan:
    """Choose the precision if that is left open: the one that the training began in, if any."""
    precision = choose_precision(plan.training.precision, plan.network)
    if plan.training.precision == "auto":
        for one in ("float32", "bfloat16"):
            if checkpoints.holds(work, [repr(plan.in_precision(one)), *made_of]):
                precision = one
    logging.info("the network is trained in %s", precision)
    if precision == "bfloat16" and not backend.multiplies_in_bfloat16():
        logging.warning(
            "bfloat16 is what this training was begun in, or is told to be in, but nothing says "
            "that this machine multiplies in it: it may be slow here"
        )
    return plan.in_precision(precision)


def _train_epoch(
    learner: Learner,
    examples: Iterator[tuple[np.ndarray, np.ndarray]],
    validation: Examples,
    kept: checkpoints.Checkpoints,
    settings: TrainingSettings,
) -> dict[str, float]:
    """Train to the end of an epoch, which may have been begun before; gives its losses."""
    steps = settings.steps_per_epoch
    end = min((kept.step // steps + 1) * steps, settings.steps)
    skipped, times = int(learner.optimizer.skipped), [time.monotonic()]
    for step in range(kept.step, end):
        loss = learner.train_on_batch(*next(examples))
        kept.count_step(float(loss), ends_epoch=step + 1 == end)
        times.append(time.monotonic())
    # The first step of a process compiles the others; the usual one is the median.
    seconds = float(np.median(np.diff(times)))
    if int(learner.optimizer.skipped) > skipped:
        logging.warning(
            "%d steps up to step %d blew up and were left out, the last of them step %d; if this "
            "goes on, lower training.learning_rate",
            int(learner.optimizer.skipped) - skipped,
            end,
            int(learner.optimizer.last_skipped),
        )
    kept.end_epoch(_averaged_loss(learner, validation))
    losses = {name: kept.history[-1][name] for name in ("loss", "val_loss")}
    words = "step %d of %d: loss %.4f, validation loss %.4f (%.3g s per step)"
    logging.info(words, end, settings.steps, *losses.values(), seconds)
    return losses


def _averaged_loss(learner: Learner, validation: Examples) -> float:
    """Validation loss of the averaged weights."""
    weights = _values(learner.trainable_variables)
    checkpoints.assign(learner.trainable_variables, learner.optimizer.averaged_weights())
    losses = [
        float(learner.test_on_batch(images, truth))
        for images, truth in validation.ahead(range(validation.steps))
    ]
    checkpoints.assign(learner.trainable_variables, weights)
    return float(np.mean(losses))


def _values(variables: list) -> list[np.ndarray]:
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]


def waves_sha256(waves: Waves) -> str:
    """SHA-256 of the spectra and the sites that a network is trained on."""
    return arrays_sha256([waves.spectra, *waves.sites])


def arrays_sha256(arrays: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def streams(waves: Waves, plan: TrainingPlan) -> tuple[ExampleStream, ExampleStream]:
    """Examples to learn from, and examples for the validation loss.

    The validation has full ranges and the same examples at every epoch. Raises ``InputError`` if
    there are too few waves, or if an image would show a site and its periodic copy.
    """
    chosen = plan.training
    widest_A = chosen.image_px * plan.microscope.pixel_size_A[1] + 8 * chosen.site_sigma_A
    if widest_A > min(waves.cell_A):
        raise InputError(
            f"training.image_px: {chosen.image_px} pixels of {plan.microscope.pixel_size_A[1]:g} Å "
            f"are too wide for specimens of {min(waves.cell_A):g} Å; take fewer pixels or larger "
            "structures"
        )
    learned, kept = split_waves(waves, chosen.validation_share)
    size = {
        "batch": chosen.batch,
        "image_px": chosen.image_px,
        "on_sites": chosen.on_sites,
        "blank_share": chosen.blank_share,
        "classes": plan.classes,
    }
    learning = ExampleStream(
        learned,
        plan.microscope,
        chosen.curriculum,
        **size,
        seed=plan.seed,
        steps=chosen.steps,
    )
    validation = ExampleStream(
        kept, plan.microscope, None, **size, seed=plan.seed + 1, steps=chosen.validation_batches
    )
    return learning, validation


def make_imaging(waves: Waves, plan: TrainingPlan) -> ImagingAndTruth:
    """Put the microscope behind the waves."""
    microscope = Microscope.behind(waves, plan.microscope)
    return ImagingAndTruth(microscope, plan.training.site_sigma_A, plan.training.window_A)


def make_examples(
    waves: Waves, plan: TrainingPlan, imaging: ImagingAndTruth | None = None
) -> tuple[Examples, Examples]:
    """Examples of both :func:`streams`, of which it raises the errors.

    ``imaging`` is that of :func:`make_imaging`, which need not be compiled again.
    """
    learning, validation = streams(waves, plan)
    imaging = imaging or make_imaging(waves, plan)
    return Examples(learning, imaging), Examples(validation, imaging)


def make_learner(network: keras.Model, waves: Waves, plan: TrainingPlan) -> Learner:
    """Put the loss behind a network, and compile the step."""
    weights = class_weights(waves.classes, plan.classes, plan.training)
    learner = Learner(network, plan.training.loss, weights)
    learner.compile(optimizer=make_optimizer(plan.training), jit_compile=backend.how_to_compile())
    return learner


def constant_loss(learner: Learner, validation: Examples) -> float:
    """Loss of the best answer that is the same in every pixel, to compare the validation loss with.

    A training that diverged, or never left the local minimum the paper warns of, ends there.
    """
    truths = [truth for _, truth in validation.ahead(range(validation.steps))]
    mean = np.mean(truths, axis=(0, 1, 2, 3))
    answer = np.log(np.maximum(mean, np.finfo("float32").tiny))
    losses = [
        learner.compute_loss(y=truth, y_pred=ops.broadcast_to(answer, truth.shape))
        for truth in truths
    ]
    return float(np.mean([ops.convert_to_numpy(loss) for loss in losses]))
