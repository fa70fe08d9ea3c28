"""Whether the conditions of an image are among those that a model was trained on."""

from atomsight.config.phantoms import AcquisitionSettings

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

#: Training sheets lie flat [°].
FLAT_DEG = (0.0, 0.0)

#: So far beyond the end of a range a condition still counts as within, as a share of it.
_TOLERANCE = 1e-3


def trained_range(microscope: dict, condition: str) -> tuple[float, float]:
    """Range of one of :data:`RANGES`, or of ``tilt_deg``, in the training of a model.

    ``microscope`` has the ranges as the card of the model has them.
    """
    low, high = FLAT_DEG if condition == "tilt_deg" else microscope[condition]
    return float(low), float(high)


def in_range(microscope: dict, optics: AcquisitionSettings, tilt_deg: float = 0.0) -> bool:
    """Whether a model was trained on images like one, whose sheet is tilted by an angle.

    An ideal camera counts as within, and so does any where the model was trained with a measured
    one. ``microscope`` has the ranges as the card of the model has them.
    """
    camera = microscope["mtf"]
    given = {name: getattr(optics, name) for name in RANGES} | {"tilt_deg": tilt_deg}
    pairs = [(value, trained_range(microscope, name)) for name, value in given.items()]
    pairs.append((optics.energy_eV, (microscope["energy_eV"],) * 2))
    if optics.mtf is not None and not camera["table"]:
        pairs += [(c, camera[name]) for c, name in zip(optics.mtf, ("c1", "c2", "c3"), strict=True)]
    return all(_within(value, *ends) for value, ends in pairs)


def _within(value: float, low: float, high: float) -> bool:
    return low - _TOLERANCE * abs(low) <= value <= high + _TOLERANCE * abs(high)
