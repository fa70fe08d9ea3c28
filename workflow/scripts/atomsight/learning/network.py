"""The network: fully convolutional, after FusionNet, from normalised images to class probabilities.

Three poolings. At each level a convolution, three convolutions bypassed by an addition, and a
convolution, all 3×3 with a leaky ReLU. Max pooling doubles the features on the way down; a
transposed convolution, initialised as bilinear interpolation, halves them on the way up; the two
ways are joined by addition. A 1×1 convolution and a softmax give the probabilities. (The paper,
section 2.2; Quan et al., arXiv:1612.05360.)

The paper normalises every batch. This network standardises its kernels instead (Brock et al.,
arXiv:2101.08692), and its ReLUs leak. What a pixel is told then depends on its neighbourhood alone,
in the training as in the use, and not on the rest of the image or of the batch; a step on a CPU is
quicker; and features neither die nor explode, as they do with no normalisation at all.
"""

import keras
import numpy as np
from keras import layers, ops

#: Poolings of the network.
POOLINGS = 3

#: Sizes of images must be multiples of this.
STRIDE = 2**POOLINGS

#: A pixel of the output depends on the input no further away than this [pixel].
#: Five convolutions reach 5 pixels at each level, down and up again; a transposed convolution
#: reaches one pixel of its coarser level.
REACH = sum(2 * 5 * 2**level + 2 ** (level + 1) for level in range(POOLINGS)) + 5 * STRIDE


def build_network(
    features: int, frames: int, classes: int, precision: str = "float32"
) -> keras.Model:
    """Build the network, not yet trained.

    Parameters
    ----------
    features : int
        Features at full resolution; doubled at every pooling.
    frames : int
        Images of one specimen that go in together, as channels.
    classes : int
        Classes that come out, the background (class 0) included.
    precision : str
        Of the arithmetic: ``float32`` or ``bfloat16``. The weights and the logits are float32.

    Returns
    -------
    keras.Model
        Input shape ``(B, H, W, frames)``, H and W multiples of :data:`STRIDE`; output shape ``(B,
        H, W, classes)``: the logits of the class probabilities.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICIES[precision])
    try:
        return _connect(features, frames, classes)
    finally:
        keras.config.set_dtype_policy(before)


#: How Keras calls the precisions.
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def _connect(features: int, frames: int, classes: int) -> keras.Model:
    image = keras.Input((None, None, frames), name="image")
    down, maps = [], image
    for level in range(POOLINGS):
        variance = _OF_ACTIVATION if level else _OF_IMAGE
        maps = _fusion_block(maps, features * 2**level, f"down_{level}", variance)
        down.append(maps)
        maps = layers.MaxPooling2D(2, name=f"pool_{level}")(maps)
    maps = _fusion_block(maps, features * STRIDE, "bridge", _OF_ACTIVATION)
    for level in reversed(range(POOLINGS)):
        maps = _upsample(maps, features * 2**level, f"up_{level}")
        maps = layers.Add(name=f"join_{level}")([maps, down[level]])
        maps = _fusion_block(maps, features * 2**level, f"up_{level}", _OF_SUM)
    logits = layers.Conv2D(classes, 1, name="classify", dtype="float32")(maps)
    return keras.Model(image, logits, name="fusion_network")


def weight_count(features: int, frames: int, classes: int) -> int:
    """How many weights :func:`build_network` would make, without building it."""
    widths = [features * 2**level for level in range(POOLINGS + 1)]
    down = sum(map(_block_weights, [frames, *widths], widths))
    up = sum(16 * width * 2 * width + _block_weights(width, width) for width in widths[:-1])
    return down + up + (features + 1) * classes


def _block_weights(inputs: int, features: int) -> int:
    """Kernels, gains and biases of the five convolutions of a block."""
    return 9 * features * (inputs + 4 * features) + 10 * features


#: Variance of a layer's kernel times its fan-in, for outputs of unit variance: for the image, for
#: the output of a leaky ReLU (of slope 0.2, whose variance is 0.418), for the sum of two of these.
_OF_IMAGE, _OF_ACTIVATION, _OF_SUM = 1.0, 1 / 0.418, 0.5 / 0.418


def _fusion_block(
    maps: keras.KerasTensor, features: int, name: str, variance: float
) -> keras.KerasTensor:
    maps = _convolution(maps, features, f"{name}_first", variance)
    residual = maps
    for index in range(3):
        residual = _convolution(residual, features, f"{name}_residual_{index}", _OF_ACTIVATION)
    maps = layers.Add(name=f"{name}_bypass")([maps, residual])
    return _convolution(maps, features, f"{name}_last", _OF_SUM)


def _convolution(
    maps: keras.KerasTensor, features: int, name: str, variance: float
) -> keras.KerasTensor:
    return StandardisedConvolution(features, variance, name=name)(maps)


@keras.saving.register_keras_serializable("atomsight")
class StandardisedConvolution(layers.Layer):
    """A 3×3 convolution with standardised kernels, and a leaky ReLU.

    The kernel of every output feature has mean zero and a fixed variance, ``variance`` over its
    fan-in, times a gain that is learned. (Brock et al., arXiv:2101.08692, eq 1.) From shape ``(B,
    H, W, inputs)`` to ``(B, H, W, features)``.
    """

    def __init__(self, features: int, variance: float, **options: object):
        super().__init__(**options)
        self.features = features
        self.variance = variance

    def build(self, input_shape: tuple) -> None:
        # Standardised in float32, whatever the precision of the convolution.
        shape = (3, 3, input_shape[-1], self.features)
        self.kernel = self.add_weight(
            shape=shape, initializer="he_normal", name="kernel", autocast=False
        )
        self.gain = self.add_weight(
            shape=(self.features,), initializer="ones", name="gain", autocast=False
        )
        self.bias = self.add_weight(shape=(self.features,), initializer="zeros", name="bias")
        self._scale = (self.variance / (9 * input_shape[-1])) ** 0.5

    def call(self, maps: keras.KerasTensor) -> keras.KerasTensor:
        kernel = ops.convert_to_tensor(self.kernel)
        mean, variance = ops.moments(kernel, axes=(0, 1, 2), keepdims=True)
        kernel = (kernel - mean) * (self._scale * self.gain * ops.rsqrt(variance + 1e-8))
        kernel = ops.cast(kernel, maps.dtype)
        maps = ops.conv(maps, kernel, padding="same", data_format="channels_last") + self.bias
        return ops.leaky_relu(maps, negative_slope=0.2)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.features)

    def get_config(self) -> dict:
        return super().get_config() | {"features": self.features, "variance": self.variance}


def _upsample(maps: keras.KerasTensor, features: int, name: str) -> keras.KerasTensor:
    return layers.Conv2DTranspose(
        features,
        4,
        strides=2,
        padding="same",
        use_bias=False,
        kernel_initializer=BilinearUpsampling(),
        name=f"{name}_upsample",
    )(maps)


@keras.saving.register_keras_serializable("atomsight")
class BilinearUpsampling(keras.initializers.Initializer):
    """Kernel of a transposed convolution that starts as bilinear interpolation.

    Every output feature is the interpolated mean of an equal number of input features.
    """

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> keras.KerasTensor:
        """Give the kernel, of shape (rows, columns, output features, input features)."""
        rows, columns, outputs, inputs = shape
        window = np.outer(_triangle(rows), _triangle(columns))
        share = inputs // outputs
        mixing = np.kron(np.eye(outputs), np.ones(share) / share)
        kernel = window[:, :, None, None] * mixing[None, None]
        return keras.ops.convert_to_tensor(kernel, dtype=dtype or "float32")


def _triangle(size: int) -> np.ndarray:
    """Weights of linear interpolation by a factor of two for an even kernel."""
    distance = np.abs(np.arange(size) - (size - 1) / 2)
    return np.clip(1 - distance / (size / 2), 0, None)
