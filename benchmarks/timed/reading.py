"""Cases of reading: class maps of images, atoms of maps, strain of atoms, sites of a series."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from atomsight.config.analysis import DynamicsSettings, HopSettings, StrainSettings
from atomsight.config.reading import InferenceSettings, SegmentationSettings
from atomsight.materials import bond_A

#: Pixel of the images and the maps, standard deviation of the Gaussian of an atom in maps [Å].
PIXEL_A, SIGMA_A = 0.12, 0.4

BOND_A = bond_A("graphene")
#: Area of an atom of graphene [Å²].
ATOM_A2 = 3 * 3**0.5 / 4 * BOND_A**2


def forward(section: dict, px: int) -> Callable:
    """The network alone, on one image of ``px``² pixels."""
    from timed import networks

    plan = networks.plan_of(section)
    network, image = networks.reader_of(plan), noise(px, plan.frames)
    return lambda: network.predict_on_batch(image)


def maps(section: dict, px: int, **inference: object) -> Callable:
    """From an image to its class maps, as the workflow reads it."""
    from atomsight.reading.inference import normalise_frames, read_image
    from timed import networks

    plan = networks.plan_of(section)
    network, counts = networks.reader_of(plan), np.moveaxis(noise(px, plan.frames)[0], -1, 0) + 9
    reading = InferenceSettings.complete(inference, "inference")
    window_px = plan.training.window_A / PIXEL_A
    return lambda: read_image(network, normalise_frames(counts, window_px), **reading)


def series(section: dict, frames: int, px: int) -> Callable:
    """Class maps of the frames of a series, file to file, one orientation of each."""
    from atomsight.files import layout, sealed
    from map_classes import map_frames
    from timed import networks

    plan = networks.plan_of(section)
    network, folder = networks.reader_of(plan), Path(tempfile.mkdtemp())
    card = SimpleNamespace(
        name="timed",
        class_names=("background", *section["class_names"]),
        site_sigma_A=SIGMA_A,
        thresholds={},
        window_A=plan.training.window_A,
        contrast="either",
        focus_steps_A=(0.0,),
    )
    reading = InferenceSettings.complete({"orientations": 1}, "inference")
    with sealed.create(folder / "frames.h5", {}) as file:
        stored = layout.create_frames(file, (frames, px, px), PIXEL_A, PIXEL_A, [""] * frames)
        for number in range(frames):
            stored[0][number], stored[1][number] = noise(px, 1)[0, ..., 0] + 9, True

    def call() -> None:
        with (
            layout.open_frames(folder / "frames.h5") as given,
            sealed.create(folder / "maps.h5", {}) as file,
        ):
            map_frames(file, given, network, card, "bright", reading)

    return call


def libraries() -> Callable:
    """What a process takes that only loads the libraries of the networks."""
    from atomsight.learning import networks

    return lambda: networks


def locate(path: str) -> Callable:
    """From a map to atoms: segmentation, positions, verdict."""
    from atomsight.reading.segmentation import locate_atoms

    density = np.load(path)
    both, chosen = np.stack([1 - density, density], axis=-1), SegmentationSettings()
    names = ("background", "atom")
    return lambda: locate_atoms(both, PIXEL_A, names, SIGMA_A, chosen)


def load(path: str) -> Callable:
    """Read a file from the disk, or from what the system keeps of it."""
    return lambda: np.load(path)


def peaks(path: str) -> Callable:
    """The local maxima of a map by scikit-image, refined to the vertex of a parabola."""
    from atomsight.evaluation.peaks import Filter, find_peaks

    density = np.load(path)
    return lambda: find_peaks(density, PIXEL_A, Filter("gaussian", 0.12), 0.7)


def strain(atoms: int) -> Callable:
    """Bonds, rings and strain of the atoms of one image."""
    from atomsight.analysis.strain import TEMPLATES
    from measure_strain import measure_frames

    chosen = StrainSettings()
    table = pd.DataFrame(sheet_A((atoms * ATOM_A2) ** 0.5), columns=["x_A", "y_A"])
    table = table.assign(frame=0, atom=np.arange(len(table)))
    template = TEMPLATES[chosen.template](BOND_A)
    return lambda: measure_frames(table, template, chosen.max_rmsd)


def neighbours(atoms: int) -> Callable:
    """The nearest neighbours of the atoms alone."""
    positions_A = sheet_A((atoms * ATOM_A2) ** 0.5)
    return lambda: cKDTree(positions_A).query(positions_A, k=10)


def sites(frames: int, count: int) -> Callable:
    """Sites of a series, their occupancy and hop rates."""
    from atomsight.analysis.dynamics import detection_errors, hops
    from atomsight.analysis.dynamics.drift import Columns
    from atomsight.analysis.dynamics.sites import find_sites, site_table

    seen_A, frame = detections(frames, count)
    edge = int(np.ceil(seen_A.max() / PIXEL_A)) + 60
    columns = Columns(frame, seen_A, (frames, edge, edge), PIXEL_A)
    drift = pd.DataFrame({"x_A": np.zeros(frames), "y_A": 0.0, "used": True})
    errors = detection_errors.DetectionErrors(1000.0, 2.0, 38.0, 1.0, 99.0)

    def call() -> None:
        found = find_sites(columns, drift, DynamicsSettings())
        site_table(found)
        hops.fit_hops(found.occupied, errors, HopSettings())

    return call


def nearest_sites(frames: int, count: int) -> Callable:
    """The nearest site of every column alone."""
    seen_A, _ = detections(frames, count)
    places_A = seen_A[:count]
    return lambda: cKDTree(places_A).query(seen_A)


def detections(frames: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns 2.5 Å apart, seen in 95 % of the frames (N, 2) [Å], and their frames (N,)."""
    rng = np.random.default_rng(0)
    edge = int(np.ceil(count**0.5))
    places_A = 5 + 2.5 * np.stack(np.divmod(np.arange(count), edge), axis=1)
    frame, site = np.nonzero(rng.random((frames, count)) < 0.95)
    return places_A[site] + rng.normal(0, 0.05, (len(site), 2)), frame


def noise(px: int, frames: int) -> np.ndarray:
    """An image without contrast (1, px, px, frames): what a network makes of it costs the same."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(1, px, px, frames)).astype("float32")


def sheet_A(edge_A: float) -> np.ndarray:
    """Atoms of a square sheet of graphene, each off its place by 0.03 Å, (N, 2) [Å]."""
    cell_A = BOND_A * np.array([3**0.5, 3])
    cell = cell_A * [[0, 0], [1 / 2, 1 / 6], [1 / 2, 1 / 2], [0, 2 / 3]]
    corners = np.stack(np.meshgrid(*(np.arange(edge_A // one + 1) for one in cell_A)), axis=-1)
    places_A = (corners.reshape(-1, 1, 2) * cell_A + cell).reshape(-1, 2)
    places_A = places_A[(places_A < edge_A).all(axis=1)]
    return places_A + np.random.default_rng(0).normal(0, 0.03, places_A.shape)


def write_image(path: str, px: int) -> Callable:
    """Write a calibrated TIFF of ``px``² pixels: a sheet of bright atoms at 10⁴ e/Å²."""
    from atomsight.phantoms.acquisition import write_acquisition

    centres = sheet_A(px * PIXEL_A) / PIXEL_A
    bright = 0.3 * sum_of_gaussians(px, centres, 0.45 / PIXEL_A)
    electrons = 1e4 * PIXEL_A**2 * (0.9 + bright)
    counts = np.random.default_rng(0).poisson(electrons).astype("uint16")
    write_acquisition(path, counts, PIXEL_A)
    return lambda: None


def write_map(path: str, px: int) -> Callable:
    """Write the map of a sheet that fills an image of ``px``² pixels."""
    centres = sheet_A(px * PIXEL_A) / PIXEL_A
    density = sum_of_gaussians(px, centres, SIGMA_A / PIXEL_A)
    np.save(path, np.minimum(density, 1).astype("float32"))
    return lambda: None


def sum_of_gaussians(px: int, centres: np.ndarray, sigma: float) -> np.ndarray:
    """Sum of Gaussians of amplitude one around centres (S, 2) in an image of ``px``² pixels."""
    from scipy import sparse

    reach = np.arange(-np.ceil(4 * sigma), np.ceil(4 * sigma) + 1)
    profiles = []
    for along in centres.T:
        pixels = np.rint(along)[:, None] + reach
        inside = (pixels >= 0) & (pixels < px)
        values = np.exp(-0.5 * ((pixels - along[:, None]) / sigma) ** 2)[inside]
        places = np.nonzero(inside)[0], pixels[inside].astype(int)
        profiles.append(sparse.csr_array((values, places), shape=(len(centres), px)))
    along_y, along_x = profiles
    return (along_y.T @ along_x).toarray()
