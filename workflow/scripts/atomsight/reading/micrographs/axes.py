"""The axes of vendor files: units of length in all their spellings, and the size of a pixel."""

import re
import unicodedata

import numpy as np

#: Units of length [Å]; the keys are as :func:`plain_unit` writes a unit.
LENGTHS_A = (
    dict.fromkeys(("å", "a", "angstrom", "angstroms", "ångström", "\\u00c5"), 1.0)
    | dict.fromkeys(("pm", "picometer", "picometre"), 1e-2)
    | dict.fromkeys(("nm", "nanometer", "nanometre", "nanometers"), 1e1)
    | dict.fromkeys(("um", "μm", "micron", "microns", "micrometer", "micrometre"), 1e4)
    | {"mm": 1e7, "cm": 1e8, "m": 1e10, "meter": 1e10, "metre": 1e10}
)
#: Units of axes along which no image lies, beside the reciprocal ones.
OTHER_UNITS = {"rad", "mrad", "deg", "°", "ev", "kev", "s", "ms", "hz"}


def plain_unit(unit: object) -> str:
    """Write a unit in lower case, with one sign for micro and one for Ångström."""
    return unicodedata.normalize("NFKC", str(unit or "")).strip().lower()


def is_reciprocal(unit: str) -> bool:
    """Whether a plain unit is one over another: ``1/nm``, ``nm^-1``, ``Å⁻¹`` and the like."""
    return bool(re.match(r"1\s*/", unit) or re.search(r"\w\s*\^?\(?[-−]\s*1\)?$", unit))


def scale_A(axes: list[dict]) -> tuple[float, float] | None:
    """Size of a pixel along y and x [Å] from the axes as RosettaSciIO gives them, the last two.

    None if it is unknown or makes no sense.
    """
    scales = [
        float(axis.get("scale") or np.nan) * LENGTHS_A.get(plain_unit(axis.get("units")), np.nan)
        for axis in axes[-2:]
    ]
    if not (np.isfinite(scales).all() and min(scales) > 0):
        return None
    return scales[0], scales[1]
