"""Random conditions of the microscope and the camera, and the curriculum that widens them."""

from collections.abc import Mapping

import numpy as np

from atomsight.config.microscope import MicroscopeSettings
from atomsight.config.training import CurriculumSettings

Range = tuple[float, float]


def ranges_at(
    progress: float, microscope: MicroscopeSettings, curriculum: CurriculumSettings
) -> MicroscopeSettings:
    """Ranges that hold at a share of the training, 0 to 1."""
    width = curriculum.width(progress)
    widened = {
        name: tuple(
            float((1 - width) * low + width * high)
            for low, high in zip(easy, getattr(microscope, name), strict=True)
        )
        for name, easy in microscope.easy.given().items()
    }
    return microscope.but(**widened)


def draw_conditions(
    ranges: MicroscopeSettings, examples: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draw the conditions of B single images, or of B focal series.

    The images of a series differ in defocus and share the dose; all else is common to them. Gives
    float32 ``aberrations`` (B, F, 5), ``focal_spread``, ``vibration``, ``dose``, ``gain_spread``,
    ``readout`` and ``camera`` (B, F), ``mtf`` (B, F, 3), ``pixel_size`` (B,): inputs of
    :class:`atomsight.imaging.microscope.Microscope`.
    """

    def uniform(limits: Range) -> np.ndarray:
        return rng.uniform(*limits, examples)

    def logarithmic(limits: Range) -> np.ndarray:
        return np.exp(uniform(tuple(np.log(limits))))

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
        "dose": logarithmic(ranges.dose_e_per_A2),
        "mtf": np.stack(
            [uniform(ranges.mtf.c1), logarithmic(ranges.mtf.c2), uniform(ranges.mtf.c3)], axis=-1
        ),
    }
    other_rng = rng.spawn(1)[0]
    first, last = bool(ranges.mtf.table), len(ranges.mtf.tables)
    drawn |= {
        "gain_spread": other_rng.uniform(*ranges.gain_spread, examples),
        "readout": other_rng.uniform(*ranges.readout_e, examples),
        "camera": other_rng.integers(first, last, examples, endpoint=True),
    }
    steps = np.asarray(ranges.focal_series.steps_A)
    drawn = {name: np.repeat(values[:, None], len(steps), 1) for name, values in drawn.items()}
    error = other_rng.standard_normal((examples, len(steps)))
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
    training that is done, 0 to 1.
    """
    favourable = curriculum.favourable
    if not favourable.ranges.given():
        return dict(conditions)
    examples = len(conditions["pixel_size"])
    width = curriculum.width(progress)
    chosen = rng.random(examples) < 1 - width * (1 - favourable.share)
    easy = draw_conditions(ranges.but(**favourable.ranges.given()), examples, rng)
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
