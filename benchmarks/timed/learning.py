"""Cases of learning: training steps and their parts, beside their convolutions alone."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from atomsight.files.records import Waves
from atomsight.learning.examples import Examples
from atomsight.learning.training import Learner, make_examples, make_learner
from timed import networks

#: A backward pass does the arithmetic of a forward pass twice: for the maps and for the kernels.
PASSES = 3


def steps(section: dict, count: int) -> Callable:
    """Whole steps, one after another: imaging, forward and backward pass, optimizer."""
    learner, examples = prepare(section)
    return lambda: [learner.train_on_batch(*made) for made in examples.ahead(range(count))]


def imaging(section: dict, count: int) -> Callable:
    """From waves to normalised images and truth."""
    _, examples = prepare(section)
    return lambda: [examples.of(step) for step in range(count)]


def on_examples(section: dict, count: int) -> Callable:
    """Forward and backward pass and optimizer, on examples that are made before."""
    learner, examples = prepare(section)
    made = examples.of(0)
    return lambda: [learner.train_on_batch(*made) for _ in range(count)]


def optimizer(section: dict, count: int) -> Callable:
    """The optimizer alone: the loss is the mean of all weights."""
    learner, _ = prepare(section)
    alone, nothing = Weights(learner), np.zeros((1, 1), "float32")
    alone.compile(optimizer=learner.optimizer, jit_compile=learner.jit_compile)
    return lambda: [alone.train_on_batch(nothing) for _ in range(count)]


def convolutions(section: dict, count: int) -> Callable:
    """The convolutions of so many steps, side by side alone."""
    plan = networks.plan_of(section)
    run = networks.bare_convolutions(plan, plan.training.batch, plan.training.image_px)
    return lambda: [run() for _ in range(PASSES * count)]


def matrix_products(section: dict, count: int) -> Callable:
    """Products of matrices of 1024² with as many multiplications as these."""
    plan = networks.plan_of(section)
    return networks.products(plan, PASSES * count * plan.training.batch * plan.training.image_px**2)


def prepare(section: dict) -> tuple[Learner, Examples]:
    """A learner that has not learned, and examples."""
    plan = networks.plan_of(section)
    waves = random_waves(4, plan.microscope.energy_eV, section[section["material"]]["size_A"])
    return make_learner(networks.network_of(plan), waves, plan), make_examples(waves, plan)[0]


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


class Weights(keras.Model):
    """The weights of a network without it: their mean is the loss."""

    def __init__(self, learner: Learner):
        super().__init__()
        self.network = learner.network

    def call(self, inputs: object) -> keras.KerasTensor:
        return sum(ops.mean(one) for one in self.trainable_variables)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return y_pred
