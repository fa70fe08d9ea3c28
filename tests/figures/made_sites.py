"""A small series of sites made for the tests of figures, and files of it."""

import made_recordings
import numpy as np
import pandas as pd

from atomsight.analysis.dynamics.sites import Sites, site_table
from atomsight.figures.parts.series_tables import SiteSeries, Substrate
from atomsight.files import sealed
from atomsight.phantoms import sequences

PIXEL_A = 0.2
FIELD_A = 50.0
SIZE_PX = round(FIELD_A / PIXEL_A)
MISS, FALSE = 0.06, 0.01


def lattice():
    """Columns of a particle along 110: a disc that stands on the substrate."""
    rows, columns = np.mgrid[-12:13, -12:13]
    points = np.stack([2.88 * (columns + (rows % 2) / 2), 2.04 * rows], axis=-1).reshape(-1, 2)
    turned = points @ np.array([[0.95, -0.31], [0.31, 0.95]])
    inside = np.linalg.norm(turned, axis=1) < 15.2
    return turned[inside] + np.array([25.0, 24.0])


def image_of(positions):
    """Gaussian columns on a flat background."""
    x = np.arange(SIZE_PX) * PIXEL_A
    across, down = (np.exp(-(((x - places[:, None]) / 0.6) ** 2) / 2) for places in positions.T)
    return 1 + 0.8 * down.T @ across


def make_series(frames=40, name="vacuum", notes="", rates=True, speed=1.0, seed=0):
    """A series whose outermost sites hop, some of them fast; half its drift is along x."""
    rng = np.random.default_rng(seed)
    positions = lattice()
    count = len(positions)
    radius = np.linalg.norm(positions - positions.mean(axis=0), axis=1)
    dynamic = (radius > 13.2) & (rng.random(count) < 0.6)
    hop = np.where(dynamic, speed * rng.uniform(0.03, 0.3, count), 0.0)
    share = np.where(dynamic, rng.uniform(0.3, 0.8, count), 0.5)  # of the time it is occupied
    chains = {"dynamic": dynamic, "p_appear": hop / (2 - 2 * share), "p_vanish": hop / (2 * share)}
    truth = sequences.occupancy(pd.DataFrame(chains), frames, rng)
    seen = np.where(truth, rng.random(truth.shape) > MISS, rng.random(truth.shape) < FALSE)
    occupied = seen.astype(np.int8)
    used = np.ones(frames, bool)
    if frames > 10:
        used[7] = False
        occupied[:, 7] = -1
        occupied[:4, -6:] = -1
    p_occupied = np.full(truth.shape, np.nan, np.float32)
    if rates:
        p_occupied[:] = np.where(dynamic[:, None], 0.1 + 0.8 * seen, 0.999)
    x, y = np.meshgrid(np.arange(SIZE_PX) * PIXEL_A, np.arange(SIZE_PX) * PIXEL_A)
    mask = y > 35.5 + 1.5 * np.sin(x / 6)
    masked = positions[:, 1] > 35.5 + 1.5 * np.sin(positions[:, 0] / 6)
    mean = image_of(positions) + 0.3 * mask * np.sin(2 * x) * np.sin(3 * y)
    mean[:2] = np.nan
    estimate = np.where(dynamic, hop * rng.lognormal(0, 0.2, count), 0.002) if rates else np.nan
    estimate = np.where(masked, np.nan, estimate)
    sites = site_table(Sites(positions, occupied)).assign(
        masked=masked,
        hop_rate=estimate,
        hop_rate_low=0.6 * estimate,
        hop_rate_high=1.6 * estimate + 0.01,
        hopping=(estimate > 0.04) & ~masked,
    )
    steps = np.append(np.zeros((1, 2)), rng.normal(0.04, 0.12, (frames - 1, 2)), axis=0)
    drift = pd.DataFrame(steps.cumsum(axis=0), columns=["x_A", "y_A"])
    drift = drift.assign(frame=np.arange(frames), used=used)
    substrate = Substrate(mean.astype("float32"), mask, PIXEL_A, (0.0, 0.0), "automatic")
    series = SiteSeries(name, notes, sites, occupied, p_occupied, drift, 316.0, 0.95, substrate)
    return series, sites.assign(dynamic=dynamic, true_hop_rate=hop)


def write_sites(series, path):
    """Write what follow_sites.py writes."""
    attributes = {
        "pixel_size_A": PIXEL_A,
        "dose_e_per_A2": series.dose_e_per_A2,
        "confidence": series.confidence,
    }
    made_recordings.write_tables(path, attributes, sites=series.sites, drift=series.drift)
    with sealed.change(path) as file:
        file["occupied"], file["p_occupied"] = series.occupied, series.p_occupied


def write_substrate(series, path):
    """Write what mask_substrate.py writes."""
    made = series.substrate
    with sealed.create(path, {}) as file:
        file["mean_image"], file["mask"] = made.mean_image, made.mask
        file.attrs.update(pixel_size_A=PIXEL_A, corner_A=made.corner_A, source=made.source)


def write_recording(series, folder, count=3):
    """Write the first frames, their maps and the columns found in them, as the steps before do."""
    rng = np.random.default_rng(1)
    paths = {kind: str(folder / f"{kind}.h5") for kind in ("frames", "maps", "atoms")}
    offsets = series.drift[["x_A", "y_A"]].to_numpy()
    found = [series.positions[series.occupied[:, n] == 1] + offsets[n] for n in range(count)]
    clean = np.stack([image_of(positions) for positions in found])
    maps = made_recordings.with_background(np.clip(1.2 * (clean - 1.1), 0, 1))
    atoms = pd.DataFrame(np.concatenate(found), columns=["x_A", "y_A"])
    atoms["frame"] = np.repeat(np.arange(count), [len(part) for part in found])
    made_recordings.write_frames(paths["frames"], rng.poisson(6 * clean), PIXEL_A)
    made_recordings.write_maps(paths["maps"], maps, PIXEL_A, ["column"])
    made_recordings.write_tables(paths["atoms"], {"frame_shape": clean.shape}, atoms=atoms)
    return paths


def comparison():
    """What compare_series.py writes."""
    rates = {
        "rate": ["hmm", "raw_events"],
        "name_a": "vacuum",
        "name_b": "gas",
        "mean_rate_a": [0.021, 0.09],
        "mean_rate_b": [0.043, 0.11],
        "ratio": [2.05, 1.22],
        "ratio_low": [1.4, 1.0],
        "ratio_high": [2.9, 1.5],
        "p_value": [0.0004, 0.06],
    }
    tests = ("wilcoxon", "permutation", "mann_whitney")
    return pd.concat([pd.DataFrame(rates | {"test": test}) for test in tests], ignore_index=True)
