import numpy as np
import pytest
from made_images import write_hspy

from atomsight.reading.micrographs.recordings import open_recording


@pytest.mark.parametrize(
    ("unit", "angstrom"),
    [
        ("nm", 10),
        ("pm", 0.01),
        ("µm", 1e4),
        ("μm", 1e4),
        ("um", 1e4),
        ("Å", 1),
        ("\u212b", 1),
        ("A", 1),
        ("angstrom", 1),
        ("m", 1e10),
        ("px", None),
        ("", None),
        ("<undefined>", None),
    ],
)
def test_any_unit_of_length_becomes_angstrom(tmp_path, noise, unit, angstrom):
    path = write_hspy(tmp_path / "a.hspy", noise, (0.5, 0.25), (unit, unit))
    scale_A = open_recording(path).scale_A
    if angstrom is None:
        assert scale_A is None
    else:
        np.testing.assert_allclose(scale_A, (0.5 * angstrom, 0.25 * angstrom))


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan])
def test_a_scale_that_makes_no_sense_is_none(tmp_path, noise, scale):
    path = write_hspy(tmp_path / "a.hspy", noise, (0.01, scale))
    assert open_recording(path).scale_A is None
