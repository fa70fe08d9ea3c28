"""The optimiser: what it leaves out, and the average it keeps."""

import keras
import numpy as np
import pytest

from atomsight.config.training import TrainingSettings
from atomsight.learning.optimizer import SteadyAdam, make_optimizer


def begin(averaged_steps=10, rate=0.1):
    weight = keras.Variable(np.zeros(3, "float32"))
    optimizer = SteadyAdam(rate, averaged_steps)
    optimizer.build([weight])
    return weight, optimizer


def value_of(variable):
    return keras.ops.convert_to_numpy(variable).copy()


def step(optimizer, weight, gradient):
    optimizer.apply([keras.ops.convert_to_tensor(np.asarray(gradient, "float32"))], [weight])


@pytest.mark.parametrize("accident", [[np.nan, 0, 0], [np.inf, 1, 1], [1e5, 0, 0]])
def test_a_step_that_blows_up_leaves_the_weights_as_they_are_and_is_named(accident):
    weight, optimizer = begin()
    for _ in range(120):
        step(optimizer, weight, [1, 0.5, 0])
    before = value_of(weight)
    step(optimizer, weight, accident)
    np.testing.assert_array_equal(value_of(weight), before)
    assert (int(optimizer.skipped), int(optimizer.last_skipped)) == (1, 121)
    step(optimizer, weight, [1, 0.5, 0])
    assert (value_of(weight)[:2] < before[:2]).all()
    assert np.isfinite(optimizer.averaged_weights()[0]).all()
    assert int(optimizer.skipped) == 1


def test_a_training_goes_on_where_large_gradients_remain():
    weight, optimizer = begin()
    for _ in range(120):
        step(optimizer, weight, [1, 0.5, 0])
    before = value_of(weight)
    for _ in range(20):
        step(optimizer, weight, [1e4, 0, 0])
    assert 5 < int(optimizer.skipped) < 10
    assert value_of(weight)[0] < before[0] - 0.5


def test_large_gradients_are_no_accident_before_it_is_known_what_is_usual():
    weight, optimizer = begin()
    step(optimizer, weight, [1e-3, 0, 0])
    step(optimizer, weight, [1e3, 0, 0])
    assert int(optimizer.skipped) == 0


def test_without_accidents_it_is_adam():
    weight, optimizer = begin()
    plain_weight = keras.Variable(np.zeros(3, "float32"))
    plain = keras.optimizers.Adam(0.1, global_clipnorm=1.0)
    plain.build([plain_weight])
    rng = np.random.default_rng(1)
    for _ in range(30):
        gradient = rng.normal(size=3)
        step(optimizer, weight, gradient)
        step(plain, plain_weight, gradient)
    np.testing.assert_allclose(value_of(weight), value_of(plain_weight), atol=1e-6)


def test_the_average_lags_behind_weights_that_move_by_as_many_steps_as_it_spans():
    weight, optimizer = begin(averaged_steps=10, rate=0.1)
    for _ in range(200):
        step(optimizer, weight, [1, 1, 1])
    # Adam moves by the learning rate a step; the mean age in an exponential average is 9 steps.
    lag = optimizer.averaged_weights()[0] - value_of(weight)
    np.testing.assert_allclose(lag, 9 * 0.1, rtol=0.01)


def test_the_learning_rate_rises_and_falls_to_zero():
    settings = TrainingSettings(steps=100, learning_rate=0.01, warm_up=0.1)
    schedule = make_optimizer(settings)._learning_rate
    rates = [float(schedule(step)) for step in (0, 5, 10, 55, 100)]
    np.testing.assert_allclose(rates, [0, 0.005, 0.01, 0.005, 0], atol=1e-6)
