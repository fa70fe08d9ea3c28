"""Whether the conditions of an image are among those that a model was trained on."""

import itertools
from collections.abc import Mapping

import numpy as np

from atomsight.config.microscope import CameraSettings
from atomsight.config.phantoms import AcquisitionSettings
from atomsight.phantoms.acquisition import transfer_at

#: Conditions with a range in the card of a model.
RANGES = (
    "defocus_A",
    "cs_um",
    "c5_mm",
    "astigmatism_A",
    "focal_spread_A",
    "vibration_A",
    "dose_e_per_A2",
    "pixel_size_A",
)

#: What trainings are free of unless their ranges say otherwise: tilts [°], noise of the camera.
ABSENT = ("tilt_deg", "gain_spread", "readout_e")

#: So far beyond the end of a range a condition still counts as within, as a share of it.
_TOLERANCE = 1e-3

#: Where modulation transfer functions are compared, in Nyquist frequencies, and how closely.
_FREQUENCIES = np.linspace(0, 1, 101)
_MTF_TOLERANCE = 0.02


def trained_range(microscope: dict, condition: str) -> tuple[float, float]:
    """Range of one of :data:`RANGES` or :data:`ABSENT` in the training of a model.

    ``microscope`` has the ranges as the card of the model has them.
    """
    low, high = microscope.get(condition, (0, 0)) if condition in ABSENT else microscope[condition]
    return float(low), float(high)


def in_range(microscope: dict, optics: AcquisitionSettings, tilt_deg: float = 0.0) -> bool:
    """Whether a model was trained on images like one, whose sheet is tilted by an angle.

    ``microscope`` has the ranges as the card of the model has them. A camera is within if its
    modulation transfer function lies between those of the training at every frequency; that of an
    ideal one is 1.
    """
    given = {name: getattr(optics, name) for name in (*RANGES, "gain_spread", "readout_e")}
    given["tilt_deg"] = tilt_deg
    pairs = [(value, trained_range(microscope, name)) for name, value in given.items()]
    pairs.append((optics.energy_eV, (microscope["energy_eV"],) * 2))
    is_camera = _is_trained_camera(microscope["mtf"], optics.mtf)
    return is_camera and all(_within(value, *ends) for value, ends in pairs)


def _is_trained_camera(trained: Mapping, camera: CameraSettings | None) -> bool:
    """Whether a modulation transfer function lies between those of a training at every frequency.

    At any frequency eq 5 rises or falls steadily with each coefficient, so the ends of the ranges
    give its highest and lowest values.
    """
    ends = itertools.product(trained["c1"], trained["c2"], trained["c3"])
    cameras = [CameraSettings(c1=c1, c2=c2, c3=c3) for c1, c2, c3 in ends]
    cameras += [CameraSettings.parse(one) for one in trained["cameras"]]
    if trained["table"]:
        cameras = [CameraSettings.parse({"table": trained["table"]})]
    curves = [transfer_at(_FREQUENCIES, one) for one in cameras]
    curve = transfer_at(_FREQUENCIES, camera) if camera else np.ones_like(_FREQUENCIES)
    low, high = np.min(curves, axis=0) - _MTF_TOLERANCE, np.max(curves, axis=0) + _MTF_TOLERANCE
    return bool(((low <= curve) & (curve <= high)).all())


def _within(value: float, low: float, high: float) -> bool:
    return low - _TOLERANCE * abs(low) <= value <= high + _TOLERANCE * abs(high)
