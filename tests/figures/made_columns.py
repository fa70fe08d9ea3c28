"""Small focal series of columns and species made for the tests of figures, with scores."""

import made_recordings
import numpy as np
import pandas as pd
from made_scores import grid, with_ends
from made_sites import PIXEL_A, SIZE_PX, image_of, lattice

from atomsight.figures.parts import column_tables
from atomsight.phantoms import focal_truth

FOCUS_A = (-170.0, -40.0, 90.0)
TILTS = (0.5, 1.0, 3.0)
DOSES = (1e2, 1e3, 1e4, 1e5)
GREATEST = 5
SPECIES = ("Mo", "S2", "S")
FIELD_A = (PIXEL_A * (SIZE_PX - 1),) * 2


def images(count=3, specimens=1, specimen=0):
    """A focal series of the particle, with noise."""
    rng = np.random.default_rng(count)
    clean = np.stack([image_of(lattice()) * (1 + 0.2 * number) for number in range(count)])
    focus = FOCUS_A if count == 3 else tuple(50.0 * np.arange(count)) if count > 1 else ()
    noisy = rng.poisson(20 * clean).astype("float32")
    return column_tables.FocalImages(noisy, focus, PIXEL_A, specimen, specimens)


def true_columns():
    """True columns: thick in the middle, one of them above the last class."""
    points = lattice()
    radius = np.linalg.norm(points - points.mean(axis=0), axis=1)
    heights = np.clip(7 - radius / 3, 1, 6).astype(int)
    table = pd.DataFrame({"x_A": points[:, 0], "y_A": points[:, 1], "height": heights})
    return table.assign(**{"class": heights.astype(str)})


def truth(columns=None):
    """The true columns, or others, their dose and the field of view."""
    return column_tables.SeriesTruth(true_columns() if columns is None else columns, 3e4, FIELD_A)


def counted_columns():
    """The true columns but the first, the second one too high, and one where there is none."""
    table = true_columns()[1:].reset_index(drop=True)
    table.loc[0, "height"] += 1
    table.loc[len(table)] = {"x_A": 5.0, "y_A": 5.0, "height": 1}
    height = np.minimum(table["height"].to_numpy(), GREATEST)
    shares = {f"p_{n}": np.where(height == n, 0.8, 0.05) for n in range(1, GREATEST + 1)}
    reason = np.where(height == GREATEST, "above the model's range", "")
    table = table.drop(columns="class").assign(**shares, height=height, expected_height=height)
    return table.assign(frame=0, p_height=0.8, reliable=reason == "", reason=reason)


def true_species():
    """Sites of three species."""
    points = lattice()
    names = np.array(SPECIES, object)[np.arange(len(points)) % 3]
    return pd.DataFrame({"x_A": points[:, 0], "y_A": points[:, 1], "class": names})


def found_species():
    """The true sites but the last, the first one named wrongly."""
    found = true_species()[:-1].assign(frame=0, p_class=0.9)
    found.loc[0, "class"] = "S2"
    return found


def class_maps():
    """Maps of background and three species."""
    sites = true_species().set_index("class")
    images = (image_of(sites.loc[name].to_numpy()) for name in SPECIES)
    return made_recordings.with_background(*(np.clip(image - 1, 0, 1) for image in images))


METHODS = ("network", "intensity_mixture")


def _measured(methods):
    """Methods, tilts and doses, and how many columns are counted exactly."""
    table = grid(
        method=methods,
        camera=["main"],
        tilt_low_deg=[0.0],
        tilt_high_deg=TILTS,
        dose_e_per_A2=DOSES,
    )
    return table, (1 - table["tilt_high_deg"] / 10) / (1 + 300 / table["dose_e_per_A2"])


def _of_each(**columns):
    return _measured(METHODS)[0].merge(pd.DataFrame(columns), how="cross")


def summary(methods=(*METHODS, "column_library")):
    """What evaluate.py heights says of the methods."""
    table, exact = _measured(methods)
    table = table.assign(columns=200, off_by_1=0.7 * (1 - exact), missed=20 * (1 - exact))
    for name in ("off_by_2", "off_by_3plus", "calibration_error"):
        table[name] = 0.1 * (1 - exact)
    return table.assign(**with_ends("exact", exact, 0.02))


def confusion():
    """Counts of every height, a tenth of them missed, and one invention."""
    heights = list(range(1, GREATEST + 1))
    missed, columns = [0] * GREATEST, [90] * GREATEST + [10] * GREATEST + [1]
    true, counted = [*heights, *heights, 0], [*heights, *missed, 1]
    return _of_each(true_height=true, counted_height=counted, columns=columns)


def reliability():
    """Probabilities that are true."""
    confidence = [0.35, 0.65, 0.95]
    return _of_each(confidence=confidence, columns=40, exact=confidence)


def abstention():
    """Errors that fall with the share answered."""
    table = _of_each(answered_share=[0.25, 0.5, 1.0])
    return table.assign(error=table["answered_share"] * 30 / table["dose_e_per_A2"])


def species_summary():
    """What evaluate.py species says of two models."""
    table = grid(model=["mos2_single", "mos2"], dose_e_per_A2=DOSES)
    frames, accuracy = np.repeat([1, 3], 4), np.tile([0.5, 0.8, 0.97, 0.98], 2)
    known = with_ends("accuracy", accuracy) | {"f1_S": 0.8 * accuracy}
    return table.assign(frames=frames, camera="main", sites=900, **known)


def write_frames(path, series):
    made_recordings.write_frames(path, series.images, PIXEL_A, series.focus_A)


def write_truth(path, columns):
    """Write what simulate.py focal_series writes."""
    columns = columns[["x_A", "y_A", "class"]].assign(region="")
    names = tuple(sorted(set(columns["class"])))
    made = focal_truth.RecordingTruth(columns, np.zeros((3, 2)), FIELD_A, FOCUS_A, 3e4, names)
    focal_truth.write_truth(path, made, {})


def write_maps(path, maps):
    made_recordings.write_maps(path, maps[None], PIXEL_A, SPECIES)


def write_atoms(path, sites):
    """Write what locate_atoms.py writes."""
    attributes = {"pixel_size_A": PIXEL_A, "frame_shape": (1, SIZE_PX, SIZE_PX)}
    made_recordings.write_tables(path, attributes, atoms=sites)
