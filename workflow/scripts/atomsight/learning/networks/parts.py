"""Parts that a network is described with: connected by Keras, or measured without building it.

A kind of network is one function of the parts (``describe`` of :mod:`.fusion`, :mod:`.subpixel`).
:class:`KerasParts` makes the network of it; :class:`MeasuredParts` follows, from layer to layer,
how far a pixel sees, and counts weights and arithmetic.
"""

import math
from dataclasses import dataclass, replace

import keras
from keras import layers

from atomsight.learning.networks.layers import (
    SLOPE,
    BilinearUpsampling,
    DepthToSpace,
    StandardisedConvolution,
)

#: Variance of a layer's kernel times its fan-in, for outputs of unit variance: for the image, for
#: the output of a leaky ReLU (of slope 0.2, whose variance is 0.418), for the sum of two of these.
OF_IMAGE, OF_ACTIVATION, OF_SUM = 1.0, 1 / 0.418, 0.5 / 0.418


class KerasParts:
    """Connects layers; maps are Keras tensors of shape (B, H, W, features)."""

    def image(self, frames: int) -> keras.KerasTensor:
        return keras.Input((None, None, frames), name="image")

    def convolution(
        self, maps: keras.KerasTensor, features: int, name: str, **options: object
    ) -> keras.KerasTensor:
        """As :class:`StandardisedConvolution`, its variance that of an activation if not given."""
        return StandardisedConvolution(
            features, **({"variance": OF_ACTIVATION} | options), name=name
        )(maps)

    def pool(self, maps: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """Take the largest of two by two pixels."""
        return layers.MaxPooling2D(2, name=name)(maps)

    def upsample(self, maps: keras.KerasTensor, features: int, name: str) -> keras.KerasTensor:
        """Double the size by a transposed convolution."""
        return layers.Conv2DTranspose(
            features,
            4,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer=BilinearUpsampling(),
            name=name,
        )(maps)

    def unfold(self, maps: keras.KerasTensor, name: str, **options: object) -> keras.KerasTensor:
        """Double the size by taking features for pixels."""
        return DepthToSpace(2, name=name, **options)(maps)

    def add(
        self, maps: keras.KerasTensor, others: keras.KerasTensor, name: str
    ) -> keras.KerasTensor:
        return layers.Add(name=name)([maps, others])

    def classify(
        self, maps: keras.KerasTensor, classes: int, kernel_size: int
    ) -> keras.KerasTensor:
        """Logits, in float32 whatever the precision of the network."""
        return layers.Conv2D(
            classes, kernel_size, padding="same", name="classify", dtype="float32"
        )(maps)


class FoldedParts(KerasParts):
    """The same for use alone: a convolution with a kernel that is standardised already."""

    def convolution(
        self,
        maps: keras.KerasTensor,
        features: int,
        name: str,
        kernel_size: int = 3,
        stride: int = 1,
        linear: bool = False,
        **options: object,
    ) -> keras.KerasTensor:
        convolution = layers.Conv2D(features, kernel_size, stride, padding="same", name=name)
        maps = convolution(maps)
        return maps if linear else layers.LeakyReLU(SLOPE, name=f"{name}_activation")(maps)


@dataclass(frozen=True)
class Extent:
    """Maps as :class:`MeasuredParts` sees them: how many, how fine, and what a pixel depends on."""

    features: int
    pixel: int
    """Edge of a pixel of the maps [pixel of the image]."""
    before: int
    """It depends on so many pixels of the image before those that it covers, ..."""
    after: int
    """... and on so many after them; along either axis."""


@dataclass(frozen=True)
class Measures:
    """What there is to know of a network before it is built."""

    stride: int
    """Edges of images must be multiples of this [pixel]."""
    reach: int
    """A pixel of the output depends on the input no further away than this [pixel]."""
    weights: int
    multiplications: float
    """For one pixel of an image."""
    bytes_per_pixel: int
    """Memory that its maps take at a time, for one pixel of an image that it reads."""


class MeasuredParts:
    """Follows the extent of maps, and counts."""

    def __init__(self):
        self.weights = 0
        self.multiplications = 0.0  # per pixel of the image
        self.stride = 1
        self.widest = 0.0  # features per pixel of the image

    def image(self, frames: int) -> Extent:
        return Extent(frames, 1, 0, 0)

    def convolution(
        self,
        maps: Extent,
        features: int,
        name: str,
        kernel_size: int = 3,
        stride: int = 1,
        **options: object,
    ) -> Extent:
        self.weights += (kernel_size**2 * maps.features + 2) * features
        return self._convolved(maps, features, kernel_size, stride)

    def pool(self, maps: Extent, name: str) -> Extent:
        return self._coarser(maps, 2)

    def upsample(self, maps: Extent, features: int, name: str) -> Extent:
        self.weights += 16 * maps.features * features
        self.multiplications += 16 * maps.features * features / maps.pixel**2
        reach = {"before": maps.before + maps.pixel, "after": maps.after + maps.pixel}
        return replace(maps, features=features, pixel=maps.pixel // 2, **reach)

    def unfold(self, maps: Extent, name: str, **options: object) -> Extent:
        half = maps.pixel // 2
        # Of four pixels that a coarser one becomes, the last sees half of it before its own.
        reach = {"before": maps.before + half, "after": maps.after + half}
        return replace(maps, features=maps.features // 4, pixel=half, **reach)

    def add(self, maps: Extent, others: Extent, name: str) -> Extent:
        reach = {
            "before": max(maps.before, others.before),
            "after": max(maps.after, others.after),
        }
        return replace(maps, **reach)

    def classify(self, maps: Extent, classes: int, kernel_size: int) -> Extent:
        self.weights += (kernel_size**2 * maps.features + 1) * classes
        return self._convolved(maps, classes, kernel_size, 1)

    def measures(self, logits: Extent) -> Measures:
        reach = max(logits.before, logits.after)
        # What goes into a block, into a convolution and out of it, and what skips it; and logits.
        numbers = 4 * self.widest + 4 * logits.features
        return Measures(
            self.stride, reach, self.weights, self.multiplications, math.ceil(4 * numbers)
        )

    def _convolved(self, maps: Extent, features: int, kernel_size: int, stride: int) -> Extent:
        coarser = self._coarser(maps, stride)
        self.widest = max(self.widest, features / coarser.pixel**2)
        self.multiplications += kernel_size**2 * maps.features * features / coarser.pixel**2
        # The padding of "same", which is uneven for an odd sum.
        padding = max(kernel_size - stride, 0)
        reach = {
            "before": maps.before + padding // 2 * maps.pixel,
            "after": maps.after + (padding - padding // 2) * maps.pixel,
        }
        return replace(coarser, features=features, **reach)

    def _coarser(self, maps: Extent, stride: int) -> Extent:
        self.stride = max(self.stride, maps.pixel * stride)
        return replace(maps, pixel=maps.pixel * stride)


Maps = keras.KerasTensor | Extent
Parts = KerasParts | MeasuredParts
