"""Sections of the analyses: strain, heights, dynamics, substrate, hops, comparison."""

from typing import Literal

from atomsight.config.section import Section, key


class StrainSettings(Section):
    """Strain by template matching."""

    template: Literal["honeycomb"] = key("honeycomb")
    """The neighbourhood that is looked for."""
    bond_A: float | None = key(None, unit="Å", gt=0.5, le=5)
    """Bond length of the unstrained template; null for that of the material."""
    max_rmsd: float = key(0.15, unit="bond lengths", gt=0, le=1)
    """Neighbourhoods that fit worse are masked."""
    reference: Literal["relative", "absolute"] = key("relative")
    """Strain against the mean lattice of the frame, or against the template as it is."""


class HeightSettings(Section):
    """Which columns are left as counted, and which the model should not be asked about."""

    min_probability: float = key(0.5, ge=0, le=1)
    """A count whose probability is lower is called uncertain."""
    border_A: float = key(3, unit="Å", ge=0, le=50)
    """Width of the rim of the image in which no count is reliable."""
    clear_A: float = key(1.5, unit="Å", ge=0, le=50)
    """Distance from a column up to which an unusable pixel spoils its count."""


class DynamicsSettings(Section):
    """How columns are followed over the frames of a series."""

    site_radius_A: float = key(0.7, unit="Å", gt=0, le=5)
    """Largest distance of a column from the site it belongs to."""
    min_distance_A: float = key(1.2, unit="Å", gt=0, le=10)
    """Least distance of two sites; less than that of two columns of the lattice, more than the
    positions err."""
    min_matched: float = key(0.3, gt=0, le=1)
    """A frame is not used if a smaller share of its columns, or of those expected in it, finds a
    partner in the other frames."""
    memory_frames: int = key(20, unit="frames", ge=1)
    """Number of recent frames that a frame is registered to, to find its drift."""
    min_seen: int = key(2, unit="frames", ge=1)
    """Sites seen in fewer frames are left out."""
    min_occurrence: float = key(0.02, ge=0, le=1)
    """Sites seen in a smaller share of the frames in which they are in view are left out; it
    matters in long series."""
    border_A: float = key(1.0, unit="Å", ge=0, le=50)
    """Within this distance of the border of a frame a site is not in view."""


class SubstrateSettings(Section):
    """What is taken for the substrate of a particle, and left out, where no mask is given."""

    automatic: bool = key(True)
    """Whether the substrate is looked for where no mask is given."""
    min_occurrence: float = key(0.5, gt=0, le=1)
    """Sites seen in this share of the frames are the particle."""
    link_A: float = key(3.3, unit="Å", gt=0, le=20)
    """Sites no further apart belong to one group; the largest group is the particle."""
    particle_A: float = key(2.0, unit="Å", gt=0, le=20)
    """The particle reaches this far around its sites and is never masked."""
    rim_A: float = key(4.5, unit="Å", ge=0, le=50)
    """Structure this close to the particle is not looked at, since it may be fringes of the
    particle."""
    window_A: float = key(2.5, unit="Å", ge=0.5, le=20)
    """Standard deviation of the window in which structure is told from noise."""
    min_correlation: float = key(0.4, gt=0, lt=1)
    """Correlation of the two halves of the series above which there is structure."""
    min_area_A2: float = key(50, unit="Å²", ge=0)
    """Smaller pieces are not masked."""


class HopSettings(Section):
    """How often sites change, by a hidden Markov model that knows the detection errors."""

    confidence: float = key(0.95, ge=0.5, le=0.999)
    """Probability that the interval of a site holds its true hop rate."""
    max_hop_rate: float = key(0.5, unit="per frame", ge=0.05, le=0.9)
    """Hop rates from zero to this one are considered; a site without memory changes with 0.5 at
    most."""


class ComparisonSettings(Section):
    """How the hop rates of two series are compared."""

    match_radius_A: float = key(1.0, unit="Å", gt=0, le=10)
    """Largest distance of two sites that are the same, once the particles lie on each other."""
    confidence: float = key(0.95, ge=0.5, le=0.999)
    """Probability that the interval of the ratio of the mean rates holds the true one."""
    resamples: int = key(5000, ge=100, le=100000)
    """Number of random samples of the bootstrap and of the permutation test."""
    seed: int = key(0, ge=0)
    """Seed of these samples."""
