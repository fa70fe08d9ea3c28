"""Small focal series of columns and species made for the tests of figures, with scores."""

import numpy as np
import pandas as pd
from made_sites import image_of, lattice

from atomsight.figures.parts import column_tables
from atomsight.files import layout, sealed, tables

PIXEL_A = 0.2
SIZE_PX = 250
FOCUS_A = (-170.0, -40.0, 90.0)
TILTS = ((0.0, 0.5), (0.0, 1.0), (0.0, 3.0))
DOSES = (1e2, 1e3, 1e4, 1e5)
GREATEST = 5
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
    return pd.DataFrame({"x_A": points[:, 0], "y_A": points[:, 1], "height": heights})


def truth():
    """The true columns, their dose and the field of view."""
    return column_tables.SeriesTruth(true_columns(), 3e4, FIELD_A)


def counted_columns():
    """The true columns but the first, the second one too high, and one where there is none."""
    true = true_columns()
    heights = np.minimum(true["height"].to_numpy(), GREATEST)
    heights[1] += 1
    table = true.assign(height=heights)[1:]
    table = pd.concat([table, pd.DataFrame({"x_A": [5.0], "y_A": [5.0], "height": [1]})])
    shares = np.full((len(table), GREATEST), 0.05)
    shares[np.arange(len(table)), table["height"] - 1] = 1 - 0.05 * (GREATEST - 1)
    for index in range(GREATEST):
        table[f"p_{index + 1}"] = shares[:, index]
    above = (table["height"] == GREATEST).to_numpy()
    expected = shares @ np.arange(1, GREATEST + 1)
    return table.assign(
        frame=0,
        p_height=0.8,
        expected_height=expected,
        reliable=~above,
        reason=np.where(above, "above the model's range", ""),
    ).reset_index(drop=True)


def true_species():
    """Sites of three species."""
    points = lattice()
    names = np.array(["Mo", "S2", "S"], object)[np.arange(len(points)) % 3]
    return pd.DataFrame({"x_A": points[:, 0], "y_A": points[:, 1], "class": names})


def found_species():
    """The true sites but the last, the first one named wrongly."""
    found = true_species()[:-1].assign(frame=0, p_class=0.9)
    found.loc[0, "class"] = "S2"
    return found


def class_maps():
    """Maps of background and three species."""
    maps = np.zeros((SIZE_PX, SIZE_PX, 4), "float32")
    for index, name in enumerate(("Mo", "S2", "S"), 1):
        sites = true_species().set_index("class").loc[name].to_numpy()
        maps[..., index] = np.clip(image_of(sites) - 1, 0, 1)
    maps[..., 0] = 1 - maps.sum(axis=-1).clip(0, 1)
    return maps


def _rows(methods):
    for method in methods:
        for tilt in TILTS:
            for dose in DOSES:
                yield method, *tilt, dose, (1 - tilt[1] / 10) / (1 + 300 / dose)


def summary(methods=("intensity_mixture", "network", "column_library")):
    """What evaluate.py heights says of the methods."""
    rows = [
        {
            "method": method,
            "tilt_low_deg": low,
            "tilt_high_deg": high,
            "dose_e_per_A2": dose,
            "columns": 200,
            "exact": exact,
            "exact_low": exact - 0.02,
            "exact_high": exact + 0.02,
            "off_by_1": 0.7 * (1 - exact),
            "off_by_2": 0.1 * (1 - exact),
            "off_by_3plus": 0.1 * (1 - exact),
            "calibration_error": 0.1 * (1 - exact),
            "missed": round(20 * (1 - exact)),
        }
        for method, low, high, dose, exact in _rows(methods)
    ]
    return pd.DataFrame(rows)


def _scores(columns, of_row):
    rows = [
        (method, low, high, dose, *more)
        for method, low, high, dose, exact in _rows(("network", "intensity_mixture"))
        for more in of_row(exact)
    ]
    first = ["method", "tilt_low_deg", "tilt_high_deg", "dose_e_per_A2"]
    return pd.DataFrame(rows, columns=first + columns)


def confusion():
    """Counts of every height, a tenth of them missed, and one invention."""
    counts = [(true, true, 90) for true in range(1, GREATEST + 1)]
    counts += [(true, 0, 10) for true in range(1, GREATEST + 1)] + [(0, 1, 1)]
    return _scores(["true_height", "counted_height", "columns"], lambda exact: counts)


def reliability():
    """Probabilities that are true."""
    bins = [(confidence, 40, confidence) for confidence in (0.35, 0.65, 0.95)]
    return _scores(["confidence", "columns", "exact"], lambda exact: bins)


def abstention():
    """Errors that fall with the share answered."""
    return _scores(
        ["answered_share", "error"],
        lambda exact: [(share, (1 - exact) * share) for share in (0.25, 0.5, 1.0)],
    )


def species_summary():
    """What evaluate.py species says of two models."""
    rows = [
        (model, frames, dose, 900, share, share - 0.01, share + 0.01, 0.8 * share)
        for model, frames in (("mos2_single", 1), ("mos2", 3))
        for dose, share in zip(DOSES, (0.5, 0.8, 0.97, 0.98), strict=True)
    ]
    names = "model frames dose_e_per_A2 sites accuracy accuracy_low accuracy_high f1_S"
    return pd.DataFrame(rows, columns=names.split())


def write_frames(path, series):
    """Write what import_series.py writes."""
    with sealed.create(path, {}) as file:
        shape = series.images.shape
        names = [f"image {number}" for number in range(shape[0])]
        stored, usable = layout.create_frames(file, shape, PIXEL_A, PIXEL_A, names)
        stored[...], usable[...] = series.images, True
        file.attrs["focus_A"] = series.focus_A


def write_truth(path, columns):
    """Write what simulate.py focal_series writes."""
    with sealed.create(path, {}) as file:
        tables.write_table(file, "columns", columns.assign(region=""))
        file.attrs.update(dose_e_per_A2=3e4, focus_A=FOCUS_A, field_of_view=FIELD_A)


def write_maps(path, maps):
    """Write what map_classes.py writes."""
    names = ["background", "Mo", "S2", "S"]
    with sealed.create(path, {}) as file:
        stored = layout.create_maps(file, (1, *maps.shape), PIXEL_A, names, 0.4, {})
        stored[0] = maps


def write_atoms(path, sites):
    """Write what locate_atoms.py writes."""
    with sealed.create(path, {}) as file:
        tables.write_table(file, "atoms", sites)
        file.attrs.update(pixel_size_A=PIXEL_A, frame_shape=(1, SIZE_PX, SIZE_PX))
