"""A small series of sites made for the tests of figures, and files of it."""

import dataclasses

import numpy as np
import pandas as pd
from matplotlib.text import Text
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

from atomsight.figures.parts.series_tables import SiteSeries, Substrate
from atomsight.files import layout, sealed, tables

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


def image_of(positions, offset=(0.0, 0.0), background=1.0):
    """Gaussian columns on a flat background."""
    x = np.arange(SIZE_PX) * PIXEL_A
    across, down = (
        np.exp(-0.5 * ((x[None] - (positions[:, axis] + offset[axis])[:, None]) / 0.6) ** 2)
        for axis in (0, 1)
    )
    return background + 0.8 * down.T @ across


def make_series(frames=40, name="vacuum", notes="", rates=True, speed=1.0, seed=0):
    """A series whose outermost sites hop, some of them fast; half its drift is along x."""
    rng = np.random.default_rng(seed)
    positions = lattice()
    count = len(positions)
    radius = np.linalg.norm(positions - positions.mean(axis=0), axis=1)
    dynamic = (radius > 13.2) & (rng.random(count) < 0.6)
    hop = np.where(dynamic, speed * rng.uniform(0.03, 0.3, count), 0.0)
    share = np.where(dynamic, rng.uniform(0.3, 0.8, count), 1.0)
    truth = _chains(hop, share, frames, rng)
    occupied = np.where(
        truth, rng.random(truth.shape) > MISS, rng.random(truth.shape) < FALSE
    ).astype(np.int8)
    used = np.ones(frames, bool)
    if frames > 10:
        used[7] = False
        occupied[:, 7] = -1
        occupied[:4, -6:] = -1
    path = np.cumsum(rng.normal(0.04, 0.12, (frames, 2)), axis=0) * (np.arange(frames) > 0)[:, None]
    p_occupied = np.full(truth.shape, np.nan, np.float32)
    if rates:
        kernel = np.array([0.2, 0.6, 0.2])
        smooth = [np.convolve(row, kernel, "same") for row in np.maximum(occupied, 0)]
        p_occupied[:] = np.where(dynamic[:, None], smooth, 0.999)
    x, y = np.meshgrid(np.arange(SIZE_PX) * PIXEL_A, np.arange(SIZE_PX) * PIXEL_A)
    mask = y > 35.5 + 1.5 * np.sin(x / 6)
    masked = positions[:, 1] > 35.5 + 1.5 * np.sin(positions[:, 0] / 6)
    mean = image_of(positions) + rng.normal(0, 0.3 / np.sqrt(frames), mask.shape)
    mean[mask] += 0.3 * np.sin(2 * x[mask]) * np.sin(3 * y[mask])
    mean[:2] = np.nan
    pairs = (occupied[:, 1:] >= 0) & (occupied[:, :-1] >= 0)
    events = ((occupied[:, 1:] != occupied[:, :-1]) & pairs).sum(axis=1)
    estimate = np.where(dynamic, hop * rng.lognormal(0, 0.2, count), 0.002) if rates else np.nan
    estimate = np.where(masked, np.nan, estimate)
    sites = pd.DataFrame({"x_A": positions[:, 0], "y_A": positions[:, 1]}).assign(
        site=np.arange(count),
        masked=masked,
        occurrence=(occupied == 1).sum(axis=1) / (occupied >= 0).sum(axis=1),
        events=events,
        event_rate=events / np.where(pairs.sum(axis=1), pairs.sum(axis=1), np.nan),
        hop_rate=estimate,
        hop_rate_low=0.6 * estimate,
        hop_rate_high=1.6 * estimate + 0.01,
        hopping=(estimate > 0.04) & ~masked,
    )
    drift = pd.DataFrame({"x_A": path[:, 0], "y_A": path[:, 1], "used": used})
    drift = drift.assign(frame=np.arange(frames))
    substrate = Substrate(mean.astype("float32"), mask, PIXEL_A, (0.0, 0.0), "automatic")
    series = SiteSeries(name, notes, sites, occupied, p_occupied, drift, 316.0, 0.95, substrate)
    return series, sites.assign(dynamic=dynamic, true_hop_rate=hop)


def _chains(hop, share, frames, rng):
    """Occupancy of sites that hop at a rate and are occupied for a share of the time."""
    appear = hop / (2 * np.clip(1 - share, 1e-3, 1))
    vanish = hop / (2 * share)
    states = [rng.random(len(hop)) < share]
    for _ in range(frames - 1):
        change = rng.random(len(hop)) < np.where(states[-1], vanish, appear)
        states.append(states[-1] ^ change)
    return np.stack(states, axis=1)


def without_sites(series):
    """The same series with no site found in it."""
    return dataclasses.replace(
        series,
        sites=series.sites[:0],
        occupied=series.occupied[:0],
        p_occupied=series.p_occupied[:0],
    )


def write_sites(series, path):
    """Write what follow_sites.py writes."""
    with sealed.create(path, {}) as file:
        tables.write_table(file, "sites", series.sites)
        tables.write_table(file, "drift", series.drift)
        file["occupied"], file["p_occupied"] = series.occupied, series.p_occupied
        file.attrs.update(
            pixel_size_A=PIXEL_A,
            frame_shape=(len(series.drift), SIZE_PX, SIZE_PX),
            frames_used=len(series.used_frames),
            dose_e_per_A2=series.dose_e_per_A2,
            confidence=series.confidence,
        )


def write_substrate(series, path):
    """Write what mask_substrate.py writes."""
    made = series.substrate
    with sealed.create(path, {}) as file:
        file["mean_image"], file["mask"] = made.mean_image, made.mask
        file["seen"] = np.full(made.mask.shape, len(series.drift))
        file.attrs.update(
            pixel_size_A=made.pixel_size_A, corner_A=made.corner_A, source=made.source
        )


def write_recording(series, folder, count=3):
    """Write the first frames, their maps and the columns found in them, as the steps before do."""
    rng = np.random.default_rng(1)
    paths = [str(folder / f"{series.name}_{kind}.h5") for kind in ("frames", "maps", "atoms")]
    count = min(count, len(series.drift))
    shape = (count, SIZE_PX, SIZE_PX)
    offsets = series.drift[["x_A", "y_A"]].to_numpy()
    found = [series.positions[series.occupied[:, n] == 1] + offsets[n] for n in range(count)]
    with sealed.create(paths[0], {}) as file:
        names = [f"frame {n}" for n in range(count)]
        images, usable = layout.create_frames(file, shape, PIXEL_A, PIXEL_A, names)
        usable[:] = True
        for n in range(count):
            images[n] = rng.poisson(6 * image_of(found[n]))
    with sealed.create(paths[1], {}) as file:
        maps = layout.create_maps(file, (*shape, 2), PIXEL_A, ["background", "column"], 0.4, {})
        for n in range(count):
            foreground = np.clip(1.2 * (image_of(found[n]) - 1.1), 0, 1)
            maps[n] = np.stack([1 - foreground, foreground], axis=-1)
    atoms = pd.DataFrame(np.concatenate(found), columns=["x_A", "y_A"])
    atoms.insert(0, "frame", np.repeat(np.arange(count), [len(part) for part in found]))
    with sealed.create(paths[2], {}) as file:
        tables.write_table(file, "atoms", atoms.assign(p_column=0.98))
        file.attrs.update(pixel_size_A=PIXEL_A, frame_shape=shape)
    return paths


def comparison(name_a="vacuum", name_b="gas"):
    """What compare_series.py writes."""
    rates = pd.DataFrame(
        {
            "rate": ["hmm", "raw_events"],
            "name_a": name_a,
            "name_b": name_b,
            "mean_rate_a": [0.021, 0.09],
            "mean_rate_b": [0.043, 0.11],
            "ratio": [2.05, 1.22],
            "ratio_low": [1.4, 1.0],
            "ratio_high": [2.9, 1.5],
            "p_value": [0.0004, 0.06],
        }
    )
    tests = ("wilcoxon", "permutation", "mann_whitney")
    return pd.concat([rates.assign(test=test) for test in tests], ignore_index=True)


def words(figure):
    """Every word of a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def scale_bars(axes):
    """Number of scale bars of a panel."""
    return sum(isinstance(child, AnchoredSizeBar) for child in axes.get_children())


def overhang(figure):
    """What of a figure does not fit on the page [inch]."""
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    return max(0, -box.x0, -box.y0, box.x1 - width, box.y1 - height)
