"""Cases of learning: a training step and its parts, beside its convolutions alone."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from atomsight.config.configuration import check_configuration
from atomsight.files.records import Waves
from atomsight.learning.networks import build_network, choose_precision, folded
from atomsight.learning.training import Learner, TrainingPlan, make_learner, make_plan, streams

#: A backward pass does the arithmetic of a forward pass twice: for the maps and for the kernels.
PASSES = 3

OPERATIONS = {keras.layers.Conv2D: ops.conv, keras.layers.Conv2DTranspose: ops.conv_transpose}


def step(section: dict) -> Callable:
    """The whole step: imaging, forward and backward pass, optimizer."""
    learner, inputs = prepare(section)
    return lambda: learner.train_on_batch(inputs)


def imaging(section: dict) -> Callable:
    """From waves to normalised images and truth."""
    learner, inputs = prepare(section)
    return compiled(learner.imaging, inputs)


def on_examples(section: dict) -> Callable:
    """Forward and backward pass and optimizer, on examples that are made before."""
    learner, inputs = prepare(section)
    given = dict(zip(("images", "truth"), learner.imaging(inputs), strict=True))
    learner.imaging = lambda made: (made["images"], made["truth"])
    return lambda: learner.train_on_batch(given)


def optimizer(section: dict) -> Callable:
    """The optimizer alone: the loss is the mean of all weights."""
    learner, _ = prepare(section)
    alone = Weights(learner)
    alone.compile(optimizer=learner.optimizer, jit_compile=learner.jit_compile)
    return lambda: alone.train_on_batch(np.zeros((1, 1), "float32"))


def convolutions(section: dict, px: int = 0) -> Callable:
    """The convolutions of a step, or of the map of an image of ``px``², side by side alone."""
    plan = plan_of(section)
    network = reader_of(plan)
    batch, size = (1, px) if px else (plan.training.batch, plan.training.image_px)
    bare = Convolutions(network, (batch, size, size, plan.frames))
    run = compiled(bare, np.zeros((1, 1), "float32"))
    return lambda: [run() for _ in range(1 if px else PASSES)]


def matrix_products(section: dict, px: int = 0) -> Callable:
    """Products of matrices of 1024² with as many multiplications as the convolutions."""
    plan = plan_of(section)
    pixels = px**2 if px else PASSES * plan.training.batch * plan.training.image_px**2
    count = pixels * network_of(plan).measures.multiplications / 1024**3
    left, right = np.random.default_rng(0).normal(size=(2, 1024, 1024)).astype("float32")
    last = left[: round(1024 * (count % 1))]
    return lambda: [part @ right for part in (*[left] * int(count), last)]


def weights(section: dict) -> Callable:
    """Not timed: gives how many weights the network has."""
    return lambda: network_of(plan_of(section)).measures.weights


def plan_of(section: dict) -> TrainingPlan:
    """The plan of a model's section, merged over the defaults."""
    complete = check_configuration({"models": {"timed": section}})
    return make_plan(complete["models"]["timed"], seed=1)


def network_of(plan: TrainingPlan) -> keras.Model:
    precision = choose_precision(plan.training.precision, plan.network)
    return build_network(plan.network, plan.frames, plan.classes, precision)


def reader_of(plan: TrainingPlan) -> keras.Model:
    """The network as it reads images: its kernels standardised once for all."""
    return folded(build_network(plan.network, plan.frames, plan.classes), plan.network)


def prepare(section: dict) -> tuple[Learner, dict]:
    """A learner that has not learned, and the inputs of a step."""
    plan = plan_of(section)
    waves = random_waves(4, plan.microscope.energy_eV, section[section["material"]]["size_A"])
    return make_learner(network_of(plan), waves, plan), streams(waves, plan)[0].inputs(0)


def random_waves(count: int, energy_eV: float, size_A: float) -> Waves:
    """Waves and sites as many as graphene has, with nothing in them to recognise."""
    rng = np.random.default_rng(0)
    orders, sites = 2 * int(1.6 * size_A) + 1, int(0.38 * size_A**2)
    spectra = 0.001 * rng.normal(size=(count, 1, orders, orders, 2)).astype("float32")
    spectra = spectra.view("complex64")[..., 0]
    spectra[..., orders // 2, orders // 2] = 1
    positions = rng.uniform(0, size_A, (count, sites, 2))
    classes = np.ones((count, sites), dtype=int)
    return Waves(spectra, (size_A, size_A), energy_eV, tuple(positions), tuple(classes))


def compiled(layer: Callable, inputs: object) -> Callable:
    """A layer on its inputs as one compiled function, by the backend's own means; it waits."""
    model = Alone(layer)
    model.compile(jit_compile="auto" if keras.backend.backend() == "jax" else False)
    return lambda: model.predict_on_batch(inputs)


class Alone(keras.Model):
    """A model of one layer, for predict_on_batch to compile."""

    def __init__(self, layer: Callable):
        super().__init__()
        self.layer = layer

    def call(self, inputs: object) -> object:
        return self.layer(inputs)


class Weights(keras.Model):
    """The weights of a network without it: their mean is the loss."""

    def __init__(self, learner: Learner):
        super().__init__()
        self.network = learner.network

    def call(self, inputs: object) -> keras.KerasTensor:
        return sum(ops.mean(one) for one in self.trainable_variables)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return y_pred


class Convolutions(keras.layers.Layer):
    """The convolutions of a network, each on maps of its own; gives a value of each."""

    def __init__(self, network: keras.Model, shape: tuple[int, ...]):
        super().__init__()
        image = keras.Input(batch_shape=shape)
        sized = keras.models.clone_model(network, input_tensors=image)
        self.parts = []
        for layer in sized.layers:
            if operation := OPERATIONS.get(type(layer)):
                maps = self.add_weight(layer.input.shape, name=f"{layer.name}_maps")
                kernel = self.add_weight(layer.kernel.shape, name=f"{layer.name}_kernel")
                self.parts.append((operation, maps, kernel, layer.strides[0]))

    def call(self, inputs: object) -> keras.KerasTensor:
        done = [
            operation(maps, kernel, strides=stride, padding="same")
            for operation, maps, kernel, stride in self.parts
        ]
        return ops.stack([one[0, 0, 0, 0] for one in done])[None]
