"""Microscopes and cameras: their files, and what a measured camera can be."""

from pathlib import Path

import numpy as np
import pytest

from atomsight.config.microscope import CameraSettings, MicroscopeSettings, MtfSettings
from atomsight.errors import InputError

CONFIG = Path(__file__).parents[2] / "config"
CAMERAS = sorted(CONFIG.glob("cameras/*.yaml"))
MICROSCOPES = sorted(CONFIG.glob("microscopes/*.yaml"))
RANGES = MicroscopeSettings.complete(str(MICROSCOPES[0]))


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ([[0, 1]], "at least two rows"),
        ([[0.1, 1], [1, 0.4]], "begin at frequency 0"),
        ([[0, 1], [0.5, 0.8], [0.5, 0.7], [1, 0.4]], "rise from row to row"),
        ([[0, 1], [1, 0.4], [0.5, 0.8]], "rise from row to row"),
        ([[0, 1], [0.5, 0.4]], "reach the Nyquist frequency, 1; double frequencies that are in"),
        ([[0, 100], [1, 40]], "values from 0 to 1.1"),
        ([[0, 1], [1, -0.1]], "values from 0 to 1.1"),
    ],
)
@pytest.mark.parametrize("kind", [MtfSettings, CameraSettings])
def test_a_table_that_no_camera_has_is_refused_in_a_sentence(kind, table, wrong):
    with pytest.raises(InputError, match=f"^mtf.table: .* must .*{wrong}") as refused:
        kind.parse({"table": table}, "mtf")
    assert str(table) in str(refused.value)


@pytest.mark.parametrize("path", CAMERAS, ids=lambda path: path.stem)
def test_cameras_that_ship_serve_training_and_simulation(path):
    microscope = MicroscopeSettings.parse(RANGES | {"mtf": f"config/cameras/{path.name}"})
    table = np.array(microscope.mtf.table)
    assert (np.diff(table[:, 1]) < 0).all()
    assert CameraSettings.parse(str(path)).table == microscope.mtf.table
    complete = MicroscopeSettings.complete(RANGES | {"mtf": str(path)})
    assert complete["mtf"]["table"] == table.tolist()


def test_the_k3_falls_a_little_below_the_ideal_pixel():
    """Which transfers sin(x) / x with x = π q / (2 q_N)."""
    q, value = np.transpose(CameraSettings.parse(str(CONFIG / "cameras/gatan_k3_300kv.yaml")).table)
    assert np.interp(0.5, q, value) == pytest.approx(np.sinc(0.25), abs=0.02)
    assert np.interp(1, q, value) == pytest.approx(np.sinc(0.5), abs=0.01)


@pytest.mark.parametrize("path", MICROSCOPES, ids=lambda path: path.stem)
def test_microscopes_that_ship_start_easy_with_optics_they_have(path):
    microscope = MicroscopeSettings.parse(str(path))
    easy = microscope.easy.given()
    assert {"defocus_A", "cs_um", "dose_e_per_A2"} <= set(easy)
    for name in easy.keys() - {"dose_e_per_A2"}:  # which may be higher than later
        (low, high), full = easy[name], getattr(microscope, name)
        assert full[0] <= low <= high <= full[1], name


def test_what_is_wrong_with_a_file_is_told_with_its_name(tmp_path):
    path = tmp_path / "camera.yaml"
    for content, wrong in (
        ("table: [[0, 1], [0.5, 1]]", "table: .* must reach the Nyquist frequency"),
        ("[1, 2]", "not a mapping with keys such as c1"),
        ("{", "not valid YAML"),
    ):
        path.write_text(content)
        with pytest.raises(InputError, match=f"{path}: {wrong}"):
            MicroscopeSettings.parse(RANGES | {"mtf": str(path)}, "microscope")
    with pytest.raises(InputError, match=r"none\.yaml: the camera's file does not exist"):
        MicroscopeSettings.parse(RANGES | {"mtf": "none.yaml"})
    with pytest.raises(InputError, match=r"none\.yaml: the microscope's file does not exist"):
        MicroscopeSettings.parse("none.yaml")
