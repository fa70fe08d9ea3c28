"""Cases of other people's programs, on the same work; they run in an environment of their own.

Nothing here imports this project. ``build`` makes the environment, ``requirements.txt`` beside this
file says what is in it.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np

#: Of AtomAI's locator; its own is 0.5.
THRESHOLDS = (0.2, 0.3, 0.4, 0.5)

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def build(folder: Path) -> str:
    """Make the environment unless it is there; gives its Python."""
    python = folder / "bin" / "python"
    done = folder / "installed.txt"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if not (done.exists() and done.read_text(encoding="utf-8") == wanted):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS]
        subprocess.run(pip, check=True)
        done.write_text(wanted, encoding="utf-8")
    return str(python)


def atomai() -> object:
    """Import AtomAI without torchvision, which its U-Net does not use.

    A build of torchvision for GPUs does not load beside a PyTorch for processors.
    """
    without = ("torchvision", "torchvision.models", "torchvision.utils")
    sys.modules.update(dict.fromkeys(without, mock.MagicMock()))
    import atomai

    return atomai


def unet(weights: int) -> object:
    """AtomAI's U-Net with about so many weights, as its Segmentor makes it."""
    models = atomai().models
    sizes = {filters: count(models.Segmentor("Unet", nb_filters=filters)) for filters in (8, 16)}
    # The number of weights grows as the square of the filters.
    filters = max(1, round(16 * (weights / sizes[16]) ** 0.5))
    return models.Segmentor("Unet", nb_filters=filters)


def count(segmentor: object) -> int:
    """Number of weights of a model of AtomAI."""
    return sum(one.numel() for one in segmentor.net.parameters())


def atomai_steps(weights: int, batch: int, px: int, count: int) -> Callable:
    """Steps of AtomAI's training: forward and backward pass, Adam; no imaging."""
    import torch

    segmentor = compiled(unet(weights))
    images, truth = torch.randn(batch, 1, px, px), torch.rand(batch, 1, px, px)
    return lambda: [segmentor.train_step(images, truth) for _ in range(count)]


def compiled(segmentor: object) -> object:
    """Let AtomAI choose its loss and its optimizer; data are given step by step."""
    made_up = np.eye(16, dtype="float32")[None]
    segmentor.compile_trainer((made_up,) * 4, batch_size=1, training_cycles=1)
    return segmentor


def atomai_predict(weights: int, px: int) -> Callable:
    """AtomAI's map of an image, without coordinates."""
    segmentor, image = unet(weights), np.random.default_rng(0).normal(size=(px, px))
    return lambda: segmentor.predict(image.astype("float32"), compute_coords=False, norm=False)


def atomap(path: str, bond_px: float) -> Callable:
    """Atomap: peaks of a map, refined to their centre of mass."""
    import atomap.api
    import hyperspy.api

    signal = hyperspy.api.signals.Signal2D(np.load(path))

    def call() -> None:
        found = atomap.api.get_atom_positions(signal, separation=int(bond_px / 2), pca=False)
        sublattice = atomap.api.Sublattice(found, signal.data)
        sublattice.find_nearest_neighbors()
        sublattice.refine_atom_positions_using_center_of_mass(show_progressbar=False)

    return call


def trackpy(path: str, bond_px: float) -> Callable:
    """Trackpy: features of a map, refined to their centre of mass."""
    import trackpy

    density, diameter = np.load(path), int(bond_px / 2) * 2 - 1
    return lambda: trackpy.locate(density, diameter, minmass=0.1, characterize=False)


def atomai_train(folder: str, weights: int, cpu_minutes: float) -> Callable:
    """Train AtomAI's U-Net on examples, and read images with it.

    The folder holds ``examples.npy`` and ``truth.npy`` (N, H, W), in batches of four, and
    ``images.npy`` (D, H, W). To it go ``maps.npy``, the coordinates of AtomAI's own locator at
    several thresholds, ``found_<image>_<threshold>.npy``, and ``seconds.npy``, of reading one image
    and of locating in one. The learning rate falls as a cosine, from AtomAI's own. Gives the number
    of steps that took so many minutes of a processor.
    """
    import torch

    place = Path(folder)
    examples, truth = (
        np.load(place / f"{name}.npy", mmap_mode="r") for name in ("examples", "truth")
    )
    images = np.load(place / "images.npy")
    segmentor = compiled(unet(weights))
    locator = atomai().predictors.Locator

    def call() -> int:
        begin, steps, done = time.process_time(), 0, 0.0
        while done < 1:
            for group in segmentor.optimizer.param_groups:
                group["lr"] = 5e-4 * (1 + np.cos(np.pi * done))
            first = 4 * steps % len(examples)
            batch = (one[first : first + 4, None].copy() for one in (examples, truth))
            segmentor.train_step(*map(torch.from_numpy, batch))
            steps += 1
            done = (time.process_time() - begin) / (60 * cpu_minutes)
        read, located, maps = [], [], []
        for number, image in enumerate(images):
            begin = time.perf_counter()
            maps.append(segmentor.predict(image, compute_coords=False, norm=False)[0])
            read.append(time.perf_counter() - begin)
            for threshold in THRESHOLDS:
                begin = time.perf_counter()
                found = locator(threshold, dist_edge=0).run(maps[-1][None])[0][:, :2]
                located.append(time.perf_counter() - begin)
                np.save(place / f"found_{number}_{threshold}.npy", found)
        np.save(place / "maps.npy", np.stack(maps)[..., 0])
        np.save(place / "seconds.npy", [np.median(read), np.median(located)])
        return steps

    return call
