"""Networks as the cases use them, and their arithmetic alone: what no network can leave out."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from atomsight.config.configuration import check_configuration
from atomsight.learning import backend
from atomsight.learning.networks import build_network, choose_precision, folded
from atomsight.learning.training import TrainingPlan, make_plan

OPERATIONS = {keras.layers.Conv2D: ops.conv, keras.layers.Conv2DTranspose: ops.conv_transpose}


def convolutions(section: dict, px: int) -> Callable:
    """The convolutions of the map of an image of ``px``², side by side alone."""
    return bare_convolutions(plan_of(section), 1, px)


def matrix_products(section: dict, px: int) -> Callable:
    """Products of matrices of 1024² with as many multiplications as these."""
    return products(plan_of(section), px**2)


def weights(section: dict) -> Callable:
    """Not timed: gives how many weights the network has."""
    return lambda: network_of(plan_of(section)).measures.weights


def bare_convolutions(plan: TrainingPlan, batch: int, px: int) -> Callable:
    bare = Convolutions(reader_of(plan), (batch, px, px, plan.frames))
    return compiled(bare, np.zeros((1, 1), "float32"))


def products(plan: TrainingPlan, pixels: float) -> Callable:
    """Products of matrices of 1024² with as many multiplications as for so many pixels."""
    count = pixels * network_of(plan).measures.multiplications / 1024**3
    left, right = np.random.default_rng(0).normal(size=(2, 1024, 1024)).astype("float32")
    last = left[: round(1024 * (count % 1))]
    return lambda: [part @ right for part in (*[left] * int(count), last)]


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


def compiled(layer: Callable, inputs: object) -> Callable:
    """A layer on its inputs as one compiled function, by the backend's own means; it waits."""
    model = Alone(layer)
    model.compile(jit_compile=backend.how_to_compile())
    return lambda: model.predict_on_batch(inputs)


class Alone(keras.Model):
    """A model of one layer, for predict_on_batch to compile."""

    def __init__(self, layer: Callable):
        super().__init__()
        self.layer = layer

    def call(self, inputs: object) -> object:
        return self.layer(inputs)


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
