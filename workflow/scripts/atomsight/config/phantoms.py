"""Sections of simulated specimens and images to evaluate on."""

from typing import Literal

#: Metals of fcc structure.
Metal = Literal["Ag", "Al", "Au", "Cu", "Ir", "Ni", "Pb", "Pd", "Pt", "Rh"]
