"""A small series of sites made for the tests of figures, and files of it."""

import made_recordings
import numpy as np
import pandas as pd

from atomsight.analysis.dynamics.sites import Sites, site_table
from atomsight.figures.parts.series_tables import Recording, SiteSeries, Substrate
from atomsight.files import sealed
from atomsight.phantoms import sequences

PIXEL_A = 0.2
SIZE_PX = 250
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


def make_series(frames=40, name="vacuum", notes="", rates=True, speed=1.0, seed=0, faint_sites=0):
    """A series whose outermost sites hop, some of them fast, and the first of them are faint."""
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
    masked = positions[:, 1] > 35.5
    mask = np.tile(np.arange(SIZE_PX)[:, None] * PIXEL_A > 35.5, SIZE_PX)
    mean = image_of(positions).astype("float32")
    mean[:2] = np.nan
    estimate = np.where(dynamic, hop * rng.lognormal(0, 0.2, count), 0.002) if rates else np.nan
    faint = np.zeros(count, bool)
    faint[np.flatnonzero(dynamic & ~masked)[:faint_sites]] = True
    p_occupied[faint] = np.nan
    estimate = np.where(masked | faint, np.nan, estimate)
    sites = site_table(Sites(positions, occupied)).assign(
        masked=masked,
        hop_rate=estimate,
        hop_rate_low=0.6 * estimate,
        hop_rate_high=1.6 * estimate + 0.01,
        faint=faint,
        hopping=(estimate > 0.04) & ~masked,
    )
    steps = np.append(np.zeros((1, 2)), rng.normal(0.04, 0.12, (frames - 1, 2)), axis=0)
    drift = pd.DataFrame(steps.cumsum(axis=0), columns=["x_A", "y_A"])
    drift = drift.assign(frame=np.arange(frames), used=used)
    substrate = Substrate(mean, mask, PIXEL_A, (0.0, 0.0), "automatic")
    series = SiteSeries(name, notes, sites, occupied, p_occupied, drift, 316.0, 0.95, substrate)
    return series, sites.assign(dynamic=dynamic, true_hop_rate=hop)


def recording(columns=None, size_px=SIZE_PX):
    """A frame with columns; they are not seen in it, for no figure compares the two."""
    image = np.random.default_rng(0).poisson(5, (size_px, size_px)).astype(float)
    columns = lattice() if columns is None else columns
    return Recording(0, image, image / image.max(), PIXEL_A, columns)


def write(series, folder, count=3):
    """Write what the steps before the figures write, of the first frames what is of each."""
    kinds = ("frames", "maps", "atoms", "sites", "substrate")
    paths = {kind: str(folder / f"{kind}.h5") for kind in kinds}
    offsets = series.drift[["x_A", "y_A"]].to_numpy()
    found = [series.positions[series.occupied[:, n] == 1] + offsets[n] for n in range(count)]
    clean = np.stack([image_of(positions) for positions in found])
    maps = made_recordings.with_background(np.clip(1.2 * (clean - 1.1), 0, 1))
    atoms = pd.DataFrame(np.concatenate(found), columns=["x_A", "y_A"])
    atoms["frame"] = np.repeat(np.arange(count), [len(part) for part in found])
    images = np.random.default_rng(1).poisson(6 * clean)
    made_recordings.write_frames(paths["frames"], images, PIXEL_A)
    made_recordings.write_maps(paths["maps"], maps, PIXEL_A, ["column"])
    made_recordings.write_tables(paths["atoms"], {"frame_shape": clean.shape}, atoms=atoms)
    attributes = {"pixel_size_A": PIXEL_A, "dose_e_per_A2": 316.0, "confidence": 0.95}
    tables = {"sites": series.sites, "drift": series.drift}
    made_recordings.write_tables(paths["sites"], attributes, **tables)
    with sealed.change(paths["sites"]) as file:
        file["occupied"], file["p_occupied"] = series.occupied, series.p_occupied
    with sealed.create(paths["substrate"], {}) as file:
        file["mean_image"], file["mask"] = series.substrate.mean_image, series.substrate.mask
        file.attrs.update(pixel_size_A=PIXEL_A, corner_A=(0.0, 0.0), source="automatic")
    return paths


def comparison():
    """What compare_series.py writes."""
    names = ["rate", "mean_rate_a", "mean_rate_b", "ratio", "ratio_low", "ratio_high", "p_value"]
    hops, events = (0.021, 0.043, 2.05, 1.4, 2.9, 0.0004), (0.09, 0.11, 1.22, 1.0, 1.5, 0.06)
    rates = pd.DataFrame([("hmm", *hops), ("raw_events", *events)], columns=names)
    rates = rates.assign(name_a="vacuum", name_b="gas")
    tests = ("wilcoxon", "permutation", "mann_whitney")
    return pd.concat([rates.assign(test=test) for test in tests], ignore_index=True)
