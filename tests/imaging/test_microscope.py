"""The microscope against abTEM and against theory."""

import abtem
import numpy as np
import pytest
from keras.ops import convert_to_numpy
from scipy.stats import norm
from scipy.stats import poisson as poisson_law

from atomsight.geometry import beam_orders, electron_wavelength_A
from atomsight.imaging import microscope, poisson
from atomsight.imaging.coherence import temporal_envelope

ENERGY_EV = 80e3
CELL_A = (21.6, 21.6)
ORDERS = 69
GRID = 180
OPTICS = {"C10": 83.0, "C12": 30.0, "phi12": 0.4, "C30": -11.5e4, "C50": 2e7}


CENTRE = ORDERS // 2
K_PER_A = np.hypot(*np.meshgrid(beam_orders(ORDERS), beam_orders(ORDERS))) / CELL_A[0]
#: Where abTEM has its pixels.
POSITIONS_A = np.arange(GRID) * CELL_A[0] / GRID


def wave(scattered):
    """An exit wave: the beam that goes straight through, and what is scattered."""
    spectrum = np.broadcast_to(scattered, (ORDERS, ORDERS)).astype(np.complex64)
    spectrum[CENTRE, CENTRE] = 1
    return spectrum


def random_wave(seed=0):
    """A weak random object with a spectrum inside the band limit."""
    rng = np.random.default_rng(seed)
    scattered = rng.normal(size=(ORDERS, ORDERS)) + 1j * rng.normal(size=(ORDERS, ORDERS))
    return wave(0.01 * scattered * np.exp(-(K_PER_A**2)) * (K_PER_A < 1.5))


def conditions(spectrum, rows, columns, **optics):
    optics = OPTICS | optics
    coefficients = [
        optics["C10"],
        optics["C12"] * np.cos(2 * optics["phi12"]),
        optics["C12"] * np.sin(2 * optics["phi12"]),
        optics["C30"],
        optics["C50"],
    ]
    return {
        "spectra": np.stack([spectrum.real, spectrum.imag], -1)[None, None],
        "aberrations": np.array([[coefficients]], "float32"),
        "focal_spread": np.array([[28.0]], "float32"),
        "vibration": np.zeros((1, 1), "float32"),
        "rows": np.asarray(rows, "float32")[None, None],
        "columns": np.asarray(columns, "float32")[None, None],
    }


def make_microscope(**options):
    return microscope.Microscope(ORDERS, CELL_A, ENERGY_EV, **options)


def image(spectrum, rows, columns, **optics):
    intensity = make_microscope().intensity(conditions(spectrum, rows, columns, **optics))
    return convert_to_numpy(intensity)[0, 0]


ABTEMS = abtem.CTF(energy=ENERGY_EV, focal_spread=28.0, **OPTICS)


def test_transfer_function_is_abtems():
    k = beam_orders(ORDERS) / CELL_A[0]
    wavelength = electron_wavelength_A(ENERGY_EV)
    # abTEM's arrays are [x, y].
    alpha = wavelength * np.hypot(k[:, None], k[None, :]).T
    phi = np.arctan2(k[:, None], k[None, :]).T
    expected = np.asarray(ABTEMS._evaluate_from_angular_grid(alpha, phi)).T
    given = conditions(random_wave(), [0.0], [0.0])
    real, imaginary = make_microscope().transfer(given["aberrations"])
    envelope = temporal_envelope(given["focal_spread"], k[:, None] ** 2 + k**2, wavelength)
    found = convert_to_numpy(real) + 1j * convert_to_numpy(imaginary)
    found = (found * convert_to_numpy(envelope))[0, 0]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_intensity_is_abtems():
    spectrum = random_wave()
    padded = np.zeros((GRID, GRID), np.complex64)
    padded[np.ix_(beam_orders(ORDERS), beam_orders(ORDERS))] = spectrum
    # abTEM's arrays are [x, y].
    array = np.fft.ifft2(padded, norm="forward").T.astype(np.complex64)
    exit_wave = abtem.Waves(array, energy=ENERGY_EV, sampling=CELL_A[0] / GRID)
    expected = exit_wave.apply_ctf(ABTEMS).intensity().array.T
    np.testing.assert_allclose(image(spectrum, POSITIONS_A, POSITIONS_A), expected, rtol=1e-4)


def test_resampling_is_exact_on_any_grid():
    """A finer, shifted, mirrored grid meets the coarse one where their pixels coincide."""
    spectrum = random_wave(1)
    coarse = image(spectrum, np.arange(30) * 0.12, np.arange(40) * 0.12)
    fine = image(spectrum, np.arange(60)[::-1] * 0.06, 0.48 + np.arange(80) * 0.06 - CELL_A[0])
    np.testing.assert_allclose(fine[1::2][::-1][:, :72:2], coarse[:, 4:], rtol=1e-4)


def test_energy_is_conserved():
    """Parseval: without damping the mean intensity is the sum of the squared beams."""
    spectrum = random_wave(2)
    given = conditions(spectrum, POSITIONS_A, POSITIONS_A)
    given["focal_spread"][:] = 0
    intensity = convert_to_numpy(make_microscope().intensity(given))
    assert intensity.mean() == pytest.approx(np.sum(np.abs(spectrum) ** 2), rel=1e-5)


def test_contrast_has_the_sign_of_the_microscopists_optimum():
    """80 kV, Cs −11.5 µm, C10 +83 Å gives bright atoms; the opposite sign dark ones."""
    atom = wave(0.002j * np.exp(-((K_PER_A / 0.8) ** 2)))
    flat = {"C12": 0.0, "C50": 0.0}
    assert image(atom, [0.0], [0.0], **flat)[0, 0] > 1.05
    assert image(atom, [0.0], [0.0], **flat, C10=-83.0, C30=11.5e4)[0, 0] < 0.95


def test_phase_contrast_vanishes_where_theory_says():
    """A pure defocus transfers no phase contrast where sin(π λ C10 k²) is zero."""
    order = 20
    k = order / CELL_A[0]
    first_zero = 1 / (electron_wavelength_A(ENERGY_EV) * k**2)
    grating = wave(0)
    grating[CENTRE, [CENTRE - order, CENTRE + order]] = 0.001j
    only = {"C12": 0.0, "C30": 0.0, "C50": 0.0}
    at_zero = image(grating, [0.0], POSITIONS_A, C10=first_zero, **only)
    between = image(grating, [0.0], POSITIONS_A, C10=first_zero / 2, **only)
    assert np.ptp(at_zero) < 0.01 * np.ptp(between)


def test_vibration_damps_a_fringe_by_the_gaussian_factor():
    """Rms 0.25 Å leaves 0.76 of the 2.13 Å fringe of graphene and 0.44 of the 1.23 Å one."""
    k_squared = np.array([[1 / 2.13**2, 1 / 1.23**2]])
    factor = microscope.vibration_envelope(np.array([0.25]), k_squared)
    np.testing.assert_allclose(convert_to_numpy(factor)[0, 0], [0.76, 0.44], atol=0.005)


def test_noise_is_poisson():
    means = [0.14, 3.0, 200.0]
    mean = np.repeat(means, 20000).astype("float32")
    counts = convert_to_numpy(poisson.draw(mean, np.array([1, 2], "int32")))
    assert (counts == np.round(counts)).all()
    for expected, group in zip(means, np.split(counts, 3), strict=True):
        assert group.mean() == pytest.approx(expected, rel=0.03)
        assert group.var() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("mean", [10.0, 40.0, 1500.0])
def test_counts_made_of_normal_numbers_have_poissons_distribution(mean):
    """The share of every count is within 1e-3 of Poisson's, over evenly spread quantiles."""
    chances = (np.arange(2**19) + 0.5) / 2**19
    means = np.full(chances.shape, mean, "float32")
    counts = convert_to_numpy(poisson.from_normal(norm.ppf(chances).astype("float32"), means))
    numbers = np.arange(counts.max() + 1)
    shares = np.bincount(counts.astype(int), minlength=len(numbers)) / len(counts)
    assert counts.min() >= 0
    assert np.abs(shares - poisson_law.pmf(numbers, mean)).sum() / 2 < 1e-3
    assert counts.var() == pytest.approx(mean, rel=2e-4)


def test_noise_of_bright_images_is_poisson():
    counts = convert_to_numpy(
        poisson.draw(np.full(200_000, 12.0, "float32"), np.array([1, 2], "int32"))
    )
    assert (counts == np.round(counts)).all()
    shares = np.bincount(counts.astype(int), minlength=40)[:40] / len(counts)
    np.testing.assert_allclose(shares, poisson_law.pmf(np.arange(40), 12), atol=0.003)


def vacuum_image(seed, size=128, camera=0, gain_spread=0, readout_e=0, **options):
    positions = np.arange(size) * 0.12
    given = conditions(wave(0), positions, positions) | {
        "dose": np.array([[2000.0]], "float32"),
        "mtf": np.array([[[0.05, 0.5, 2.5]]], "float32"),
        "camera": np.array([[camera]], "float32"),
        "gain_spread": np.array([[gain_spread]], "float32"),
        "readout": np.array([[readout_e]], "float32"),
        "pixel_size": np.array([0.12], "float32"),
        "seed": np.array([seed, 0], "int32"),
    }
    return convert_to_numpy(make_microscope(**options)(given))[0, 0]


def noise_power(**options):
    """Power spectrum of vacuum over that of white noise, and q / q_N, many images averaged."""
    images = np.stack([vacuum_image(seed, **options) for seed in range(20)]) - 1
    power = np.mean(np.abs(np.fft.fft2(images)) ** 2, axis=0) / images[0].size
    return power * 2000 * 0.12**2, microscope.nyquist_fraction(images.shape[-1])


def test_noise_spectrum_is_the_squared_mtf_and_isotropic():
    power, fraction = noise_power()
    expected = ((1 - 0.05) / (1 + (fraction / (2 * 0.5)) ** 2.5) + 0.05) ** 2
    for low, high in ((0.05, 0.3), (0.3, 0.6), (0.6, 1.0)):
        ring = (fraction > low) & (fraction <= high)
        assert power[ring].mean() == pytest.approx(expected[ring].mean(), rel=0.05)
    ring = (fraction > 0.4) & (fraction <= 0.9)
    along_axes = np.abs(np.sin(2 * np.arctan2(*np.meshgrid(*2 * [np.fft.fftfreq(128)])))) < 0.5
    ratio = power / expected
    along, across = ratio[ring & along_axes].mean(), ratio[ring & ~along_axes].mean()
    assert along == pytest.approx(across, rel=0.05)


@pytest.mark.parametrize(("camera", "value"), [(1, 0.8), (2, 0.3), (0, None)])
def test_an_image_has_a_measured_mtf_or_the_formula(camera, value):
    tables = [[[0.0, 1.0], [0.5, 0.8], [1.0, 0.2]], [[0.0, 1.0], [0.5, 0.3], [1.0, 0.1]]]
    power, fraction = noise_power(mtf_tables=tables, camera=camera)
    ring = (fraction > 0.45) & (fraction < 0.55)
    expected = value or 0.95 / (1 + 0.5**2.5) + 0.05
    assert power[ring].mean() == pytest.approx(expected**2, rel=0.15)


def test_each_electron_leaves_a_signal_of_its_own_and_the_readout_adds_noise():
    """Behind a perfect lens: the variance is N (1 + s²) before the camera's blur, r² after it."""
    noisy = {"camera_noise": True, "camera": 1, "mtf_tables": [[[0.0, 1.0], [1.0, 1.0]]]}
    electrons = 2000 * 0.12**2
    for spread, readout_e in ((0.0, 0.0), (0.7, 0.0), (0.0, 6.0), (0.7, 6.0)):
        given = {"gain_spread": spread, "readout_e": readout_e}
        counts = electrons * np.stack([vacuum_image(seed, **given, **noisy) for seed in range(8)])
        assert counts.mean() == pytest.approx(electrons, rel=0.01)
        variance = electrons * (1 + spread**2) + readout_e**2
        assert counts.var() == pytest.approx(variance, rel=0.03)
    blurred = [[[0.0, 1.0], [0.2, 0.1], [1.0, 0.1]]]
    power, fraction = noise_power(**noisy | {"mtf_tables": blurred}, readout_e=6.0)
    assert power[fraction > 0.5].mean() == pytest.approx(0.1**2 + 36 / electrons, rel=0.05)


def test_the_layer_is_made_again_from_its_configuration():
    made = make_microscope(
        mtf_tables=[[[0.0, 1.0], [1.0, 0.5]]], coherent_modes=3, camera_noise=True
    )
    again = microscope.Microscope.from_config(made.get_config())
    assert again.get_config() == made.get_config()


def test_images_of_snapshots_are_averaged_not_their_waves():
    waves = [random_wave(seed) for seed in (1, 2)]
    rows = np.arange(40) * 0.12
    one, other = (conditions(wave, rows, rows) for wave in waves)
    both = one | {"spectra": np.concatenate([one["spectra"], other["spectra"]], axis=1)}
    averaged = convert_to_numpy(make_microscope().intensity(both))[0, 0]
    mean = sum(image(wave, rows, rows) for wave in waves) / 2
    np.testing.assert_allclose(averaged, mean, atol=1e-5)
