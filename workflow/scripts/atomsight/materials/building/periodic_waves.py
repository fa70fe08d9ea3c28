"""Smooth random functions of the place that are periodic as a sheet is."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PeriodicWaves:
    """Smooth random functions of the place, periodic in a square, of unit root mean square."""

    vectors: np.ndarray  # angular wave vectors, shape (W, 2) [rad/Å]
    amplitudes: np.ndarray  # in each of D components, shape (W, D)
    phases: np.ndarray  # likewise

    @classmethod
    def draw(cls, size: float, components: int, rng: np.random.Generator) -> "PeriodicWaves":
        """Draw so many functions, of periods down to half the square's edge."""
        orders = np.array([(x, y) for x in range(3) for y in range(-2, 3) if (x, y) > (0, 0)])
        amplitudes = rng.standard_normal((len(orders), components))
        amplitudes *= np.sqrt(2) / np.linalg.norm(amplitudes, axis=0)
        return cls(
            2 * np.pi / size * orders, amplitudes, rng.uniform(0, 2 * np.pi, amplitudes.shape)
        )

    def values(self, places: np.ndarray) -> np.ndarray:
        """Values at places of shape (N, 2) [Å], shape (N, D)."""
        angles = (places @ self.vectors.T)[:, :, None] + self.phases
        return np.einsum("nwd,wd->nd", np.sin(angles), self.amplitudes)

    def slopes(self, places: np.ndarray) -> np.ndarray:
        """Derivatives along x and y at places of shape (N, 2) [Å], shape (N, D, 2)."""
        angles = (places @ self.vectors.T)[:, :, None] + self.phases
        return np.einsum("nwd,wd,wi->ndi", np.cos(angles), self.amplitudes, self.vectors)
