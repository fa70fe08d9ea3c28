"""A network that works where the information is: its body at a quarter of the resolution.

Images are band-limited: convolutions of few features at full resolution cost much and see little.
Two strided convolutions lead to a quarter of the resolution. The body has residual blocks there, at
an eighth and at a sixteenth, joined by additions on the way up; the maps become pixels again by
sub-pixel convolution. (Shi et al., arXiv:1609.05158; residual blocks as by He et al.,
arXiv:1603.05027, without normalisation.)
"""

from atomsight.learning.networks.parts import OF_IMAGE, Maps, Parts

#: Features at each level of the body, in units of the network's; and residual blocks, down and up.
WIDTHS, DOWN, UP = (1, 3, 4), (1, 2, 3), (2, 2)

#: A residual branch begins this much smaller than what it is added to; with 1, high learning rates
#: blow the network up.
_FIRST_GAIN = 0.1


def describe(parts: Parts, features: int, frames: int, classes: int) -> tuple[Maps, Maps]:
    """Describe the network with ``features`` at a quarter of the resolution.

    Gives its image and its logits.
    """
    image = parts.image(frames)
    half = features // 2
    maps = parts.convolution(image, half, "stem_half", kernel_size=6, stride=2, variance=OF_IMAGE)
    levels = []
    widths = [width * features for width in WIDTHS]
    for level, (width, blocks) in enumerate(zip(widths, DOWN, strict=True)):
        size = 2 if level else 4
        maps = parts.convolution(maps, width, f"down_{level}", kernel_size=size, stride=2)
        maps = _blocks(parts, maps, width, blocks, f"down_{level}")
        levels.append(maps)
    for level in reversed(range(len(UP))):
        maps = _enlarged(parts, maps, widths[level], f"up_{level}")
        maps = parts.add(maps, levels[level], f"join_{level}")
        maps = _blocks(parts, maps, widths[level], UP[level], f"up_{level}")
    maps = _enlarged(parts, maps, half, "head")
    maps = parts.convolution(maps, half, "head_half")
    logits = parts.classify(maps, 4 * classes, kernel_size=3)
    return image, parts.unfold(logits, "logits", dtype="float32")


def _blocks(parts: Parts, maps: Maps, features: int, count: int, name: str) -> Maps:
    for index in range(count):
        inner = parts.convolution(maps, features, f"{name}_residual_{index}_first")
        inner = parts.convolution(
            inner, features, f"{name}_residual_{index}_last", linear=True, gain=_FIRST_GAIN
        )
        maps = parts.add(maps, inner, f"{name}_bypass_{index}")
    return maps


def _enlarged(parts: Parts, maps: Maps, features: int, name: str) -> Maps:
    maps = parts.convolution(maps, 4 * features, f"{name}_wide", kernel_size=1)
    return parts.unfold(maps, f"{name}_unfold")
