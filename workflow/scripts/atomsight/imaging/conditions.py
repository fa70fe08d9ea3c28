"""Random conditions of the microscope and the camera, and the curriculum that widens them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np

from atomsight.errors import InputError

Range = tuple[float, float]


@dataclass(frozen=True)
class MtfSettings:
    """Modulation transfer function of the camera: ranges of eq 5, or a measured table.

    Attributes
    ----------
    c1, c2, c3 : tuple of float
        Ranges of the coefficients of eq 5.
    table : tuple of pairs of float
        ``q / q_N``, rising, and the value there; it takes the place of the formula if not empty.
    """

    c1: Range = (0.0, 0.1)
    c2: Range = (0.4, 0.6)
    c3: Range = (2.0, 3.0)
    table: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class FocalSeriesSettings:
    """Images of one specimen at different defocus, which a network reads together.

    Attributes
    ----------
    steps_A : tuple of F float
        Defocus of every image, counted from the defocus that is drawn [Å]; a single image has 0.
    step_error_A : float
        Standard deviation of the error of every image's defocus [Å].
    registration_error_A : float
        Standard deviation, along each axis, of what the registration of the images leaves [Å].
    """

    steps_A: tuple[float, ...] = (0.0,)
    step_error_A: float = 0.0
    registration_error_A: float = 0.0


@dataclass(frozen=True)
class MicroscopeSettings:
    """Ranges from which the conditions of every training image are drawn.

    Attributes
    ----------
    energy_eV : float
        Energy of the electrons [eV].
    defocus_A : tuple of float
        Defocus, underfocus positive [Å]; of a focal series, that of an image whose step is 0.
    cs_um, c5_mm : tuple of float
        Spherical aberration of third [µm] and fifth order [mm].
    astigmatism_A : tuple of float
        Twofold astigmatism [Å], at any azimuth.
    focal_spread_A : tuple of float
        1/e half-width of the distribution of defocus [Å].
    vibration_A : tuple of float
        Root mean square vibration along one axis [Å].
    dose_e_per_A2 : tuple of float
        Dose [e/Å²], drawn evenly on a logarithmic scale; all images of a focal series together.
    pixel_size_A : tuple of float
        Size of a pixel [Å].
    mtf : MtfSettings
        The camera.
    focal_series : FocalSeriesSettings
        The images that belong together.
    """

    energy_eV: float
    defocus_A: Range
    cs_um: Range
    c5_mm: Range
    astigmatism_A: Range
    focal_spread_A: Range
    vibration_A: Range
    dose_e_per_A2: Range
    pixel_size_A: Range
    mtf: MtfSettings
    focal_series: FocalSeriesSettings = FocalSeriesSettings()


@dataclass(frozen=True)
class FavourableSettings:
    """Conditions that show atoms well, kept for some of the images.

    Of conditions drawn from wide ranges, many show nothing of the specimen; a network that meets
    only these learns slowly. The ranges in ``ranges`` hold for every image at first, then for ever
    fewer, and at last for ``share`` of them.

    Attributes
    ----------
    share : float
        Share of the images at the end.
    ranges : Mapping of str to tuple of float
        The ranges, by their name in :class:`MicroscopeSettings`; none, and no image is favoured.
    both_signs : bool
        Whether half of them show the other contrast in the end: defocus and spherical aberration
        of the other sign.
    """

    share: float = 0.0
    ranges: Mapping[str, Range] = field(default_factory=dict)
    both_signs: bool = False


@dataclass(frozen=True)
class CurriculumSettings:
    """From easy to full ranges.

    A network that meets the full ranges at once settles for the constant prediction, the local
    minimum the paper warns of.

    Attributes
    ----------
    easy_until : float
        Share of the training spent on the ranges in ``start``.
    full_from : float
        Share of the training from which the full ranges hold; in between they widen evenly.
    start : Mapping of str to tuple of float
        The easy ranges, by their name in :class:`MicroscopeSettings`.
    favourable : FavourableSettings
        What is kept for some of the images.
    """

    easy_until: float
    full_from: float
    start: Mapping[str, Range]
    favourable: FavourableSettings = FavourableSettings()

    def width(self, progress: float) -> float:
        """How far the ranges have widened at a share of the training, from 0 (easy) to 1 (full)."""
        done = (progress - self.easy_until) / (self.full_from - self.easy_until)
        return float(np.clip(done, 0, 1))


def ranges_at(
    progress: float, microscope: MicroscopeSettings, curriculum: CurriculumSettings
) -> MicroscopeSettings:
    """Ranges that hold at a share of the training, 0 to 1.

    Raises ``InputError`` if the curriculum names a range that the microscope does not have.
    """
    _check_names(curriculum.start, "training.curriculum.start")
    width = curriculum.width(progress)
    widened = {
        name: tuple(
            float((1 - width) * low + width * high)
            for low, high in zip(start, getattr(microscope, name), strict=True)
        )
        for name, start in curriculum.start.items()
    }
    return replace(microscope, **widened)


def _check_names(ranges: Mapping[str, Range], where: str) -> None:
    known = {range_.name for range_ in fields(MicroscopeSettings)} - {
        "energy_eV",
        "mtf",
        "focal_series",
    }
    if unknown := ranges.keys() - known:
        raise InputError(
            f"{where}: {sorted(unknown)[0]} is not a range of a microscope; "
            f"known are {', '.join(sorted(known))}"
        )


def draw_conditions(
    ranges: MicroscopeSettings, examples: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draw the conditions of B single images, or of B focal series.

    The images of a series differ in defocus and share the dose; all else is common to them. Gives
    float32 ``aberrations`` (B, F, 5), ``focal_spread``, ``vibration`` and ``dose`` (B, F), ``mtf``
    (B, F, 3), ``pixel_size`` (B,): inputs of :class:`atomsight.imaging.microscope.Microscope`.
    """

    def uniform(limits: Range) -> np.ndarray:
        return rng.uniform(*limits, examples)

    azimuth = rng.uniform(0, 2 * np.pi, examples)
    astigmatism = uniform(ranges.astigmatism_A)
    aberrations = np.stack(
        [
            -uniform(ranges.defocus_A),
            astigmatism * np.cos(azimuth),
            astigmatism * np.sin(azimuth),
            uniform(ranges.cs_um) * 1e4,
            uniform(ranges.c5_mm) * 1e7,
        ],
        axis=-1,
    )
    drawn = {
        "aberrations": aberrations,
        "focal_spread": uniform(ranges.focal_spread_A),
        "vibration": uniform(ranges.vibration_A),
        "dose": np.exp(uniform(tuple(np.log(ranges.dose_e_per_A2)))),
        "mtf": np.stack([uniform(getattr(ranges.mtf, c)) for c in ("c1", "c2", "c3")], -1),
    }
    steps = np.asarray(ranges.focal_series.steps_A)
    drawn = {name: np.repeat(values[:, None], len(steps), 1) for name, values in drawn.items()}
    error = rng.spawn(1)[0].standard_normal((examples, len(steps)))
    drawn["aberrations"][..., 0] -= steps + ranges.focal_series.step_error_A * error
    drawn["dose"] /= len(steps)
    drawn["pixel_size"] = uniform(ranges.pixel_size_A)
    return {name: values.astype("float32") for name, values in drawn.items()}


def mix_in_favourable(
    conditions: Mapping[str, np.ndarray],
    ranges: MicroscopeSettings,
    curriculum: CurriculumSettings,
    progress: float,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Replace some of the conditions that :func:`draw_conditions` drew by favourable ones.

    What the favourable ranges leave out is drawn from ``ranges``. ``progress`` is the share of the
    training that is done, 0 to 1. Raises ``InputError`` if a favourable range is none of a
    microscope.
    """
    favourable = curriculum.favourable
    if not favourable.ranges:
        return dict(conditions)
    _check_names(favourable.ranges, "training.curriculum.favourable.ranges")
    examples = len(conditions["pixel_size"])
    width = curriculum.width(progress)
    chosen = rng.random(examples) < 1 - width * (1 - favourable.share)
    easy = draw_conditions(replace(ranges, **favourable.ranges), examples, rng)
    other = rng.random(examples) < favourable.both_signs * width / 2
    for coefficient in (0, 3):  # C10 and C30, which make the contrast
        easy["aberrations"][other, :, coefficient] *= -1
    mixed = {}
    for name, drawn in conditions.items():
        taken = chosen.reshape(-1, *[1] * (drawn.ndim - 1))
        mixed[name] = np.where(taken, easy[name], drawn)
    return mixed


def place_pixels(
    pixel_size_A: np.ndarray,
    cell_A: tuple[float, float],
    size: int,
    rng: np.random.Generator,
    middles_A: np.ndarray | None = None,
    offsets_A: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Place square grids of pixels at random on periodic specimens, mirrored at random.

    Parameters
    ----------
    pixel_size_A : ndarray of shape (B,)
        Size of the pixels.
    cell_A : tuple of float
        Periods ``(x, y)``.
    size : int
        Pixels along an edge.
    middles_A : ndarray of shape (B, 2), optional
        Where the middles ``(x, y)`` of the grids lie; anywhere without it and where it is NaN.
    offsets_A : ndarray of shape (B, F, 2), optional
        How far ``(x, y)`` the images of a focal series lie from their place.

    Returns
    -------
    dict of ndarrays
        ``rows`` and ``columns``, float32 of shape (B, F, size), positions [Å], falling where
        mirrored; ``turned``, bool of shape (B,), images to be transposed. Mirrors and a
        transposition together make all four rotations.
    """
    count = len(pixel_size_A)
    steps = (np.arange(size) - (size - 1) / 2) * pixel_size_A[:, None]
    middles_A = np.full((count, 2), np.nan) if middles_A is None else middles_A
    offsets_A = np.zeros((count, 1, 2)) if offsets_A is None else offsets_A
    grid = {}
    for axis, name in enumerate(("columns", "rows")):
        mirror = rng.choice([-1.0, 1.0], (count, 1))
        anywhere = rng.uniform(0, cell_A[axis], count)
        middle = np.where(np.isnan(middles_A[:, axis]), anywhere, middles_A[:, axis])
        positions = middle[:, None] + mirror * steps
        grid[name] = (positions[:, None] + offsets_A[..., axis, None]).astype("float32")
    return grid | {"turned": rng.random(count) < 0.5}
