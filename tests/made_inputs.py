"""Small inputs of every script, each made by the script before it where there is one."""

import importlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import tifffile
from ase.build import graphene
from made_models import ATOM_CARD, save_tiny_model

from atomsight.files import layout, sealed

PIXEL_A = 0.2
FRAMES, SIDE = 4, 128
SIGMA_A = 0.4
DRIFT_A = np.array([0.3, -0.2])


def run(script: str, folder: Path, arguments: str) -> int:
    """Run a script on files of a folder, each argument after a space."""
    words = [in_folder(word, folder) for word in arguments.split(" ") if word]
    return importlib.import_module(script).main(words)


def in_folder(word: str, folder: Path) -> str:
    """Complete the path of an argument that is a file of the folder or will be one."""
    is_path = (folder / word).exists() or (word[0] not in "-{[" and "." in word.lstrip("."))
    return str(folder / word) if is_path and not _is_number(word) else word


def _is_number(word: str) -> bool:
    return word.replace(".", "", 1).lstrip("-").isdigit()


def settings(**values: object) -> str:
    """Write ``--settings`` without a space."""
    return "--settings " + json.dumps(values, separators=(",", ":"))


def write_inputs(folder: Path) -> None:
    """Write a drifting sheet of graphene, of which one atom is missing at times, in all stages."""
    sites_A = 5 + graphene(a=np.sqrt(3) * 1.42, size=(6, 5, 1)).positions[:, :2]
    y, x = np.indices((SIDE, SIDE)) * PIXEL_A
    maps = np.zeros((FRAMES, SIDE, SIDE))
    for frame in range(FRAMES):
        for number, (site_x, site_y) in enumerate(sites_A + frame * DRIFT_A):
            if number != 20 or frame % 2:
                square = (x - site_x) ** 2 + (y - site_y) ** 2
                maps[frame] += np.exp(-square / (2 * SIGMA_A**2))
    noise = np.random.default_rng(1).poisson(50, maps.shape)
    tifffile.imwrite(
        folder / "image.tif", (noise + 40 * maps).astype("float32"), photometric="minisblack"
    )
    made(run("import_series", folder, f"image.tif frames.h5 {settings(pixel_size_A=PIXEL_A)}"))
    save_tiny_model(folder / "model", replace(ATOM_CARD, pixel_size_A=(0.15, 0.25)))
    maps = np.clip(maps, 0, 1)
    for name, classes in {
        "maps": {"b": 1 - maps, "C": maps},
        "heights": {"b": 1 - maps, "1": 0.8 * maps, "2": 0.2 * maps, "3": 0 * maps},
    }.items():
        with sealed.create(folder / f"{name}.h5", {}) as file:
            shape = (*maps.shape, len(classes))
            limits = {"background_limit": 0.9, "min_existence": 0.5}
            stored = layout.create_maps(file, shape, PIXEL_A, tuple(classes), SIGMA_A, limits)
            stored[...] = np.stack(list(classes.values()), axis=-1)
    made(run("locate_atoms", folder, "maps.h5 atoms.h5"))
    made(run("locate_atoms", folder, "heights.h5 columns.h5"))
    made(run("correct_drift", folder, "maps.h5 atoms.h5 drift.h5"))
    made(run("mask_substrate", folder, "frames.h5 atoms.h5 drift.h5 substrate.h5"))
    (folder / "errors.csv").write_text(
        "dose_e_per_A2,miss_alpha,miss_beta,false_alpha,false_beta\n300,2,38,1,99\n3000,2,98,1,99\n"
    )
    made(run("follow_sites", folder, "atoms.h5 drift.h5 substrate.h5 sites.h5 sites.csv"))
    made(run("measure_strain", folder, "atoms.h5 strain.csv --hdf5 strain.h5"))


def made(code: int) -> None:
    if code:
        raise RuntimeError("an input of the tests could not be made")
