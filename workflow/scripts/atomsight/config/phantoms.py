"""Sections of simulated specimens, and of how they are imaged, to evaluate models on."""

from typing import Literal

import pydantic

from atomsight.config.microscope import CameraSettings
from atomsight.config.section import CountRange, Range, Section, key, one_of, part

#: Metals of fcc structure, by the lattice constants of ASE.
Metal = Literal["Ag", "Al", "Au", "Cu", "Ir", "Ni", "Pb", "Pd", "Pt", "Rh"]


# How specimens are imaged


class _View(Section):
    rows: int = key(768, unit="pixel", ge=32, le=8192)
    """Rows of the image."""
    columns: int = key(768, unit="pixel", ge=32, le=8192)
    """Columns of the image."""

    @property
    def field_of_view_A(self) -> tuple[float, float]:
        """Distance ``(x, y)`` from the centre of the first pixel to that of the last [Å]."""
        return ((self.columns - 1) * self.pixel_size_A, (self.rows - 1) * self.pixel_size_A)


class OpticsSettings(Section):
    """Microscope and camera."""

    pixel_size_A: float = key(0.12, unit="Å", ge=0.02, le=0.5)
    """Size of a pixel."""
    energy_eV: float = key(80000, unit="eV", ge=20000, le=1500000)
    """Energy of the electrons."""
    cs_um: float = key(-11.5, unit="µm", ge=-10000, le=10000)
    """Spherical aberration of third order."""
    c5_mm: float = key(0, unit="mm", ge=-1000, le=1000)
    """Spherical aberration of fifth order."""
    astigmatism_A: float = key(0, unit="Å", ge=0, le=10000)
    """Twofold astigmatism."""
    astigmatism_angle_rad: float = key(0, unit="rad", ge=-6.2832, le=6.2832)
    """Azimuth of the astigmatism, from x towards y."""
    focal_spread_A: float = key(28, unit="Å", ge=0, le=1000)
    """1/e half-width of the distribution of defocus."""
    vibration_A: float = key(0, unit="Å", ge=0, le=1)
    """Root mean square vibration along one axis."""
    thermal_displacement_A: float = key(0.07, unit="Å", ge=0, le=0.5)
    """Root mean square thermal displacement of every atom along one axis."""
    sampling_A: float = key(0.1, unit="Å", ge=0.02, le=0.1)
    """Distance of the points of the multislice grid; thick columns of heavy atoms need 0.08."""
    slice_thickness_A: float = key(1.0, unit="Å", ge=0.2, le=5)
    """Thickness of a slice of the multislice calculation."""
    gain: float = key(10, unit="counts per electron", gt=0, le=65535)
    """Counts of the camera for every electron."""
    offset: float = key(100, unit="counts", ge=0, le=65535)
    """Counts of a pixel without electrons."""
    mtf: CameraSettings | None = key(None)
    """Modulation transfer function of the camera; null for an ideal camera."""
    gain_spread: float = key(0, unit="relative", ge=0, le=2)
    """Standard deviation of the signal of one electron, as a share of its mean; about 0.5 to 1 for
    scintillators and integrating detectors, 0 for counting ones."""
    readout_e: float = key(0, unit="e", ge=0, le=100)
    """Root mean square noise of the readout of a pixel; the offset must be a few times as much, or
    counts are cut off at zero."""

    def exposure(self, **more: float) -> "AcquisitionSettings":
        """An image with these optics, and with these values of further keys."""
        return AcquisitionSettings(**dict(self)).but(**more)


class _Dose(Section):
    dose_e_per_A2: float = key(10000, unit="e/Å²", gt=0, le=100000000)
    """Dose; an evaluation goes through its own doses instead."""


class AcquisitionSettings(_Dose, OpticsSettings, _View):
    """Microscope, exposure and camera of one simulated image."""

    defocus_A: float = key(-83, unit="Å", ge=-100000, le=100000)
    """Defocus, underfocus positive."""
    seed: int = key(0, ge=0)
    """Seed of the noise."""


class ParticleOptics(
    OpticsSettings,
    pixel_size_A=0.125,
    energy_eV=300000,
    cs_um=-8,
    focal_spread_A=30,
    vibration_A=0.1,
    thermal_displacement_A=0.085,
    sampling_A=0.08,
    slice_thickness_A=2.0,
    mtf={},
):
    """Microscope and camera; an image is as large as the particle and its margin."""

    defocus_A: float = key(-70, unit="Å", ge=-100000, le=100000)
    """Defocus from the lower side of the particle, underfocus positive."""


class ParticleView(ParticleOptics, _View, rows=400, columns=400):
    """Microscope, field of view and camera."""


class FocalOptics(
    OpticsSettings,
    pixel_size_A=0.15,
    energy_eV=300000,
    cs_um=-15,
    focal_spread_A=30,
    vibration_A=0.1,
    thermal_displacement_A=0.085,
    sampling_A=0.0625,
    mtf={},
):
    """Microscope and camera of focal series."""


class FocalView(_Dose, FocalOptics, _View, rows=400, columns=400, dose_e_per_A2=30000):
    """Microscope, field of view and camera."""

    dose_e_per_A2: float = key(30000, unit="e/Å²", gt=0, le=100000000)
    """Dose of all images together; each gets an equal share. An evaluation goes through its own
    doses instead."""


class MonolayerView(
    FocalView,
    rows=448,
    columns=448,
    pixel_size_A=0.125,
    energy_eV=80000,
    cs_um=-11.5,
    thermal_displacement_A=0.065,
    dose_e_per_A2=10000,
):
    """Microscope, field of view and camera."""


# Specimens


class _SheetSettings(Section):
    kind: str = key()
    """A perfect sheet, one under a smooth known strain with a hole, or one of several grains."""
    size_A: tuple[float, float] = key((114, 114), unit="Å", gt=0, le=2000)
    """Edges [x, y] of the box, larger than the field of view."""
    rotation_rad: float = key(0.1, unit="rad", ge=-6.2832, le=6.2832)
    """Angle of the lattice, from x towards y."""
    ripple_A: float = key(0.2, unit="Å", ge=0, le=2)
    """Root mean square height of the ripples."""
    seed: int = key(0, ge=0)
    """Seed of everything random in the specimen."""


class PristineSettings(_SheetSettings):
    """A perfect sheet of graphene."""

    kind: Literal["pristine"] = "pristine"


class StrainedSettings(_SheetSettings):
    """A sheet of graphene under a smooth known strain, with a hole."""

    kind: Literal["strained"] = "strained"
    planar_strain: float = key(0.03, unit="relative", ge=0, le=0.2)
    """Largest planar strain of either sign, about."""
    hole_radius_A: float = key(10, unit="Å", ge=0, le=1000)
    """Mean radius of the hole; 0 for none."""


class PolycrystalSettings(Section):
    """A sheet of graphene of several grains."""

    kind: Literal["polycrystal"] = "polycrystal"
    """A sheet of several grains."""
    size_A: tuple[float, float] = key((104, 104), unit="Å", gt=0, le=2000)
    """Periods [x, y]."""
    grain_count: int = key(6, ge=1, le=10000)
    """Number of grains."""
    relaxation_steps: int = key(300, ge=0, le=100000)
    """Most steps of the relaxation."""
    seed: int = key(0, ge=0)
    """Seed of everything random in the specimen."""


#: A simulated sheet of graphene whose truth is known; its kind says which other keys it has.
SpecimenSettings = one_of(
    "kind", pristine=PristineSettings, strained=StrainedSettings, polycrystal=PolycrystalSettings
)


class ParticleSettings(Section):
    """A simulated metal particle to evaluate models on, and what it lies on."""

    metal: Metal = key("Au")
    """The metal, of fcc lattice."""
    atoms: CountRange = key((300, 1500), ge=0)
    """Number of atoms before the surface is etched."""
    zone_axis: Literal["110", "111", "either"] = key("either")
    """Direction of the crystal along the beam; an evaluation may go through its own instead."""
    tilt_deg: Range = key((0, 5), unit="°", ge=0, le=30)
    """Angle between zone axis and beam, in a random direction; an evaluation may go through its own
    instead."""
    etched_share: Range = key((0.05, 0.4), ge=0, le=1)
    """Share of the least coordinated surface atoms that is taken away."""
    adatom_share: float = key(0.02, ge=0, le=1)
    """Atoms put onto the surface, per surface atom."""
    displacement_A: float = key(0.03, unit="Å", ge=0, le=0.5)
    """Standard deviation of the static displacement of an atom along one axis."""
    scale_variation: float = key(0.01, unit="relative", ge=0, le=0.1)
    """Half-width of the range of the lattice constant."""
    support: Literal["none", "amorphous", "crystalline"] = key("none")
    """Amorphous carbon, ceria off all zone axes, or nothing."""
    support_view: Literal["profile", "plan"] = key("profile")
    """Whether the support is seen beside the particle, or lies behind or before it."""
    support_thickness_A: Range = key((15, 40), unit="Å", ge=0)
    """Thickness of the support along the beam."""
    margin_A: float = key(6, unit="Å", ge=2, le=100)
    """Least width of the vacuum between the particle and the edge of its box."""
    seed: int = key(0, ge=0)
    """Seed of particle and support; an evaluation draws from its own seed instead."""


class SupportedParticleSettings(ParticleSettings, atoms=(500, 800), support="amorphous", seed=11):
    """A particle and its support."""


class MonolayerSettings(Section):
    """A simulated sheet of a material whose species are told apart, to evaluate models on; it ends
    just inside its box."""

    size_A: tuple[float, float] = key((72, 72), unit="Å", gt=0, le=2000)
    """Edges [x, y] of the box, larger than the field of view."""
    lattice_A: float | None = key(None, unit="Å", ge=1, le=10)
    """Lattice constant; null for that of the material."""
    grain_count: int = key(2, ge=1, le=6)
    """Number of grains, which meet in one point near the middle; two meet along a straight line."""
    vacancy_shares: dict[str, float] = key({}, unit="share of the sublattice", ge=0, le=0.5)
    """Sites where atoms are missing, by the name of what is missing, such as {S: 0.05, S2: 0.01};
    the material says the others."""
    edge_vacancy_shares: dict[str, float] = key(
        {}, unit="share of the sublattice at edges", ge=0, le=1
    )
    """Whole sites at edges that have lost one atom besides, likewise, such as {S: 0.25}."""
    hole_radius_A: float = key(8, unit="Å", ge=0, le=1000)
    """Mean distance of the edges of a hole from its middle; 0 for none."""
    ripple_A: float = key(0.2, unit="Å", ge=0, le=2)
    """Root mean square height of the ripples."""
    tilt_deg: float = key(1, unit="°", ge=0, le=30)
    """Angle between the sheet's normal and the beam, in a random direction."""
    seed: int = key(0, ge=0)
    """Seed of everything random in the specimen."""


# What is recorded


class SimulationSettings(Section):
    """A simulated acquisition, its specimen and how it is imaged."""

    specimen: SpecimenSettings = key()
    """A simulated sheet of graphene whose truth is known; its kind says which other keys it has."""
    acquisition: AcquisitionSettings = part(AcquisitionSettings)


class ImagingSettings(SimulationSettings, specimen=None):
    """A simulated acquisition whose specimen may be a file."""


class SequenceParticle(SupportedParticleSettings, zone_axis="110"):
    """The particle and its support."""

    seed: int = key(11, ge=0)
    """Seed of particle, support, and of which sites hop."""


class SequenceAcquisition(_Dose, ParticleView):
    """Microscope, field of view, camera and dose of every frame."""

    dose_e_per_A2: float = key(300, unit="e/Å²", gt=0, le=100000000)
    """Dose of a frame."""


class SequenceSettings(Section):
    """A simulated sequence of a particle that drifts and whose surface columns hop."""

    frames: int = key(40, ge=1, le=100000)
    """Number of frames."""
    drift_A_per_frame: float = key(0.12, unit="Å per frame", ge=0, le=100)
    """Steady drift, in a random direction."""
    drift_walk_A: float = key(0.15, unit="Å", ge=0, le=100)
    """Standard deviation of the random step between two frames along one axis."""
    drift_limit_A: float = key(8, unit="Å", ge=0, le=1000)
    """Widest range of the drift along one axis; a longer path is made smaller as a whole."""
    dynamic_share: float = key(0.4, ge=0, le=1)
    """Share of the surface columns clear of the support that hop; 0 for a static sequence."""
    adatom_columns: int = key(6, ge=0, le=1000)
    """Hopping columns at lattice sites that are empty in the particle, at most."""
    p_appear: Range = key((0.05, 0.3), ge=0, le=1)
    """Probability per frame that an empty site fills, drawn evenly for every site."""
    p_vanish: Range = key((0.05, 0.3), ge=0, le=1)
    """Probability per frame that a full site empties, drawn evenly for every site."""
    seed: int = key(1, ge=0)
    """Seed of drift, hops and noise."""
    particle: SequenceParticle = part(SequenceParticle)
    acquisition: SequenceAcquisition = part(SequenceAcquisition)


class _RecordingSettings(Section):
    focus_A: tuple[float, ...] = key(
        (-170, -40, 90), unit="Å", ge=-100000, le=100000, min_length=1, unique=True
    )
    """Defocus of the images from the lower side of the specimen, underfocus positive."""
    drift_A: float = key(2, unit="Å", ge=0, le=100)
    """Root mean square shift of an image along each axis; the import registers the images."""
    seed: int = key(1, ge=0)
    """Seed of drift and noise."""


class RecordedParticle(ParticleSettings, zone_axis="110", tilt_deg=(0, 0.5)):
    """A metal particle whose columns are to be counted."""

    kind: Literal["particle"] = key()
    """What is imaged: a particle or a monolayer."""


class ParticleRecording(_RecordingSettings):
    """A simulated focal series of a metal particle."""

    specimen: RecordedParticle = key()
    acquisition: FocalView = part(FocalView)


class RecordedMonolayer(MonolayerSettings):
    """A sheet whose species are to be named, in a box larger than the field of view by twice the
    drift."""

    kind: Literal["monolayer"] = key()
    """What is imaged: a particle or a monolayer."""
    material: str = key()
    """A material whose species are told apart, such as mos2."""

    @pydantic.field_validator("material")
    @classmethod
    def _has_species(cls, material: str) -> str:
        from atomsight.materials import honeycomb  # which have sections of their own

        honeycomb(material)
        return material


class MonolayerRecording(_RecordingSettings, focus_A=(-153, -83, -13)):
    """A simulated focal series of a sheet."""

    specimen: RecordedMonolayer = key()
    acquisition: MonolayerView = part(MonolayerView)


#: A simulated focal series; the kind of its specimen says which defaults the microscope has.
RecordingSettings = one_of(
    "specimen.kind", particle=ParticleRecording, monolayer=MonolayerRecording
)
