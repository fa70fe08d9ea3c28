"""Read frames with a network: the probability of every class in every pixel.

The frames of a focal series are read together and give one map.

Example:
    python map_classes.py frames.h5 data/models/graphene maps.h5 --contrast dark
"""

import argparse
import logging
import sys
from typing import TYPE_CHECKING

import numpy as np

from atomsight import command_line
from atomsight.config.reading import InferenceSettings
from atomsight.files import provenance
from atomsight.files.records import Frames

if TYPE_CHECKING:
    import h5py

    from atomsight.learning.models import ModelCard

#: Small images go through the network together, up to so many pixels.
PIXELS_TOGETHER = 2_000_000


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Map one frame, or one focal series, after another."""
    given = parse(argv)
    from atomsight.files import layout, sealed
    from atomsight.learning import backend, models

    section = InferenceSettings.complete(given.settings, "inference")
    card = models.read_card(given.model)
    with layout.open_frames(given.frames) as frames:
        models.check_pixel_size(card, frames.pixel_size_A, given.frames)
        models.check_focus(card, frames.focus_A, given.frames)
        backend.load_keras()
        network, card = models.load_reader(given.model)
        made_by = provenance.made_by("map_classes.py", section, model=card.name)
        with sealed.create(given.output, made_by) as file:
            map_frames(file, frames, network, card, given.contrast, section)


def parse(argv: list[str] | None) -> argparse.Namespace:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("frames", metavar="FRAMES.h5", help="calibrated micrographs")
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model")
    arguments.add_argument("output", metavar="MAPS.h5", help="the class maps")
    arguments.add_argument(
        "--contrast",
        choices=["bright", "dark", "auto"],
        default="auto",
        help="how atoms look on the background; auto: as the network is more confident, "
        "decided on the first frame (default: auto)",
    )
    command_line.add_settings(arguments, "inference", InferenceSettings)
    return arguments.parse_args(argv)


def map_frames(
    file: "h5py.File",
    frames: Frames,
    network: object,
    card: "ModelCard",
    contrast: str,
    section: dict,
) -> None:
    """Map the specimens of a file one by one into an open file.

    ``section`` is the section ``inference`` of the configuration. The contrast matters only to a
    model that knows one contrast.
    """
    from atomsight.files import layout
    from atomsight.learning import models
    from atomsight.reading.inference import chosen_sign, normalise_frames, read_images

    together = frames.frames_per_specimen
    specimens = len(frames.images) // together
    shape = (specimens, *frames.images.shape[1:], len(card.class_names))
    maps = layout.create_maps(
        file, shape, frames.pixel_size_A, card.class_names, card.site_sigma_A, card.thresholds
    )
    window_px = card.window_A / frames.pixel_size_A
    order = models.reading_order(card, frames.focus_A or (0.0,))
    background = np.eye(shape[-1], dtype="float32")[0]  # where no pixel is usable
    sign = None
    group = max(1, PIXELS_TOGETHER // (shape[1] * shape[2]))
    for start in range(0, specimens, group):
        read = range(start, min(start + group, specimens))
        parts = [slice(index * together, (index + 1) * together) for index in read]
        images = np.stack([normalise_frames(frames.images[p][order], window_px) for p in parts])
        if sign is None:
            sign = chosen_sign(network, images[0], card.contrast, contrast)
            looks = "as in the training" if sign > 0 else "inverted"
            logging.info("model %s, contrast %s", card.name, looks)
        found = read_images(network, sign * images, **section)
        for index, part, image_maps in zip(read, parts, found, strict=True):
            usable = np.all(frames.usable[part], axis=0)
            image_maps[~usable] = background
            maps[index] = image_maps
    file.attrs["contrast_sign"] = sign


if __name__ == "__main__":
    sys.exit(main())
