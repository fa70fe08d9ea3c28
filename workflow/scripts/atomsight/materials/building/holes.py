"""Where sheets end: irregular holes, and strips of vacuum with wavy edges."""

import numpy as np

from atomsight.materials.building.periodic_waves import PeriodicWaves

#: Mean width of a strip of vacuum, and how much its edges wander [Å].
_STRIP_WIDTH_A, _STRIP_WAVE_A = (5.0, 16.0), 2.0


def outside_holes(
    sites: np.ndarray,
    size: float,
    max_holes: int,
    radius_A: tuple[float, float],
    strip_share: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Mark the sites outside random holes, and in some sheets outside a strip through the box.

    The outline of a hole is a circle whose radius varies smoothly with the azimuth: a Fourier
    series with random coefficients that fall off with the order.
    """
    keep, orders = np.ones(len(sites), dtype=bool), np.arange(1, 7)
    for _ in range(rng.integers(0, max_holes, endpoint=True)):
        apart = sites - rng.uniform(0, size, 2)
        apart -= size * np.round(apart / size)
        azimuth = np.arctan2(apart[:, 1], apart[:, 0])
        lobes = np.cos(azimuth[:, None] * orders + rng.uniform(0, 2 * np.pi, len(orders)))
        outline = 1 + lobes @ (0.3 * rng.standard_normal(len(orders)) / orders)
        keep &= np.linalg.norm(apart, axis=1) > rng.uniform(*radius_A) * outline
    if rng.uniform() < strip_share:
        across = sites[:, rng.integers(2)] - rng.uniform(0, size)
        edges = _STRIP_WAVE_A * PeriodicWaves.draw(size, 2, rng).values(sites)
        half = rng.uniform(*_STRIP_WIDTH_A) / 2
        across -= size * np.round(across / size)
        keep &= (across < edges[:, 0] - half) | (across > edges[:, 1] + half)
    return keep
