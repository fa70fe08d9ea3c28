"""The networks: fully convolutional, from normalised images to logits of class probabilities."""

import keras
from keras import ops

from atomsight.config.training import NetworkSettings
from atomsight.learning import backend
from atomsight.learning.networks import fusion, subpixel
from atomsight.learning.networks.layers import StandardisedConvolution
from atomsight.learning.networks.parts import FoldedParts, KerasParts, MeasuredParts, Measures

_KINDS = {"subpixel": subpixel.describe, "fusion": fusion.describe}

#: How Keras calls the precisions.
_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}

#: Features from which on bfloat16 makes a step a fifth faster or more, on a device that has it
#: (docs/benchmarks/networks.md).
_GAINS_FROM_BFLOAT16 = {"fusion": 8, "subpixel": 32}


def choose_precision(wanted: str, settings: NetworkSettings) -> str:
    """Precision in which a network is trained here, if ``wanted`` is ``auto``."""
    if wanted != "auto":
        return wanted
    is_large = settings.features >= _GAINS_FROM_BFLOAT16[settings.kind]
    gains = is_large and backend.multiplies_in_bfloat16()
    return "bfloat16" if gains else "float32"


def build_network(
    settings: NetworkSettings, frames: int, classes: int, precision: str = "float32"
) -> keras.Model:
    """Build a network, not yet trained.

    Parameters
    ----------
    settings : NetworkSettings
        Its kind and size.
    frames : int
        Images of one specimen that go in together, as channels.
    classes : int
        Classes that come out, the background (class 0) included.
    precision : str
        Of the arithmetic: ``float32`` or ``bfloat16``. The weights and the logits are float32.

    Returns
    -------
    keras.Model
        Input shape ``(B, H, W, frames)``, H and W multiples of its stride; output shape ``(B, H, W,
        classes)``: the logits of the class probabilities. Its :class:`Measures` are its attribute
        ``measures``.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[precision])
    try:
        return _connect(KerasParts(), settings, frames, classes)
    finally:
        keras.config.set_dtype_policy(before)


def _connect(
    parts: KerasParts, settings: NetworkSettings, frames: int, classes: int
) -> keras.Model:
    image, logits = _KINDS[settings.kind](parts, settings.features, frames, classes)
    network = keras.Model(image, logits, name=settings.kind)
    network.measures = measure(settings, frames, classes)
    return network


def folded(network: keras.Model, settings: NetworkSettings) -> keras.Model:
    """Give a network of the same answers to use alone, its kernels standardised once for all."""
    frames, classes = network.input_shape[-1], network.output_shape[-1]
    plain = _connect(FoldedParts(), settings, frames, classes)
    for layer in network.layers:
        weights = layer.get_weights()
        if isinstance(layer, StandardisedConvolution):
            weights = [ops.convert_to_numpy(layer.standardised_kernel()), weights[-1]]
        plain.get_layer(layer.name).set_weights(weights)
    return plain


def measure(settings: NetworkSettings, frames: int, classes: int) -> Measures:
    """Measure the network that :func:`build_network` would make, without building it."""
    parts = MeasuredParts()
    _, logits = _KINDS[settings.kind](parts, settings.features, frames, classes)
    return parts.measures(logits)
