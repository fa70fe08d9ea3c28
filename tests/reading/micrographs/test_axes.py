import numpy as np
import pytest
from made_images import write_hspy

from atomsight.reading.micrographs.recordings import open_recording

UNITS_A = {"nm": 10, "pm": 0.01, "µm": 1e4, "μm": 1e4, "um": 1e4, "m": 1e10}
UNITS_A |= dict.fromkeys(["Å", "\u212b", "A", "angstrom"], 1)


@pytest.mark.parametrize("unit", UNITS_A)
def test_any_unit_of_length_becomes_angstrom(tmp_path, noise, unit):
    path = write_hspy(tmp_path / "a.hspy", noise, (0.5, 0.25), (unit, unit))
    scale_A = np.multiply((0.5, 0.25), UNITS_A[unit])
    np.testing.assert_allclose(open_recording(path).scale_A, scale_A)


@pytest.mark.parametrize(
    ("scale", "unit"),
    [(0.5, "px"), (0.5, ""), (0.5, "<undefined>"), (0.0, "nm"), (-1.0, "nm"), (np.nan, "nm")],
)
def test_a_scale_that_makes_no_sense_is_none(tmp_path, noise, scale, unit):
    path = write_hspy(tmp_path / "a.hspy", noise, (0.01, scale), (unit, unit))
    assert open_recording(path).scale_A is None
