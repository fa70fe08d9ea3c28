"""Sheets of graphene made for the tests of figures, and files of them."""

import dataclasses
from pathlib import Path

import ase.build
import made_recordings
import numpy as np
import pandas as pd

from atomsight.figures import strain
from atomsight.files import layout, provenance
from atomsight.files.records import Waves
from atomsight.materials import graphene

MICROSCOPES = Path(__file__).parents[2] / "config" / "microscopes"
PIXEL_A = 0.12

#: A model of graphene that learns from small images.
SECTION = {
    "material": "graphene",
    "microscope": str(MICROSCOPES / "titan_80kv_bright.yaml"),
    "training": {"image_px": 48, "site_sigma_A": 0.4, "window_A": 6.0},
}


def lattice(size_A):
    """Atoms of graphene in a square."""
    atoms = ase.build.graphene(a=1.42 * np.sqrt(3), size=(80, 80, 1)).positions[:, :2]
    return atoms[((atoms > 0) & (atoms < size_A)).all(axis=1)]


def row(shape=(160, 160), **changes):
    rng = np.random.default_rng(1)
    atoms = lattice(shape[0] * PIXEL_A)
    planar = np.where(atoms[:, 0] < 3, np.nan, 0.01 * np.sin(atoms[:, 1]))
    made = strain.SeriesRow(
        name="sheet",
        notes="a sheet",
        image=rng.poisson(20, shape).astype("float32"),
        usable=np.ones(shape, bool),
        foreground=rng.random(shape, "float32"),
        pixel_size_A=PIXEL_A,
        atoms=pd.DataFrame({"x_A": atoms[:, 0], "y_A": atoms[:, 1], "planar": planar}),
        bond_lengths_A=rng.normal(1.42, 0.03, 400),
        rings=pd.DataFrame({"x_A": [9.0, 5.0], "y_A": [8.0, 4.0], "size": [5, 7]}),
    )
    return dataclasses.replace(made, **changes)


def write_row(folder):
    """Write what the steps before the figure of strain write of two frames, the second empty."""
    made = row()
    paths = {name: str(folder / f"{name}.h5") for name in ("frames", "maps", "strain")}
    made_recordings.write_frames(paths["frames"], np.stack([made.image] * 2), PIXEL_A)
    maps = made_recordings.with_background(np.stack([made.foreground] * 2))
    made_recordings.write_maps(paths["maps"], maps, PIXEL_A, ["atom"])
    found = {"strain": made.atoms, "rings": made.rings}
    found["bonds"] = pd.DataFrame({"length_A": made.bond_lengths_A})
    found = {name: table.assign(frame=0) for name, table in found.items()}
    made_recordings.write_tables(paths["strain"], {}, **found)
    return paths


HOLES = {"max_holes": 0, "hole_radius_A": (4.0, 5.0)}
SETTINGS = graphene.Settings(
    size_A=24.0,
    lloyd_steps=(40, 50),
    grain_share=0.0,
    density_variation=0.0,
    max_defects=0.0,
    **HOLES,
)


def seed_of(number):
    return np.random.SeedSequence(5).spawn(number + 1)[number]


def make(number, **changes):
    settings = SETTINGS.but(**changes)
    return graphene.make_structure(settings, np.random.default_rng(seed_of(number)))


def write_structures(folder):
    """Write two shards of two structures, as make_structures.py does."""
    section = SETTINGS.but(max_holes=4).model_dump()
    made_by = provenance.made_by("make_structures.py", section, 5, material="graphene")
    structures = [make(number, max_holes=4) for number in range(4)]
    return made_recordings.write_structures(folder, structures, made_by)


def waves():
    """Two waves in vacuum, with a grid of sites for the truth."""
    spectra = np.zeros((2, 1, 15, 15), np.complex64)
    spectra[..., 7, 7] = 1
    sites = 3.0 * np.stack(np.mgrid[:4, :4], axis=-1).reshape(-1, 2)
    return Waves(spectra, (12.0, 12.0), 80e3, (sites,) * 2, (np.ones(len(sites), int),) * 2)


def write_waves(folder):
    """Write them as simulate_waves.py does."""
    made, path = waves(), str(folder / "waves.h5")
    each = zip(made.spectra, made.sites, made.classes, strict=True)
    layout.write_waves(path, each, made.cell_A, made.energy_eV, {})
    return path
