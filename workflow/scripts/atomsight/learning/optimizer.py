"""Adam as all trainings use it: clipped, averaged, and deaf to steps that blow up."""

import keras
import numpy as np
from keras import ops

from atomsight.config.training import TrainingSettings

#: A gradient so many times as large as usual is an accident ...
_TOO_LARGE = 100.0
#: ... where as many steps as this tell what is usual.
_USUAL_STEPS = 100.0

#: Adam's two rates of decay, and what keeps it from dividing by zero.
_MOMENTUM, _VELOCITY, _EPSILON = 0.9, 0.999, 1e-7


def make_optimizer(settings: TrainingSettings) -> "SteadyAdam":
    """Adam with a warm-up and a cosine decay of the learning rate.

    Weights do not decay (the L2 of the paper, eq 6): kernels are standardised, so that their size
    does not change what the network says.
    """
    warm_up = max(1, round(settings.warm_up * settings.steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, settings.steps - warm_up),
        warmup_target=settings.learning_rate,
        warmup_steps=warm_up,
    )
    return SteadyAdam(schedule, settings.averaged_steps)


class SteadyAdam(keras.optimizers.Optimizer):
    """Adam (Kingma and Ba, arXiv:1412.6980) that skips accidents, and averages the weights.

    The gradient's norm is clipped to one. A step whose gradient is not finite, or a hundred times
    as large as usual, leaves the weights as they are; ``skipped`` counts such steps and
    ``last_skipped`` is the number of the last. ``average`` is the exponential mean of the weights
    over about ``averaged_steps`` steps, which is better than the weights of any one step (Polyak
    and Juditsky, 1992).

    All weights are one vector of length W here: a network has a hundred small arrays, and some
    twenty operations on each would take longer than its gradient.
    """

    def __init__(
        self, learning_rate: keras.optimizers.schedules.LearningRateSchedule, averaged_steps: int
    ):
        super().__init__(learning_rate)
        self.averaged_steps = averaged_steps

    def build(self, variables: list) -> None:
        super().build(variables)
        size = int(_ends(variables)[-1])
        self.momentum, self.velocity, self.average = (
            self.add_variable((size,), initializer="zeros", name=name)
            for name in ("momentum", "velocity", "average")
        )
        self.average.assign(_as_vector(variables))
        self.usual_norm, self.skipped, self.last_skipped = (
            self.add_variable((), initializer="zeros", name=name)
            for name in ("usual_norm", "skipped", "last_skipped")
        )

    def apply(self, grads: list, trainable_variables: list | None = None) -> None:
        """Update the weights, unless the gradient is an accident, and their average."""
        variables = list(trainable_variables or self._trainable_variables)
        if not self.built:
            self.build(variables)
        done = ops.cast(self.iterations, "float32")
        usual, last = (ops.convert_to_tensor(one) for one in (self.usual_norm, self.last_skipped))
        gradient = _as_vector(grads)
        norm = ops.sqrt(ops.sum(ops.square(gradient)))
        unusual = ops.logical_and(done >= _USUAL_STEPS, norm > _TOO_LARGE * usual)
        calm = ops.logical_and(ops.isfinite(norm), ops.logical_not(unusual))
        gradient = ops.where(calm, gradient / ops.maximum(norm, 1.0), 0.0)
        weights = _as_vector(variables)
        weights = ops.where(calm, weights - self._change(gradient, done + 1), weights)
        _assign(variables, weights)
        # Where one large gradient follows another, that becomes usual, and the training goes on.
        kept = ops.minimum(1 - 1 / _USUAL_STEPS, done / (done + 1))
        self.usual_norm.assign(ops.where(calm, kept * usual + (1 - kept) * norm, 2 * usual))
        self.skipped.assign_add(1 - ops.cast(calm, "float32"))
        self.last_skipped.assign(ops.where(calm, last, done + 1))
        # The first steps weigh less: the average follows the weights quickly at the beginning.
        kept = ops.minimum(1 - 1 / self.averaged_steps, done / (done + 9))
        self.average.assign(kept * ops.convert_to_tensor(self.average) + (1 - kept) * weights)
        self.iterations.assign_add(1)

    def averaged_weights(self) -> list[np.ndarray]:
        """Averages of the weights, shaped as they are."""
        variables = self._trainable_variables
        pieces = np.split(np.array(ops.convert_to_numpy(self.average)), _ends(variables)[:-1])
        return [
            piece.reshape(variable.shape) for piece, variable in zip(pieces, variables, strict=True)
        ]

    def _change(self, gradient: keras.KerasTensor, step: keras.KerasTensor) -> keras.KerasTensor:
        """By how much Adam lowers the weights."""
        first = ops.convert_to_tensor(self.momentum)
        second = ops.convert_to_tensor(self.velocity)
        first = first + (gradient - first) * (1 - _MOMENTUM)
        second = second + (ops.square(gradient) - second) * (1 - _VELOCITY)
        self.momentum.assign(first)
        self.velocity.assign(second)
        rate = self._get_current_learning_rate() * ops.sqrt(1 - ops.power(_VELOCITY, step))
        return rate / (1 - ops.power(_MOMENTUM, step)) * first / (ops.sqrt(second) + _EPSILON)


def _as_vector(arrays: list) -> keras.KerasTensor:
    return ops.concatenate([ops.reshape(ops.cast(array, "float32"), (-1,)) for array in arrays])


def _assign(variables: list, values: keras.KerasTensor) -> None:
    """Set variables to their pieces of a vector."""
    ends = _ends(variables).tolist()
    for variable, begin, end in zip(variables, [0, *ends], ends, strict=False):
        variable.assign(ops.reshape(values[begin:end], variable.shape))


def _ends(variables: list) -> np.ndarray:
    """Where each variable ends in the vector of them all."""
    return np.cumsum([np.prod(variable.shape, dtype=int) for variable in variables])
