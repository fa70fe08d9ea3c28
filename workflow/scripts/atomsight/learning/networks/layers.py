"""Layers of the networks: standardised convolutions, and three ways between resolutions.

The paper normalises every batch. These networks standardise their kernels instead (Brock et al.,
arXiv:2101.08692), and their ReLUs leak. What a pixel is told then depends on its neighbourhood
alone, in the training as in the use, and not on the rest of the image or of the batch; a step on a
CPU is quicker; and features neither die nor explode, as they do with no normalisation at all.
"""

import keras
import numpy as np
from keras import layers, ops

#: Slope of the leaky ReLU for negative values.
SLOPE = 0.2


@keras.saving.register_keras_serializable("atomsight")
class StandardisedConvolution(layers.Layer):
    """A convolution with standardised kernels, and a leaky ReLU unless it is ``linear``.

    The kernel of every feature has mean zero and a fixed variance, ``variance`` over its fan-in,
    times the square of a gain that is learned and begins at ``gain`` (Brock et al.,
    arXiv:2101.08692, eq 1); it has ``kernel_size`` rows and columns. From shape ``(B, H, W,
    inputs)`` to ``(B, H / stride, W / stride, features)``.
    """

    def __init__(
        self,
        features: int,
        variance: float,
        kernel_size: int = 3,
        stride: int = 1,
        gain: float = 1.0,
        linear: bool = False,
        **options: object,
    ):
        super().__init__(**options)
        self.features = features
        self.variance = variance
        self.kernel_size = kernel_size
        self.stride = stride
        self.first_gain = gain
        self.linear = linear

    def build(self, input_shape: tuple) -> None:
        # Standardised in float32, whatever the precision of the convolution.
        self.kernel = self.add_weight(
            shape=(self.kernel_size, self.kernel_size, input_shape[-1], self.features),
            initializer="he_normal",
            name="kernel",
            autocast=False,
        )
        first = keras.initializers.Constant(self.first_gain)
        self.gain = self.add_weight(
            shape=(self.features,), initializer=first, name="gain", autocast=False
        )
        self.bias = self.add_weight(shape=(self.features,), initializer="zeros", name="bias")

    def call(self, maps: keras.KerasTensor) -> keras.KerasTensor:
        kernel = ops.cast(self.standardised_kernel(), maps.dtype)
        maps = ops.conv(
            maps, kernel, strides=self.stride, padding="same", data_format="channels_last"
        )
        maps = maps + self.bias
        return maps if self.linear else ops.leaky_relu(maps, negative_slope=SLOPE)

    def standardised_kernel(self) -> keras.KerasTensor:
        """Give the kernel that is used, of shape (rows, columns, inputs, features), in float32."""
        kernel, gain = ops.convert_to_tensor(self.kernel), ops.convert_to_tensor(self.gain)
        mean, spread = ops.moments(kernel, axes=(0, 1, 2), keepdims=True)
        scale = (self.variance / np.prod(kernel.shape[:-1])) ** 0.5
        return (kernel - mean) * (float(scale) * gain * ops.rsqrt(spread + 1e-8))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        size = [edge and -(-edge // self.stride) for edge in input_shape[1:3]]
        return (input_shape[0], *size, self.features)

    def get_config(self) -> dict:
        return super().get_config() | {
            "features": self.features,
            "variance": self.variance,
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "gain": self.first_gain,
            "linear": self.linear,
        }


@keras.saving.register_keras_serializable("atomsight")
class DepthToSpace(layers.Layer):
    """Sub-pixel convolution's last step: ``factor²`` features become as many pixels.

    From shape ``(B, H, W, factor² C)`` to ``(B, factor H, factor W, C)``. (Shi et al.,
    arXiv:1609.05158.)
    """

    def __init__(self, factor: int, **options: object):
        super().__init__(**options)
        self.factor = factor

    def call(self, maps: keras.KerasTensor) -> keras.KerasTensor:
        batch, height, width = ops.shape(maps)[:3]
        factor, features = self.factor, maps.shape[-1] // self.factor**2
        maps = ops.reshape(maps, (batch, height, width, factor, factor, features))
        maps = ops.transpose(maps, (0, 1, 3, 2, 4, 5))
        return ops.reshape(maps, (batch, height * factor, width * factor, features))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        size = [edge and edge * self.factor for edge in input_shape[1:3]]
        return (input_shape[0], *size, input_shape[-1] // self.factor**2)

    def get_config(self) -> dict:
        return super().get_config() | {"factor": self.factor}


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
