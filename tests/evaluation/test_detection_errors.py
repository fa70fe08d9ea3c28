"""Errors at the surface of static particles."""

import numpy as np
import pandas as pd
import pytest
from made_inputs import READ_ONCE, run, settings
from made_models import COLUMN_CARD, save_tiny_model
from numpy.testing import assert_allclose
from scipy.spatial import cKDTree

from atomsight.config.evaluation import ErrorSettings
from atomsight.evaluation import detection_errors
from atomsight.evaluation.detection_errors import EMPTY_DISTANCE_A

SMALL = {
    "particles": 1,
    "frames": 3,
    "doses_e_per_A2": [300, 10000],
    "particle": {"atoms": [120, 160], "support": "crystalline", "support_thickness_A": [15, 16]},
    "acquisition": {"rows": 296, "columns": 296},
}


def load(**changes):
    return ErrorSettings.parse(SMALL | changes, "detection_errors")


def first_specimen(**changes):
    return next(detection_errors.make_specimens(load(**changes)))


def test_empty_sites_are_beside_the_surface_and_apart_from_every_column():
    specimen, _ = first_specimen(particle=SMALL["particle"] | {"atoms": [400, 450]})
    empty = detection_errors.empty_sites(specimen)
    true = specimen.columns[["x_A", "y_A"]].to_numpy()
    distances, nearest = cKDTree(true).query(empty)
    assert len(empty) > 10
    assert (distances >= EMPTY_DISTANCE_A).all()
    assert (distances < 4.2).all()
    assert (specimen.columns["region"].to_numpy()[nearest] == "surface").all()
    film = specimen.structure.positions[specimen.column < 0, :2]
    assert cKDTree(film).query(empty)[0].min() >= 4


@pytest.mark.parametrize(("finds_columns", "finds_empty"), [(3, 0), (0, 3)])
def test_what_is_found_counts_in_every_frame(monkeypatch, finds_columns, finds_empty):
    """Of what finds every column and no empty site, or the reverse; without the cost of images."""
    offsets = []

    def image(wave, optics, offset):
        offsets.append(np.array(offset))
        return np.ones((optics.rows, optics.columns))

    monkeypatch.setattr(detection_errors.acquisition, "exit_wave", lambda *_: None)
    monkeypatch.setattr(detection_errors.acquisition, "image_wave", image)
    chosen, (specimen, rng) = load(), first_specimen()
    columns = specimen.columns[["x_A", "y_A"]].to_numpy()
    seen = columns + 0.1 if finds_columns else detection_errors.empty_sites(specimen)
    seen -= (specimen.structure.cell_A[:2] - np.array(chosen.acquisition.field_of_view_A)) / 2
    counts = detection_errors.count_errors(specimen, chosen, lambda _: seen - offsets[-1], rng)
    assert (counts.surface == finds_columns).all()
    assert (counts.empty == finds_empty).all()
    assert len(np.unique(offsets, axis=0)) == 3
    surface = specimen.columns.query("region == 'surface' and clear")
    assert counts.surface.shape == (2, len(surface))
    assert counts.empty.shape[0] == 2


def test_rates_and_distributions_of_counts():
    rng = np.random.default_rng(0)
    missed = rng.binomial(24, rng.beta(2, 8, 300))
    false = rng.binomial(24, rng.beta(1, 60, 200))
    row = detection_errors.fit_errors(24 - missed, false, 24)
    assert_allclose(row["miss_rate"], missed.mean() / 24)
    assert_allclose(row["false_rate"], false.mean() / 24)
    mean = row["miss_alpha"] / (row["miss_alpha"] + row["miss_beta"])
    assert_allclose(mean, 0.2, atol=0.03)
    assert_allclose(row["miss_alpha"] + row["miss_beta"], 10, rtol=0.5)
    assert row["false_beta"] > row["false_alpha"]
    assert (row["occupied_sites"], row["empty_sites"], row["frames"]) == (300, 200, 24)


def test_zone_axes_alternate_where_either_is_allowed():
    either = load(particles=2)
    fixed = either.but(particle=either.particle.but(zone_axis="111"))
    for chosen, axes in ((either, ["110", "111"]), (fixed, ["111", "111"])):
        made = detection_errors.make_specimens(chosen)
        assert [specimen.particle.zone_axis for specimen, _ in made] == axes


def test_the_script_writes_one_row_per_dose(tmp_path):
    save_tiny_model(tmp_path / "model", COLUMN_CARD)
    line = f"evaluate detection_errors model errors.csv {READ_ONCE} {settings(**SMALL)}"
    assert run(line, tmp_path) == 0
    table = pd.read_csv(tmp_path / "errors.csv")
    assert table.columns.tolist() == [
        "dose_e_per_A2",
        *("miss_rate", "miss_alpha", "miss_beta"),
        *("false_rate", "false_alpha", "false_beta"),
        *("occupied_sites", "empty_sites", "frames"),
    ]
    assert table["dose_e_per_A2"].tolist() == [300, 10000]
    assert table["miss_rate"].between(0, 1).all()
    assert (table[["miss_alpha", "miss_beta", "false_alpha", "false_beta"]] > 0).all(axis=None)
    assert (table["frames"] == 3).all()
