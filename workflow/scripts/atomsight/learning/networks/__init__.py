"""The networks: fully convolutional, from normalised images to logits of class probabilities."""

import keras

from atomsight.config.training import NetworkSettings
from atomsight.learning.networks import fusion, subpixel
from atomsight.learning.networks.parts import KerasParts, MeasuredParts, Measures

_KINDS = {"subpixel": subpixel.describe, "fusion": fusion.describe}

#: How Keras calls the precisions.
_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


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
        image, logits = _KINDS[settings.kind](KerasParts(), settings.features, frames, classes)
        network = keras.Model(image, logits, name=settings.kind)
    finally:
        keras.config.set_dtype_policy(before)
    network.measures = measure(settings, frames, classes)
    return network


def measure(settings: NetworkSettings, frames: int, classes: int) -> Measures:
    """Measure the network that :func:`build_network` would make, without building it."""
    parts = MeasuredParts()
    _, logits = _KINDS[settings.kind](parts, settings.features, frames, classes)
    return parts.measures(logits)
