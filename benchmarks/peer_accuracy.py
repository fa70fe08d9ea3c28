"""Compare how well a model and AtomAI's U-Net find atoms, trained on the same examples for as long.

AtomAI's U-Net of as many weights is trained on examples of the project's own stream, made before,
for as many processor minutes as are given; both read the same images of a specimen that no training
sees. Atoms are found in AtomAI's maps in two ways: by this project's segmentation, and by AtomAI's
own locator, with the threshold that suits the truth of each image best. AtomAI's training is given
two advantages: its examples cost it no time, and it does not stop to validate.

TABLE.csv has a row per reader and dose: f1, precision, recall, rms_error_A along an axis, and
s_per_Mpixel, from the normalised image to the atoms.

Example:
    python benchmarks/peer_accuracy.py accuracy.csv results/models/graphene_laptop/model \\
        results/models/graphene_laptop/waves/*.h5 --specimen results/evaluation/specimen.h5 \\
        --cpu-minutes 12 --peers ~/.cache/atomsight/peers
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import speed
from timed import networks, peers, processes

from atomsight.config.evaluation import EvaluationSettings
from atomsight.config.reading import InferenceSettings, SegmentationSettings
from atomsight.evaluation.atom_scores import score_atoms
from atomsight.evaluation.exposures import noise_seed
from atomsight.files import layout
from atomsight.learning import models
from atomsight.learning.training import TrainingPlan, make_examples
from atomsight.phantoms import acquisition, specimens
from atomsight.reading.inference import normalise_frames, read_image
from atomsight.reading.segmentation import locate_atoms

SCORES = ["f1", "precision", "recall", "rms_error_A"]


def main() -> None:
    given = parse()
    given.table.parent.mkdir(parents=True, exist_ok=True)
    python = peers.build(given.peers.absolute())
    optics = EvaluationSettings().acquisition
    structure, known = specimens.read_specimen(given.specimen)
    truth = acquisition.truth_in_view(structure, known, optics)
    network, card = models.load_reader(given.model)
    images = expose(structure, optics, given.doses, card)
    rows = list(ours(network, card, images, given.doses, truth, optics.pixel_size_A))
    plan = networks.plan_of(speed.section_of(given.section))
    with tempfile.TemporaryDirectory() as folder:
        write_examples(Path(folder), plan, given.waves, given.examples)
        np.save(Path(folder) / "images.npy", images)
        weights = network.count_params()
        task = {"folder": folder, "weights": weights, "cpu_minutes": given.cpu_minutes}
        worker = processes.Worker(python, "peers.atomai_train", task)
        worker.end()
        steps = worker.first["gives"]
        print(f"AtomAI: {steps} steps of four examples", flush=True)
        rows += theirs(Path(folder), card, given.doses, truth, optics.pixel_size_A)
    table = pd.DataFrame(rows)[["who", "dose_e_per_A2", *SCORES, "s_per_Mpixel"]]
    table.to_csv(given.table, index=False, float_format="%.5g")
    print(table.to_string(index=False, float_format=lambda value: f"{value:.4g}"))


def parse() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("table", metavar="TABLE.csv", type=Path, help="the table to write")
    arguments.add_argument("model", metavar="MODEL", type=Path, help="folder of a trained model")
    arguments.add_argument("waves", metavar="WAVES.h5", nargs="+", help="waves it is trained on")
    arguments.add_argument("--specimen", required=True, metavar="FILE.h5", help="what is imaged")
    arguments.add_argument("--peers", type=Path, required=True, help="as of speed.py")
    arguments.add_argument(
        "--cpu-minutes", type=float, required=True, help="of AtomAI's training, of all its cores"
    )
    arguments.add_argument("--section", default="graphene_laptop", help="of the configuration")
    arguments.add_argument("--examples", type=int, default=2400, help="that AtomAI is trained on")
    doses = [316, 1000, 3162, 10000, 100000]
    arguments.add_argument("--doses", type=float, nargs="+", default=doses, help="[e/Å²]")
    return arguments.parse_args()


def expose(structure: object, optics: object, doses: list, card: models.ModelCard) -> np.ndarray:
    """Images of a specimen at several doses, normalised as the model reads them (D, H, W)."""
    intensity = acquisition.image_intensity(structure, optics)
    images = []
    for dose in doses:
        exposure = optics.but(dose_e_per_A2=dose)
        rng = np.random.default_rng(noise_seed([optics.seed], exposure))
        counts = acquisition.expose(intensity, exposure, rng).astype("float32")
        images.append(normalise_frames(counts[None], card.window_A / optics.pixel_size_A)[..., 0])
    return np.stack(images)


def write_examples(folder: Path, plan: TrainingPlan, waves: list[str], count: int) -> None:
    """Write examples of the whole course of a training: normalised images, and where atoms are."""
    read = layout.read_waves(waves)
    examples = make_examples(read, plan)[0]
    shape = (count, plan.training.image_px, plan.training.image_px)
    files = [
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", "float32", shape)
        for name in ("examples", "truth")
    ]
    for first in range(0, count, plan.training.batch):
        images, truth = examples.of(examples.steps * first // count)
        part = slice(first, min(first + plan.training.batch, count))
        files[0][part] = images[: part.stop - first, ..., 0]
        files[1][part] = 1 - truth[: part.stop - first, ..., 0]


def ours(
    network: object,
    card: models.ModelCard,
    images: np.ndarray,
    doses: list,
    truth: acquisition.Truth,
    pixel_size_A: float,
) -> Iterator[dict]:
    """What the model finds, read once and in four orientations."""
    for orientations in (1, 4):
        reading = InferenceSettings.complete({"orientations": orientations}, "inference")
        read_image(network, images[0][..., None], **reading)  # compiles
        for image, dose in zip(images, doses, strict=True):
            begin = time.perf_counter()
            maps = read_image(network, image[..., None], **reading)
            found = positions(maps[..., 0], card, pixel_size_A)
            seconds = time.perf_counter() - begin
            who = f"{card.name}, {orientations} orientations"
            yield row(who, dose, found, truth, 1e6 * seconds / image.size)


def theirs(
    folder: Path,
    card: models.ModelCard,
    doses: list,
    truth: acquisition.Truth,
    pixel_size_A: float,
) -> Iterator[dict]:
    """What is found in AtomAI's maps, by this project's segmentation and by its own locator."""
    maps = np.load(folder / "maps.npy")
    reading, locating = 1e6 * np.load(folder / "seconds.npy") / maps[0].size
    for density, dose in zip(maps, doses, strict=True):
        begin = time.perf_counter()
        found = positions(1 - density, card, pixel_size_A)
        seconds = 1e6 * (time.perf_counter() - begin) / density.size
        yield row("AtomAI, our segmentation", dose, found, truth, reading + seconds)
    for number, dose in enumerate(doses):
        located = (
            np.load(folder / f"found_{number}_{threshold}.npy")[:, ::-1] * pixel_size_A
            for threshold in peers.THRESHOLDS
        )
        rows = [row("AtomAI, its locator", dose, one, truth, reading + locating) for one in located]
        yield max(rows, key=lambda one: one["f1"])


def positions(background: np.ndarray, card: models.ModelCard, pixel_size_A: float) -> np.ndarray:
    """Find the atoms of a map of the background's probability as the workflow does (N, 2) [Å]."""
    maps = np.stack([background, 1 - background], axis=-1)
    chosen = SegmentationSettings.parse(card.thresholds, "segmentation")
    atoms = locate_atoms(maps, pixel_size_A, card.class_names, card.site_sigma_A, chosen)
    return atoms[["x_A", "y_A"]].to_numpy(float)


def row(
    who: str, dose: float, found: np.ndarray, truth: acquisition.Truth, s_per_Mpixel: float
) -> dict:
    scores = score_atoms(found, truth)
    about = {"who": who, "dose_e_per_A2": dose, "s_per_Mpixel": s_per_Mpixel}
    return about | {name: scores[name] for name in SCORES}


if __name__ == "__main__":
    main()
