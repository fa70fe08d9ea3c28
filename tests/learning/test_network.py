"""The network: its shapes, its start and its reach."""

import os

import keras
import numpy as np
import pytest

from atomsight.learning.network import REACH, STRIDE, BilinearUpsampling, build_network


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return build_network(features=4, frames=1, classes=2)


def answer(network, image):
    return network.predict_on_batch(image[None, ..., None])[0]


def test_it_takes_any_size_that_its_poolings_divide(network):
    assert answer(network, np.zeros((5 * STRIDE, 3 * STRIDE), "float32")).shape == (40, 24, 2)


def test_upsampling_starts_as_bilinear_interpolation():
    layer = keras.layers.Conv2DTranspose(
        1, 4, strides=2, padding="same", use_bias=False, kernel_initializer=BilinearUpsampling()
    )
    ramp = np.arange(8, dtype="float32")[None, None, :, None].repeat(8, axis=1)
    doubled = keras.ops.convert_to_numpy(layer(ramp))[0, 8, :, 0]
    np.testing.assert_allclose(doubled[2:-2], np.arange(16)[2:-2] / 2 - 0.25, atol=1e-6)


def test_a_pixel_does_not_depend_on_what_is_out_of_reach(network):
    rng = np.random.default_rng(1)
    size = 2 * (REACH // STRIDE + 2) * STRIDE
    image = rng.normal(size=(size, size)).astype("float32")
    changed = image.copy()
    middle = size // 2
    changed[: middle - REACH] = 5
    changed[:, : middle - REACH] = -5
    difference = np.abs(answer(network, image) - answer(network, changed))
    assert difference[middle:, middle:].max() == 0
    assert difference[: middle - REACH].max() > 0


def test_features_keep_their_variance_at_the_start(network):
    """Without normalisation, logits of a fresh network must neither vanish nor explode."""
    noise = np.random.default_rng(2).normal(size=(128, 128)).astype("float32")
    assert 0.01 < answer(network, noise).std() < 10


def test_the_size_of_a_kernel_says_nothing():
    """So no weight decay is worth its key: it would change the size alone."""
    network = build_network(features=4, frames=1, classes=2)
    image = np.random.default_rng(4).normal(size=(64, 64)).astype("float32")
    before = answer(network, image)
    for layer in network.layers:
        if hasattr(layer, "gain"):
            layer.kernel.assign(0.5 * layer.kernel)
    np.testing.assert_allclose(answer(network, image), before, atol=1e-4)


def test_it_learns_and_infers_alike():
    """Nothing in the network depends on being in training, or on the rest of the batch."""
    network = build_network(features=4, frames=1, classes=2)
    images = np.random.default_rng(3).normal(size=(3, 64, 64, 1)).astype("float32")
    together = keras.ops.convert_to_numpy(network(images, training=True))
    alone = np.stack([network.predict_on_batch(image[None])[0] for image in images])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.skipif(
    "ONEDNN_MAX_CPU_ISA" in os.environ,
    reason="TensorFlow asks oneDNN for the bfloat16 of this processor, whatever it is held to",
)
def test_half_precision_gives_nearly_the_same_answer_from_the_same_float32_weights():
    full = build_network(4, 1, 2)
    half = build_network(4, 1, 2, precision="bfloat16")
    half.set_weights(full.get_weights())
    assert {weight.dtype for weight in half.weights} == {"float32"}
    image = np.random.default_rng(4).normal(size=(64, 64)).astype("float32")
    expected, found = answer(full, image), answer(half, image)
    assert found.dtype == np.float32
    assert 0 < (found - expected).std() < 0.03 * expected.std()


def test_the_precision_of_one_network_is_not_that_of_the_next():
    build_network(2, 1, 2, precision="bfloat16")
    assert build_network(2, 1, 2).layers[1].compute_dtype == "float32"
