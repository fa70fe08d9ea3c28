"""Partial temporal coherence: the mean of images over the spread of defocus, with few images.

A spread of defocus damps the interference of the beams k and k' by ``exp[-(½ π λ Δ (k² - k'²))²]``,
the mutual coherence. To damp every beam by its interference with the direct one, the temporal
envelope, is the usual approximation. It is good where the direct beam is far stronger than all
others, as behind a single layer of light atoms. It takes away as well what two beams scattered by
the same angle make together, and electrons with it: behind 700 atoms of gold, one of eight.

The mutual coherence is a positive kernel, so it is a sum of products of real functions of k², the
modes, and the image a sum of coherent images: in optics the sum of coherent systems, N. B. Cobb,
Ph.D. thesis, Berkeley (1998). Four modes do what a dozen nodes of a quadrature over defocus do.
"""

import keras
import numpy as np
from keras import ops

#: Points of k² between the direct beam and the band limit on which the modes are found.
_POINTS = 24

#: Power of the direct beam against that of all scattered ones, and the square of the frequency over
#: which the latter falls to 1/e [1/Å²]. The modes are those that are best for such a wave; with
#: these values four serve thick gold at 300 kV as well as a layer of molybdenum sulfide at 80 kV.
_DIRECT_POWER = 1.0
_DECAY_PER_A2 = 0.7

#: Points in equal distances between which modes are interpolated linearly.
_FINE = 257


def temporal_envelope(
    focal_spread_A: keras.KerasTensor, square_k: np.ndarray, wavelength_A: float
) -> keras.KerasTensor:
    """Damping ``exp[-(½ π λ Δ k²)²]`` by the spread of defocus, shape (..., K_y, K_x).

    ``focal_spread_A`` of shape (...) is the 1/e half-width Δ of the distribution of defocus, and
    ``square_k`` of shape (K_y, K_x) is k² [1/Å²]. Kirkland, *Advanced Computing in Electron
    Microscopy*, section 3.2.
    """
    phase = (0.5 * np.pi * wavelength_A * square_k).astype("float32")
    return ops.exp(-ops.square(focal_spread_A[..., None, None] * phase))


def coherent_modes(
    focal_spread_A: keras.KerasTensor, square_k: np.ndarray, wavelength_A: float, modes: int
) -> list[keras.KerasTensor]:
    """Factors of the beams in every mode, of shape (..., K_y, K_x); their squares add up to one.

    Arguments as of :func:`temporal_envelope`.
    """
    limit = float(square_k.max())
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    points = np.append(0.0, (nodes + 1) * limit / 2)
    power = np.append(_DIRECT_POWER, weights * limit / 2 * np.exp(-points[1:] / _DECAY_PER_A2))
    root = np.sqrt(power).astype("float32")
    apart = (0.5 * np.pi * wavelength_A * (points[:, None] - points)).astype("float32")
    coherence = ops.exp(-ops.square(focal_spread_A[..., None, None] * apart))
    values, vectors = ops.eigh(coherence * (root[:, None] * root))
    values, vectors = (ops.flip(one[..., -modes:], axis=-1) for one in (values, vectors))
    found = vectors * ops.sqrt(ops.maximum(values[..., None, :], 0))
    fine = ops.matmul(_polynomials_through(points, np.linspace(0, limit, _FINE)) / root, found)
    fine /= ops.sqrt(ops.sum(ops.square(fine), axis=-1, keepdims=True))
    place = square_k * ((_FINE - 1) / limit)
    below = np.minimum(place.astype(int), _FINE - 2)
    part = (place - below).astype("float32")
    return [
        ops.take(fine[..., mode], below, axis=-1) * (1 - part)
        + ops.take(fine[..., mode], below + 1, axis=-1) * part
        for mode in range(modes)
    ]


def _polynomials_through(points: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Values at places (M,) of the polynomials that are one at one of points (N,), shape (M, N)."""
    scaled = 2 * points / points.max() - 1
    values = np.polynomial.legendre.legvander(scaled, len(points) - 1)
    there = np.polynomial.legendre.legvander(2 * places / points.max() - 1, len(points) - 1)
    return np.linalg.solve(values.T, there.T).T.astype("float32")
