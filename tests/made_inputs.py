"""Small files for every script: a movie of a sheet of graphene, maps of it, and models."""

import importlib
import json
import shutil
from pathlib import Path

import numpy as np
import tifffile
from ase.build import graphene
from made_models import ATOM_CARD, COLUMN_CARD, ranges, save_tiny_model
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from atomsight.analysis.bonds import orientational_correlation
from atomsight.files import layout, sealed
from atomsight.files.records import Structure

FRAMES, SIDE, PIXEL_A, SIGMA_A = 4, 128, 0.2, 0.4
DRIFT_A = np.array([0.3, -0.2])
RANGES = ranges(defocus_A=[-90, -80], cs_um=[-12, -11], dose_e_per_A2=[100, 2000])

READ_ONCE = '--inference {"orientations":1}'


def settings(**values: object) -> str:
    """Write ``--settings`` with no space in the values."""
    return "--settings " + json.dumps(values, separators=(",", ":"))


def add(line: str, more: str) -> str:
    """Add arguments to a run; further settings go into those it has."""
    head, _, had = line.partition(" --settings ")
    if not (had and more.startswith("--settings ")):
        return f"{line} {more}"
    return f"{head} {settings(**json.loads(had) | json.loads(more.removeprefix('--settings ')))}"


def is_file(word: str) -> bool:
    """Tell a file from an option, JSON and a number."""
    return word[0] not in "-{[" and "." in word and not word.replace(".", "").isdigit()


def run(line: str, folder: Path) -> int:
    """Run a script on files of a folder; every argument stands after a space."""
    script, *words = line.split(" ")
    return importlib.import_module(script).main(
        [
            str(folder / word) if is_file(word) or (folder / word[:99]).exists() else word
            for word in words
        ]
    )


def flat_molecule(sites_A: list, size_A: tuple[float, float], number: int = 6) -> Structure:
    """Atoms of one element in the middle of a box 4 Å high."""
    positions = np.insert(np.array(sites_A, float), 2, 2, axis=1)
    numbers, classes = np.full((2, len(positions)), [[number], [1]])
    return Structure(positions, numbers, np.array([*size_A, 4.0]), positions[:, :2], classes)


def intensity_at(image: np.ndarray, positions_A: np.ndarray, pixel_size_A: float) -> np.ndarray:
    """An image between its pixels, at positions (x, y)."""
    return map_coordinates(image.astype(float), positions_A.T[::-1] / pixel_size_A, order=3)


def neighbours_A(positions_A: np.ndarray, count: int = 1, box_A: object = None) -> np.ndarray:
    """Distances of every atom to those nearest to it, in a box that may be periodic."""
    return cKDTree(positions_A, boxsize=box_A).query(positions_A, k=count + 1)[0][:, 1:]


def order(sheets: list[Structure], distances_A: tuple[float, ...], bond_A: float) -> np.ndarray:
    """Mean orientational correlation of periodic sheets at some distances."""
    return np.mean(
        [
            orientational_correlation(one.sites, distances_A, bond_A, one.cell_A[0])
            for one in sheets
        ],
        axis=0,
    )


def pairs_within(
    positions_A: np.ndarray, reach_A: float, box_A: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of atoms no further apart than this in a periodic box, and their distances."""
    pairs = cKDTree(positions_A, boxsize=box_A).query_pairs(reach_A, output_type="ndarray")
    apart = np.diff(positions_A[pairs], axis=1)[:, 0]
    return pairs, np.linalg.norm(apart - box_A * np.round(apart / box_A), axis=1)


def write_inputs(folder: Path) -> None:
    """Write what no script makes: in every other frame one atom is missing."""
    sites_A = 5 + graphene(a=np.sqrt(3) * 1.42, size=(6, 5, 1)).positions[:, :2]
    y, x = np.indices((SIDE, SIDE)) * PIXEL_A
    maps = np.zeros((FRAMES, SIDE, SIDE))
    for frame in range(FRAMES):
        for number, (site_x, site_y) in enumerate(sites_A + frame * DRIFT_A):
            if number != 20 or frame % 2:
                square = (x - site_x) ** 2 + (y - site_y) ** 2
                maps[frame] += np.exp(-square / (2 * SIGMA_A**2))
    images = np.random.default_rng(1).poisson(50, maps.shape) + 40 * maps
    tifffile.imwrite(folder / "image.tif", images.astype("float32"), photometric="minisblack")
    maps = np.clip(maps, 0, 1)
    write_maps(folder / "maps.h5", {"b": 1 - maps, "C": maps})
    heights = {"1": 0.8 * maps, "2": 0.2 * maps, "3": 0 * maps}
    write_maps(folder / "height_maps.h5", {"b": 1 - maps} | heights)
    (folder / "errors.csv").write_text(
        "dose_e_per_A2,miss_alpha,miss_beta,false_alpha,false_beta\n300,2,38,1,99\n3000,2,98,1,99\n"
    )
    (folder / "polygon.json").write_text("[[4, 4], [12, 4], [12, 12]]")
    save_tiny_model(folder / "reader", ATOM_CARD.but(pixel_size_A=(0.15, 0.25)))
    save_tiny_model(folder / "graphene_model", ATOM_CARD.but(microscope=RANGES))
    save_tiny_model(folder / "gold", COLUMN_CARD)
    three = ranges(focal_series={"steps_A": [-70, 0, 70]})
    of_three = {"frames": 3, "contrast": "either", "microscope": three, "pixel_size_A": (0.1, 0.3)}
    heights = ("background", "1", "2", "3")
    save_tiny_model(folder / "gold_heights", COLUMN_CARD.but(class_names=heights, **of_three))
    species = {"material": "mos2", "class_names": ("background", "Mo", "S2", "S")}
    save_tiny_model(folder / "mos2", ATOM_CARD.but(**species, **of_three))


def write_maps(path: Path, classes: dict[str, np.ndarray]) -> None:
    limits = {"background_limit": 0.9, "min_existence": 0.5}
    shape = (FRAMES, SIDE, SIDE, len(classes))
    with sealed.create(path, {}) as file:
        stored = layout.create_maps(file, shape, PIXEL_A, tuple(classes), SIGMA_A, limits)
        stored[...] = np.stack(list(classes.values()), axis=-1)


class Place:
    """A folder of inputs in which runs are made when asked for, after those whose files they read.

    A file is written by the run that is the first of all to name it, unless it is an input.
    """

    def __init__(self, folder: Path, runs: list[str]):
        self.folder = folder
        write_inputs(folder)
        self.inputs = {path.name for path in folder.iterdir()}
        self.first: dict[str, str] = {}
        for line in runs:
            for word in filter(is_file, line.split(" ")):
                self.first.setdefault(word, line)
        self.made: dict[str, dict[str, bytes]] = {}

    def writes(self, line: str) -> list[str]:
        return [
            word for word, first in self.first.items() if first == line and word not in self.inputs
        ]

    def reads(self, line: str) -> list[str]:
        words = dict.fromkeys(line.split(" ")[1:])
        return [
            word
            for word in words
            if word in self.inputs or (is_file(word) and self.first[word] != line)
        ]

    def make(self, line: str) -> dict[str, bytes]:
        """Make a run, and give what it wrote."""
        if line not in self.made:
            self.make_before(line)
            before = set(self.folder.iterdir())
            if run(line, self.folder):
                raise RuntimeError(f"this run failed: {line}")
            new = set(self.folder.iterdir()) - before
            self.made[line] = {path.name: path.read_bytes() for path in new if path.is_file()}
        return self.made[line]

    def make_before(self, line: str) -> None:
        for word in self.reads(line):
            if word not in self.inputs:
                self.make(self.first[word])

    def lay_out(self, line: str, folder: Path) -> None:
        """Copy what a run reads to another folder, with older files where it writes."""
        self.make_before(line)
        for word in self.reads(line):
            source = self.folder / word
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / word)
        for word in self.writes(line):
            (folder / word).write_bytes(b"older")
