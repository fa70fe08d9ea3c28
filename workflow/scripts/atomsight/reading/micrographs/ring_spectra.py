"""Spectra of images by rings of spatial frequency, to compare images of different focus."""

from dataclasses import dataclass

import numpy as np
from scipy import fft

#: Step in which shifts are searched [Å].
STEP_A = 0.2

#: Spatial frequencies that are compared, and the width of a ring of them [1/Å].
_FREQUENCIES_PER_A, _RING_PER_A = (0.04, 1.0), 0.05

#: Share of the sampling's Nyquist frequency beyond which nothing is compared.
_NYQUIST_SHARE = 0.9

#: The power of a coefficient is limited to its ring's usual power times the inverse of this.
_LIMIT = 0.3

#: Width of the edge over which images fade out [Å].
_FADE_A = 3.0


@dataclass(frozen=True)
class RingSpectrum:
    """Fourier coefficients on the half plane of the spatial frequencies that are compared."""

    k: tuple[np.ndarray, np.ndarray]  # along y, shape (M, 1), and x, shape (1, N) [1/Å]
    ring: np.ndarray  # (M, N), number of the ring; -1 for what is not compared
    weight: np.ndarray  # (1, N), coefficients of the whole plane that one stands for
    values: np.ndarray  # (F, M, N), limited in amplitude, the power of every ring one

    @property
    def rings(self) -> int:
        """Number of rings."""
        return int(self.ring.max()) + 1

    def independent(self, first: int, second: int) -> np.ndarray:
        """Independent products of the coefficients of two images in every ring, as if not padded.

        The variance of the real part of their coherence by chance is one over twice this number,
        which a few strong coefficients in a ring make small.
        """
        chosen = self.ring >= 0
        power = np.abs(self.values[[first, second]]) ** 2
        products = (self.weight * power[0] * power[1])[chosen]
        variance = np.bincount(self.ring[chosen], products)
        return np.divide(0.5, variance, out=np.zeros_like(variance), where=variance > 0)


def ring_spectrum(faded: np.ndarray, pixel_size_A: float, padding_A: float) -> RingSpectrum:
    """Take the spectra of faded images, put into zeros of the given width.

    They are laid out as a real Fourier transform of :func:`grid_points` points gives them.
    """
    size = padded_size(faded.shape[1:], pixel_size_A, padding_A)
    rows, columns = grid_points(size, pixel_size_A)
    orders_y, orders_x = fft.fftfreq(rows, 1 / rows).astype(int), np.arange(columns // 2 + 1)
    k_y = orders_y[:, None] / (size[0] * pixel_size_A)
    k_x = orders_x[None] / (size[1] * pixel_size_A)
    ring = _rings(np.hypot(k_y, k_x), pixel_size_A, min(faded.shape[1:]) * pixel_size_A)
    values = np.stack(
        [fft.rfft2(image, size)[np.ix_(orders_y % size[0], orders_x)] for image in faded]
    )
    weight = np.where(k_x > 0, 2.0, 1.0)
    return RingSpectrum((k_y, k_x), ring, weight, _limited(values, ring, weight))


def padded_size(shape: tuple[int, ...], pixel_size_A: float, padding_A: float) -> list[int]:
    """Pixels along each axis with the padding."""
    return [
        fft.next_fast_len(edge + int(padding_A / pixel_size_A) + 1, real=True) for edge in shape
    ]


def grid_points(size: list[int], pixel_size_A: float) -> list[int]:
    """Points along y and x of the grid on which shifts are searched.

    Their step is :data:`STEP_A`, or a pixel if that is larger.
    """
    step_A = max(STEP_A, pixel_size_A)
    return [min(edge, fft.next_fast_len(int(edge * pixel_size_A / step_A) + 1)) for edge in size]


def _rings(k: np.ndarray, pixel_size_A: float, view_A: float) -> np.ndarray:
    lowest, highest = _FREQUENCIES_PER_A
    highest = min(highest, _NYQUIST_SHARE / (2 * pixel_size_A))
    width = max(_RING_PER_A, 1.5 / view_A)
    ring = np.floor((k - lowest) / width).astype(int)
    return np.where(ring < int((highest - lowest) / width), np.maximum(ring, -1), -1)


def _limited(values: np.ndarray, ring: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Limit the power of every coefficient, and make the total power of every ring one."""
    limited = np.zeros_like(values)
    for number in np.unique(ring[ring >= 0]):
        chosen = ring == number
        power = np.abs(values[:, chosen]) ** 2
        # The power of noise is distributed exponentially: its mean is the median over ln 2.
        usual = np.median(power, axis=1, keepdims=True) / np.log(2) + np.finfo("f4").tiny
        part = values[:, chosen] / np.sqrt(usual + _LIMIT * power)
        both = np.broadcast_to(weight, ring.shape)[chosen]
        total = np.sum(both * np.abs(part) ** 2, axis=1, keepdims=True)
        limited[:, chosen] = part / np.sqrt(total + np.finfo("f4").tiny)
    return limited


def faded_contrast(images: np.ndarray, pixel_size_A: float) -> tuple[np.ndarray, np.ndarray]:
    """Deviation of images (F, H, W) from their mean, faded out at the edges; and the factor."""
    fade = 1.0
    for count in images.shape[1:]:
        depth_A = (0.5 + np.minimum(np.arange(count), np.arange(count)[::-1])) * pixel_size_A
        width_A = min(_FADE_A, count * pixel_size_A / 4)
        along = 0.5 - 0.5 * np.cos(np.pi * np.clip(depth_A / width_A, 0, 1))
        fade = np.multiply.outer(fade, along).astype(np.float32)
    mean = np.sum(images * fade, axis=(1, 2), keepdims=True) / fade.sum()
    return (images - mean) * fade, fade
