"""The paper's network, FusionNet: all resolutions from that of the image downward.

Three poolings. At each level a convolution, three convolutions bypassed by an addition, and a
convolution, all 3×3 with a leaky ReLU. Max pooling doubles the features on the way down; a
transposed convolution, initialised as bilinear interpolation, halves them on the way up; the two
ways are joined by addition. A 1×1 convolution gives the logits. (The paper, section 2.2; Quan et
al., arXiv:1612.05360.)
"""

from atomsight.learning.networks.parts import (
    OF_ACTIVATION,
    OF_IMAGE,
    OF_SUM,
    Maps,
    Parts,
)

#: Poolings of the network.
POOLINGS = 3


def describe(parts: Parts, features: int, frames: int, classes: int) -> tuple[Maps, Maps]:
    """Describe the network with ``features`` at full resolution; gives its image and its logits."""
    image = parts.image(frames)
    down, maps = [], image
    for level in range(POOLINGS):
        variance = OF_ACTIVATION if level else OF_IMAGE
        maps = _block(parts, maps, features * 2**level, f"down_{level}", variance)
        down.append(maps)
        maps = parts.pool(maps, f"pool_{level}")
    maps = _block(parts, maps, features * 2**POOLINGS, "bridge", OF_ACTIVATION)
    for level in reversed(range(POOLINGS)):
        maps = parts.upsample(maps, features * 2**level, f"up_{level}_upsample")
        maps = parts.add(maps, down[level], f"join_{level}")
        maps = _block(parts, maps, features * 2**level, f"up_{level}", OF_SUM)
    return image, parts.classify(maps, classes, kernel_size=1)


def _block(parts: Parts, maps: Maps, features: int, name: str, variance: float) -> Maps:
    maps = parts.convolution(maps, features, f"{name}_first", variance=variance)
    residual = maps
    for index in range(3):
        residual = parts.convolution(residual, features, f"{name}_residual_{index}")
    maps = parts.add(maps, residual, f"{name}_bypass")
    return parts.convolution(maps, features, f"{name}_last", variance=OF_SUM)
