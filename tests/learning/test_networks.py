"""The networks: their shapes, their start, their reach and their size."""

import os

import keras
import numpy as np
import pytest

from atomsight.config.training import NetworkSettings
from atomsight.learning import backend
from atomsight.learning.networks import build_network, choose_precision, folded, measure
from atomsight.learning.networks.layers import BilinearUpsampling

KINDS = ("subpixel", "fusion")


def settings(kind, features=4):
    return NetworkSettings(kind=kind, features=features)


@pytest.fixture(scope="module", params=KINDS)
def network(request):
    keras.utils.set_random_seed(0)
    return build_network(settings(request.param), frames=1, classes=2)


def answer(network, image):
    return network.predict_on_batch(image[None, ..., None])[0]


def test_it_takes_any_size_that_its_stride_divides(network):
    size = (5 * network.measures.stride, 3 * network.measures.stride)
    assert answer(network, np.zeros(size, "float32")).shape == (*size, 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [(2, 1, 2), (4, 3, 13)])
def test_the_weights_are_counted_without_building_the_network(kind, sizes):
    features, frames, classes = sizes
    size = (settings(kind, features), frames, classes)
    assert measure(*size).weights == build_network(*size).count_params()


def test_arithmetic_is_counted_as_published():
    """A convolution takes rows · columns · inputs · outputs multiplications for each pixel."""
    full, half = (measure(settings("fusion", features), 1, 2) for features in (16, 8))
    assert 3.8 < full.multiplications / half.multiplications < 4
    subpixel = measure(settings("subpixel", 16), 1, 2)
    # The blocks of the body alone, two convolutions each: 3, 4 and 3 at 1/4, 1/8 and 1/16.
    body = 18 * (3 * 16**2 / 16 + 4 * 48**2 / 64 + 3 * 64**2 / 256)
    assert body < subpixel.multiplications < 2 * body


def test_upsampling_starts_as_bilinear_interpolation():
    layer = keras.layers.Conv2DTranspose(
        1, 4, strides=2, padding="same", use_bias=False, kernel_initializer=BilinearUpsampling()
    )
    ramp = np.arange(8, dtype="float32")[None, None, :, None].repeat(8, axis=1)
    doubled = keras.ops.convert_to_numpy(layer(ramp))[0, 8, :, 0]
    np.testing.assert_allclose(doubled[2:-2], np.arange(16)[2:-2] / 2 - 0.25, atol=1e-6)


def test_a_pixel_does_not_depend_on_what_is_out_of_reach(network):
    rng = np.random.default_rng(1)
    reach, stride = network.measures.reach, network.measures.stride
    size = 2 * (reach // stride + 2) * stride
    image = rng.normal(size=(size, size)).astype("float32")
    changed = image.copy()
    middle = size // 2
    changed[: middle - reach] = 5
    changed[:, : middle - reach] = -5
    difference = np.abs(answer(network, image) - answer(network, changed))
    assert difference[middle:, middle:].max() == 0
    assert difference[: middle - reach].max() > 0


def test_features_keep_their_variance_at_the_start(network):
    """Without normalisation, logits of a fresh network must neither vanish nor explode."""
    noise = np.random.default_rng(2).normal(size=(128, 128)).astype("float32")
    assert 0.01 < answer(network, noise).std() < 10


def test_the_size_of_a_kernel_says_nothing():
    """So no weight decay is worth its key: it would change the size alone."""
    network = build_network(settings("fusion"), frames=1, classes=2)
    image = np.random.default_rng(4).normal(size=(64, 64)).astype("float32")
    before = answer(network, image)
    for layer in network.layers:
        if hasattr(layer, "gain"):
            layer.kernel.assign(0.5 * layer.kernel)
    np.testing.assert_allclose(answer(network, image), before, atol=1e-4)


def test_it_learns_and_infers_alike(network):
    """Nothing in the network depends on being in training, or on the rest of the batch."""
    images = np.random.default_rng(3).normal(size=(3, 64, 64, 1)).astype("float32")
    together = keras.ops.convert_to_numpy(network(images, training=True))
    alone = np.stack([network.predict_on_batch(image[None])[0] for image in images])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.skipif(
    "ONEDNN_MAX_CPU_ISA" in os.environ,
    reason="TensorFlow asks oneDNN for the bfloat16 of this processor, whatever it is held to",
)
def test_half_precision_gives_nearly_the_same_answer_from_the_same_float32_weights(kind):
    full = build_network(settings(kind), 1, 2)
    half = build_network(settings(kind), 1, 2, precision="bfloat16")
    half.set_weights(full.get_weights())
    assert {weight.dtype for weight in half.weights} == {"float32"}
    image = np.random.default_rng(4).normal(size=(64, 64)).astype("float32")
    expected, found = answer(full, image), answer(half, image)
    assert found.dtype == np.float32
    assert 0 < (found - expected).std() < 0.03 * expected.std()


@pytest.mark.parametrize("has_it", [True, False])
def test_the_precision_is_the_fastest_of_the_device_or_the_one_asked_for(monkeypatch, has_it):
    """A processor without bfloat16 would only imitate it, slowly."""
    monkeypatch.setattr(backend, "multiplies_in_bfloat16", lambda: has_it)
    fastest = "bfloat16" if has_it else "float32"
    for network, expected in (
        (settings("fusion", 8), fastest),
        (settings("subpixel", 32), fastest),
        (settings("subpixel", 16), "float32"),  # too small to gain
    ):
        assert choose_precision("auto", network) == expected
        for asked_for in ("float32", "bfloat16"):
            assert choose_precision(asked_for, network) == asked_for


def test_the_precision_of_one_network_is_not_that_of_the_next():
    build_network(settings("fusion"), 1, 2, precision="bfloat16")
    assert build_network(settings("fusion"), 1, 2).layers[1].compute_dtype == "float32"


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_for_use_alone_answers_as_the_one_that_was_trained(kind):
    network = build_network(settings(kind), 1, 2)
    for weight in network.trainable_weights:
        weight.assign(weight + 0.1 * np.random.default_rng(6).normal(size=weight.shape))
    image = np.random.default_rng(5).normal(size=(64, 64)).astype("float32")
    plain = folded(network, settings(kind))
    np.testing.assert_allclose(answer(plain, image), answer(network, image), atol=1e-4)
    assert plain.measures == network.measures
    assert plain.count_params() < network.count_params()
