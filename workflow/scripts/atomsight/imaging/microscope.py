"""The microscope: from exit waves to images, in a function that Keras compiles.

Everything here runs on any backend of Keras. Leading axes ``...`` are batch and, for focal series,
frame. Waves and intensities are centred, band-limited spectra; complex numbers go as pairs
``(real, imaginary)``. Because an intensity is band-limited, it can be evaluated on any grid of
pixels without interpolation, by two matrix products (:func:`sample`).

The order is: transfer function, squared modulus, mean over the spread of defocus, vibration,
sampling on the grid of pixels, Poisson noise of the electrons and of what each leaves in the
camera, modulation transfer function of the camera, noise of its readout.

The spread of defocus is an envelope or a sum of coherent images, see
:mod:`atomsight.imaging.coherence`.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops
from scipy.fft import next_fast_len

from atomsight.config.microscope import MicroscopeSettings
from atomsight.files.records import Waves
from atomsight.geometry import beam_orders, electron_wavelength_A
from atomsight.imaging import poisson
from atomsight.imaging.coherence import coherent_modes, temporal_envelope

#: The aberrations, in the order of the last axis of a coefficient tensor [Å]: defocus C10, the two
#: components of twofold astigmatism C12 cos 2φ12 and C12 sin 2φ12, spherical C30, fifth-order C50.
ABERRATIONS = ("C10", "C12a", "C12b", "C30", "C50")

#: What is added to the seed of the electrons' noise for other noise.
_OF_PHOTONS, _OF_READOUT = (np.array(one, "int32") for one in ((0, 1), (0, 2)))

#: A Poisson number of this mean is as good as a normal one.
_NEARLY_NORMAL = 400.0

Complex = tuple[keras.KerasTensor, keras.KerasTensor]


def aberration_basis(k_y: np.ndarray, k_x: np.ndarray, wavelength_A: float) -> np.ndarray:
    """Phase of the transfer function per ångström of each aberration [rad/Å], shape (K_y, K_x, 5).

    The phase χ is this times the coefficients, in the order of :data:`ABERRATIONS`. Kirkland,
    *Advanced Computing in Electron Microscopy*, eq 2.22; the paper, eq 4.
    """
    y, x = wavelength_A * k_y[:, None], wavelength_A * k_x[None, :]
    square = x**2 + y**2
    return (2 * np.pi / wavelength_A) * np.stack(
        [square / 2, (x**2 - y**2) / 2, x * y, square**2 / 4, square**3 / 6], axis=-1
    )


def vibration_envelope(vibration_A: keras.KerasTensor, square_k: np.ndarray) -> keras.KerasTensor:
    """Damping ``exp(-2 π² σ² k²)`` of an intensity by a Gaussian vibration, shape (..., K_y, K_x).

    ``vibration_A`` of shape (...) is the root mean square displacement σ along one axis of the
    specimen against the camera, and ``square_k`` is k² [1/Å²].
    """
    square = (2 * np.pi**2 * square_k).astype("float32")
    return ops.exp(-ops.square(vibration_A)[..., None, None] * square)


def squared_modulus(wave: Complex, grid: int) -> keras.KerasTensor:
    """Intensity of a wave of shape (..., n, n) on a grid, shape (..., grid, grid).

    The ``grid`` must have at least ``2 n - 1`` points along an edge, so that nothing is aliased.
    """
    orders = wave[0].shape[-1]
    lead = [(0, 0)] * (len(wave[0].shape) - 2)
    # The padding puts the zeroth order off its place; this is a phase, and the modulus loses it.
    padded = tuple(ops.pad(part, [*lead, (0, grid - orders), (0, grid - orders)]) for part in wave)
    real, imaginary = ops.ifft2(padded)
    return (ops.square(real) + ops.square(imaginary)) * float(grid) ** 4


def intensity_spectrum(intensity: keras.KerasTensor, orders: int) -> tuple[Complex, Complex]:
    """Spectrum of an intensity (..., grid, grid) whose wave has an odd number of ``orders``.

    Gives, for the orders from zero up along y and x, its sum and its difference over both signs of
    the order along y, each of shape (..., orders, orders). The rest follows, as an intensity is
    real.
    """
    grid = intensity.shape[-1]
    parts = ops.fft2((intensity, ops.zeros_like(intensity)))
    upper = tuple(part[..., :orders, :orders] for part in parts)
    negative = -np.arange(orders) % grid
    lower = tuple(ops.take(part[..., :orders], negative, axis=-2) for part in parts)
    # The zeroth order has no sign and is not counted twice.
    scale = (np.where(np.arange(orders) == 0, 0.5, 1.0) / grid**2).astype("float32")[:, None]
    pairs = list(zip(upper, lower, strict=True))
    return tuple((up + low) * scale for up, low in pairs), tuple(
        (up - low) * scale for up, low in pairs
    )


def plane_waves(frequencies: np.ndarray, positions: keras.KerasTensor) -> Complex:
    """Values ``exp(2πi k x)`` at positions of shape (..., P) [Å], shape (..., P, K)."""
    phase = positions[..., None] * (2 * np.pi * frequencies).astype("float32")
    return ops.cos(phase), ops.sin(phase)


def sample(
    spectrum: tuple[Complex, Complex],
    cell_A: tuple[float, float],
    y: keras.KerasTensor,
    x: keras.KerasTensor,
) -> keras.KerasTensor:
    """Evaluate a band-limited intensity on a grid of pixels, exactly.

    ``spectrum`` is what :func:`intensity_spectrum` gives; ``y`` of shape (..., H) and ``x`` of
    shape (..., W) are the positions of rows and columns [Å]. Gives shape (..., H, W).
    """
    even, odd = spectrum
    orders = np.arange(even[0].shape[-1])
    # exp(ia) S(k) + exp(-ia) S(-k) = cos(a) [S(k) + S(-k)] + i sin(a) [S(k) - S(-k)]; as one real
    # product for real and imaginary part.
    wave_y = ops.concatenate(plane_waves(orders / cell_A[1], y), axis=-1)
    parts = [ops.concatenate(even, axis=-1), ops.concatenate((-odd[1], odd[0]), axis=-1)]
    rows = ops.matmul(wave_y, ops.concatenate(parts, axis=-2))
    # Orders of both signs along x carry the same, but for the zeroth, which stands alone.
    weight = ops.convert_to_tensor(np.where(orders == 0, 1.0, 2.0).astype("float32"))
    cosine, sine = plane_waves(orders / cell_A[0], x)
    wave_x = ops.concatenate((weight * cosine, -weight * sine), axis=-1)
    return ops.matmul(rows, ops.swapaxes(wave_x, -1, -2))


def _times_each(left: Complex, right: Complex) -> Complex:
    """Product of complex numbers."""
    real = left[0] * right[0] - left[1] * right[1]
    return real, left[0] * right[1] + left[1] * right[0]


def nyquist_fraction(size: int) -> np.ndarray:
    """Frequency of every beam of a square image in units of its Nyquist frequency, in FFT order."""
    frequency = 2 * np.fft.fftfreq(size)
    return np.hypot(frequency[:, None], frequency[None, :])


def modulation_transfer(coefficients: keras.KerasTensor, fraction: np.ndarray) -> keras.KerasTensor:
    """Modulation transfer function of a camera as a formula, the paper's eq 5.

    ``(1 - c1) / (1 + (q / (2 c2 q_N))^c3) + c1`` of coefficients of shape (..., 3) and the
    fractions q / q_N of shape (H, W); gives shape (..., H, W).
    """
    c1, c2, c3 = (coefficients[..., index, None, None] for index in range(3))
    # x^c = exp(c log x), with the zeroth order kept away from the logarithm's pole.
    logarithm = ops.convert_to_tensor(np.log(np.maximum(fraction, 1e-6)).astype("float32"))
    power = ops.exp(c3 * (logarithm - ops.log(2 * c2)))
    return (1 - c1) / (1 + power) + c1


def tabulated_modulation_transfer(table: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    """Modulation transfer function of a camera as measured, interpolated linearly.

    ``table`` has rows of ``q / q_N``, rising, and the value there. The last value is kept beyond
    it.
    """
    return np.interp(fraction, table[:, 0], table[:, 1]).astype("float32")


def filter_image(image: keras.KerasTensor, transfer: keras.KerasTensor) -> keras.KerasTensor:
    """Multiply the spectrum of an image, signal and noise alike.

    ``transfer`` is the factor of every beam, in FFT order; it is even in the frequency.
    """
    real, imaginary = ops.fft2((image, ops.zeros_like(image)))
    return ops.ifft2((real * transfer, imaginary * transfer))[0]


@keras.saving.register_keras_serializable("atomsight")
class Microscope(keras.layers.Layer):
    """Images of exit waves under given conditions.

    ``orders`` is the size of the spectra of the waves, odd; ``cell_A`` the periods ``(x, y)`` of
    the waves; ``mtf_tables`` are measured modulation transfer functions of shape (N, 2) (q / q_N,
    value). The spread of defocus is a sum of ``coherent_modes``; with one,
    the temporal envelope takes its place. Without ``camera_noise`` there is none but that of the
    electrons' number.

    Input: a dict of tensors, B images or focal series of F frames each:

    ============== ================== ==========================================================
    spectra        (B, P, n, n, 2)    spectra of the waves, real and imaginary parts; the
                                      intensities of the P snapshots are averaged
    aberrations    (B, F, 5)          coefficients in the order of :data:`ABERRATIONS` [Å]
    focal_spread   (B, F)             1/e half-width [Å]
    vibration      (B, F)             rms displacement [Å]
    dose           (B, F)             electrons [e/Å²]
    camera         (B, F)             0 for one by eq 5, n for the n-th of the tables
    mtf            (B, F, 3)          coefficients of eq 5
    gain_spread    (B, F)             relative standard deviation of the signal of an electron
    readout        (B, F)             rms noise of the readout [e]
    rows, columns  (B, F, H)          positions of the pixels [Å], equally spaced
    pixel_size     (B,)               their distance [Å]
    seed           (2,) int32         seed of the noise
    ============== ================== ==========================================================

    Output: tensor of shape (B, F, H, H), electrons per pixel over the mean number of electrons.
    """

    def __init__(
        self,
        orders: int,
        cell_A: tuple[float, float],
        energy_eV: float,
        mtf_tables: Sequence[np.ndarray] = (),
        coherent_modes: int = 1,
        camera_noise: bool = False,
        **options: object,
    ):
        super().__init__(**options)
        self.orders = orders
        self.cell_A = tuple(cell_A)
        self.energy_eV = energy_eV
        self.coherent_modes = coherent_modes
        self.mtf_tables = tuple(np.asarray(table, dtype=float) for table in mtf_tables)
        self.camera_noise = camera_noise
        wavelength = electron_wavelength_A(energy_eV)
        beams = beam_orders(orders)
        k_y, k_x = beams / cell_A[1], beams / cell_A[0]
        self._wavelength_A = wavelength
        self._square_k = k_y[:, None] ** 2 + k_x[None, :] ** 2
        self._basis = aberration_basis(k_y, k_x, wavelength).astype("float32")
        k_y, k_x = (np.arange(orders) / period for period in (cell_A[1], cell_A[0]))
        self._square_q = k_y[:, None] ** 2 + k_x[None, :] ** 2
        self._grid = _next_fast_even(2 * orders - 1)

    @classmethod
    def behind(cls, waves: Waves, settings: MicroscopeSettings) -> "Microscope":
        """The microscope that takes the images of exit waves to train on."""
        return cls(
            waves.spectra.shape[-1],
            waves.cell_A,
            waves.energy_eV,
            mtf_tables=settings.mtf.tables,
            coherent_modes=settings.coherent_modes,
            camera_noise=max(*settings.gain_spread, *settings.readout_e) > 0,
        )

    def transfer(self, aberrations: keras.KerasTensor) -> Complex:
        """Contrast transfer function ``exp(-iχ)`` of aberrations (..., 5), shape (..., n, n).

        Kirkland, section 3.2.
        """
        phase = ops.einsum("...c,yxc->...yx", aberrations, self._basis)
        return ops.cos(phase), -ops.sin(phase)

    def intensity(self, conditions: dict[str, keras.KerasTensor]) -> keras.KerasTensor:
        """Image without noise before the camera, in units of the incident intensity, (B, F, H, H).

        What is said of dose, camera and seed in the conditions is not used.
        """
        transfer = self.transfer(conditions["aberrations"])
        spectra = (conditions["spectra"][:, None, ..., part] for part in (0, 1))
        waves = _times_each(tuple(part[:, :, None] for part in transfer), tuple(spectra))
        intensity = 0.0
        for factor in self._coherence(conditions["focal_spread"]):
            mode = tuple(part * factor[:, :, None] for part in waves)
            intensity += ops.mean(squared_modulus(mode, self._grid), axis=2)
        envelope = vibration_envelope(conditions["vibration"], self._square_q)
        damped = tuple(
            tuple(part * envelope for part in pair)
            for pair in intensity_spectrum(intensity, self.orders)
        )
        return sample(damped, self.cell_A, conditions["rows"], conditions["columns"])

    def _coherence(self, focal_spread: keras.KerasTensor) -> list[keras.KerasTensor]:
        """Factors of the beams, one for every coherent image."""
        given = (focal_spread, self._square_k, self._wavelength_A)
        if self.coherent_modes == 1:
            return [temporal_envelope(*given)]
        return coherent_modes(*given, self.coherent_modes)

    def call(self, conditions: dict[str, keras.KerasTensor]) -> keras.KerasTensor:
        area = ops.square(conditions["pixel_size"])[:, None]
        electrons = (conditions["dose"] * area)[..., None, None]
        mean = electrons * ops.maximum(self.intensity(conditions), 0.0)
        counts = poisson.draw(mean, conditions["seed"])
        if self.camera_noise:
            # So many photons that their Poisson noise is the spread of the electrons' signal.
            photons = 1 / ops.square(ops.maximum(conditions["gain_spread"], 0.01))[..., None, None]
            counts = poisson.draw(counts * photons, conditions["seed"] + _OF_PHOTONS) / photons
        fraction = nyquist_fraction(counts.shape[-1])
        transfer = modulation_transfer(conditions["mtf"], fraction)
        for number, table in enumerate(self.mtf_tables, 1):
            is_measured = ops.equal(conditions["camera"], number)[..., None, None]
            measured = tabulated_modulation_transfer(table, fraction)
            transfer = ops.where(is_measured, measured, transfer)
        counts = filter_image(counts, transfer)
        if self.camera_noise:
            many = ops.full_like(counts, _NEARLY_NORMAL)
            noise = poisson.draw(many, conditions["seed"] + _OF_READOUT) - many
            counts += conditions["readout"][..., None, None] * noise / _NEARLY_NORMAL**0.5
        return counts / electrons

    def get_config(self) -> dict:
        return super().get_config() | {
            "orders": self.orders,
            "cell_A": list(self.cell_A),
            "energy_eV": self.energy_eV,
            "mtf_tables": [table.tolist() for table in self.mtf_tables],
            "coherent_modes": self.coherent_modes,
            "camera_noise": self.camera_noise,
        }


def _next_fast_even(size: int) -> int:
    """Smallest even size from here on with no prime factor above five."""
    fast = next_fast_len(size)
    while fast % 2:
        fast = next_fast_len(fast + 1)
    return fast
