"""Files of a recording as the steps before the figures write them."""

import numpy as np

from atomsight.files import layout, sealed, tables


def write_frames(path, images, pixel_size_A, focus_A=()):
    """Write images, shape (F, H, W)."""
    names = [f"frame {number}" for number in range(len(images))]
    with sealed.create(path, {}) as file:
        pixel_sizes_A = (pixel_size_A, pixel_size_A)
        stored, usable = layout.create_frames(file, images.shape, *pixel_sizes_A, names, focus_A)
        stored[...], usable[...] = images, True


def with_background(*classes):
    """Maps of classes, shape (..., H, W) each, behind that of the background."""
    return np.stack([1 - np.sum(classes, axis=0), *classes], axis=-1).astype("float32")


def write_maps(path, maps, pixel_size_A, names):
    """Write maps, shape (F, H, W, C), of the background and of the classes that are named."""
    with sealed.create(path, {}) as file:
        names = ("background", *names)
        layout.create_maps(file, maps.shape, pixel_size_A, names, 0.4, {})[...] = maps


def write_tables(path, attributes, **named):
    with sealed.create(path, {}) as file:
        file.attrs.update(attributes)
        for name, table in named.items():
            tables.write_table(file, name, table)


def write_structures(folder, structures, made_by):
    """Write structures by turns to two shards."""
    numbered, paths = list(enumerate(structures)), [str(folder / f"{n}.h5") for n in (0, 1)]
    for shard, path in enumerate(paths):
        layout.write_structures(path, numbered[shard::2], made_by)
    return paths
