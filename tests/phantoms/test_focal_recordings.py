"""Simulated recordings of focal series, as files: images that drift, and the truth about them."""

import numpy as np
import pandas as pd
import pytest
import rsciio.tiff
from made_inputs import intensity_at, run, settings
from numpy.testing import assert_allclose

from atomsight.config.phantoms import RecordingSettings
from atomsight.config.section import parse
from atomsight.files import sealed, tables
from atomsight.phantoms import focal_recordings, focal_truth, particles

EXPOSURE = {"dose_e_per_A2": 1e5, "gain": 1, "mtf": None}
PARTICLE = {
    "specimen": {"kind": "particle", "atoms": [60, 90], "displacement_A": 0, "margin_A": 3},
    "acquisition": {"rows": 192, "columns": 208, "pixel_size_A": 0.15, **EXPOSURE},
    "drift_A": 1.5,
}
MONOLAYER = {
    "specimen": {"kind": "monolayer", "material": "mos2"},
    "acquisition": {"rows": 128, "columns": 160, "pixel_size_A": 0.125, **EXPOSURE},
    "drift_A": 0.5,
}


def load(section):
    return parse(RecordingSettings, section, "focal_series")


@pytest.fixture(scope="module")
def particle():
    return focal_recordings.record(load(PARTICLE))


def test_columns_of_a_particle_are_where_truth_and_shift_say(particle):
    stack, truth = particle
    assert stack.shape == (3, 192, 208)
    assert np.abs(truth.shifts_A).max() > 1
    assert_allclose(truth.shifts_A.mean(axis=0), 0, atol=1e-12)
    positions = truth.columns[["x_A", "y_A"]].to_numpy()
    # At -170 Å, overfocused, columns are bright; this image has moved by most of their distance.
    image, shift = stack[0] / np.median(stack[0]), truth.shifts_A[0]
    assert intensity_at(image, positions + shift, 0.15).mean() > 1.25
    assert intensity_at(image, positions, 0.15).mean() < 1.15


def test_classes_of_a_particle_are_its_heights(particle):
    _, truth = particle
    heights = truth.columns["class"].astype(int)
    specimen = particles.make_specimen(load(PARTICLE).specimen, (60, 60))
    assert heights.sum() == len(specimen.structure.positions)
    assert truth.class_names == tuple(str(height) for height in range(1, heights.max() + 1))
    assert truth.focus_A == (-170, -40, 90)
    assert truth.dose_e_per_A2 == 1e5
    assert set(truth.columns["region"]) == {"surface", "interior"}


def test_every_image_gets_its_share_of_the_dose(particle):
    stack, _ = particle
    corner = stack[:, :20, :20].astype(float) - 100
    assert_allclose(corner.mean(axis=(1, 2)), 1e5 / 3 * 0.15**2, rtol=0.02)


def test_sites_of_a_sheet_are_where_truth_and_shift_say():
    stack, truth = focal_recordings.record(load(MONOLAYER))
    view_A = np.array(truth.field_of_view_A)
    columns = truth.columns
    positions = columns[["x_A", "y_A"]].to_numpy()
    assert ((positions > -2) & (positions < view_A + 2)).all()
    assert truth.class_names == ("Mo", "S2", "S")
    assert set(columns["class"]) <= set(truth.class_names)
    # At -83 Å, the second image, sites are bright.
    image, inside = stack[1] / np.median(stack[1]), ((positions > 2) & (positions < view_A - 2))
    inside = inside.all(axis=1)
    values = intensity_at(image, positions + truth.shifts_A[1], 0.125)
    mean = {name: values[inside & (columns["class"] == name)].mean() for name in ("Mo", "S2")}
    assert min(mean.values()) > 1.1


def test_truth_survives_its_file(tmp_path, particle):
    _, truth = particle
    path = tmp_path / "truth.h5"
    focal_truth.write_truth(path, truth, {})
    read = focal_truth.read_truth(path)
    pd.testing.assert_frame_equal(read.columns, truth.columns, check_dtype=False, rtol=1e-7)
    assert_allclose(read.shifts_A, truth.shifts_A)
    assert read.field_of_view_A == truth.field_of_view_A
    assert read.focus_A == truth.focus_A
    assert read.class_names == truth.class_names


def test_the_script_writes_stack_and_truth(tmp_path):
    assert run(f"simulate focal_series one.tif one.h5 {settings(**PARTICLE)}", tmp_path) == 0
    (read,) = rsciio.tiff.file_reader(tmp_path / "one.tif")
    assert read["data"].shape == (3, 192, 208)
    assert_allclose([axis["scale"] for axis in read["axes"][1:]], 0.015, rtol=1e-6)
    with sealed.open_to_read(tmp_path / "one.h5") as file:
        assert tables.read_table(file, "shifts")["frame"].tolist() == [0, 1, 2]
        assert file["columns/x_A"].attrs["units"] == "angstrom"
