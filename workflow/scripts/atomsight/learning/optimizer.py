"""Adam as all trainings use it: clipped, averaged, and deaf to steps that blow up."""

import keras
from keras import ops

from atomsight.config.training import TrainingSettings

#: A gradient so many times as large as usual is an accident ...
_TOO_LARGE = 100.0
#: ... where as many steps as this tell what is usual.
_USUAL_STEPS = 100.0


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


class SteadyAdam(keras.optimizers.Adam):
    """Adam (Kingma and Ba, arXiv:1412.6980) that skips accidents, and averages the weights.

    The gradient's norm is clipped to one. A step whose gradient is not finite, or a hundred times
    as large as usual, leaves the weights as they are; ``skipped`` counts such steps and
    ``last_skipped`` is the number of the last. ``average`` is the exponential mean of the weights
    over about ``averaged_steps`` steps, which is better than the weights of any one step (Polyak
    and Juditsky, 1992).
    """

    def __init__(
        self, learning_rate: keras.optimizers.schedules.LearningRateSchedule, averaged_steps: int
    ):
        super().__init__(learning_rate, global_clipnorm=1.0)
        self.averaged_steps = averaged_steps

    def build(self, variables: list) -> None:
        super().build(variables)
        self.average = self.add_optimizer_variables(variables, "average")
        self.usual_norm = self.add_variable((), initializer="zeros", name="usual_norm")
        self.skipped = self.add_variable((), initializer="zeros", name="skipped")
        self.last_skipped = self.add_variable((), initializer="zeros", name="last_skipped")

    def apply(self, grads: list, trainable_variables: list | None = None) -> None:
        """Update the weights, unless the gradient is an accident, and their average."""
        if not self.built:
            self.build(list(trainable_variables))
        variables = trainable_variables or self._trainable_variables
        done = ops.cast(self.iterations, "float32")
        usual, last = (ops.convert_to_tensor(one) for one in (self.usual_norm, self.last_skipped))
        norm = ops.sqrt(sum(ops.sum(ops.square(ops.cast(grad, "float32"))) for grad in grads))
        unusual = ops.logical_and(done >= _USUAL_STEPS, norm > _TOO_LARGE * usual)
        calm = ops.logical_and(ops.isfinite(norm), ops.logical_not(unusual))
        self._calm = ops.cast(calm, "float32")
        super().apply([ops.where(calm, grad, 0) for grad in grads], variables)
        kept = ops.minimum(1 - 1 / _USUAL_STEPS, done / (done + 1))
        # Where one large gradient follows another, that becomes usual, and the training goes on.
        self.usual_norm.assign(ops.where(calm, kept * usual + (1 - kept) * norm, 2 * usual))
        self.skipped.assign_add(1 - self._calm)
        self.last_skipped.assign(ops.where(calm, last, done + 1))
        # The first steps weigh less: the average follows the weights quickly at the beginning.
        kept = ops.minimum(1 - 1 / self.averaged_steps, done / (done + 9))
        for average, variable in zip(self.average, variables, strict=True):
            mean, weights = ops.convert_to_tensor(average), ops.convert_to_tensor(variable)
            average.assign(kept * mean + (1 - kept) * weights)

    def update_step(self, gradient: object, variable: object, learning_rate: object) -> None:
        super().update_step(gradient, variable, learning_rate * self._calm)
