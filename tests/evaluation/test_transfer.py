"""What a microscope passes: envelopes, information limit, phase contrast of lattice planes."""

import numpy as np
from numpy.testing import assert_allclose

from atomsight.config.phantoms import AcquisitionSettings, PristineSettings
from atomsight.evaluation import transfer
from atomsight.geometry import electron_wavelength_A
from atomsight.phantoms import acquisition, specimens
from atomsight.phantoms.specimens import BOND_A

STILL = AcquisitionSettings(rows=96, columns=96, vibration_A=0.0)


def test_without_vibration_the_limit_is_the_formula_of_o_keefe():
    deviation_A = STILL.focal_spread_A / np.sqrt(2)
    expected = np.sqrt(np.pi * electron_wavelength_A(80e3) * deviation_A / 2)
    assert_allclose(transfer.information_limit_A(STILL), expected, rtol=1e-6)


def test_vibration_alone_passes_exp_minus_2_at_pi_times_its_rms():
    optics = STILL.but(focal_spread_A=0.0, vibration_A=0.2)
    assert_allclose(transfer.information_limit_A(optics), np.pi * 0.2, rtol=1e-6)


def test_the_limit_is_where_the_envelope_is_exp_minus_2():
    optics = STILL.but(focal_spread_A=37.0, vibration_A=0.22)
    limit_A = transfer.information_limit_A(optics)
    assert_allclose(transfer.envelope(1 / limit_A, optics), np.exp(-2))
    # The worst corner of the usual ranges does not resolve a bond, the best does by far.
    worst = STILL.but(focal_spread_A=40.0, vibration_A=0.25)
    best = STILL.but(focal_spread_A=20.0)
    assert transfer.information_limit_A(best) < 1 < BOND_A < transfer.information_limit_A(worst)


def test_a_perfect_microscope_is_limited_by_its_pixels():
    optics = STILL.but(focal_spread_A=0.0, pixel_size_A=0.2)
    assert transfer.information_limit_A(optics) == 0.4


def test_an_image_loses_what_the_envelope_says():
    """The lattice's contrast in simulated images, with and without vibration."""
    sheet, _ = specimens.pristine_sheet(PristineSettings(size_A=(30, 30), ripple_A=0.0))
    wave = acquisition.exit_wave(sheet, STILL)
    shaken = STILL.but(vibration_A=0.3)
    images = [acquisition.image_wave(wave, optics) for optics in (STILL, shaken)]
    window = np.outer(np.hanning(96), np.hanning(96))
    spectra = [np.abs(np.fft.rfft2(window * (image - image.mean()))) for image in images]
    planes = np.unravel_index(spectra[0].argmax(), spectra[0].shape)
    before, after = (transfer.envelope(1 / transfer.PLANES_A, one) for one in (STILL, shaken))
    assert_allclose(spectra[1][planes] / spectra[0][planes], after / before, rtol=0.05)


def test_phase_contrast_follows_the_focus():
    """sin χ of an ideal lens: full contrast where χ = π/2, none where χ = π."""
    ideal = STILL.but(cs_um=0.0, focal_spread_A=0.0)
    quarter_A = transfer.PLANES_A**2 / (2 * electron_wavelength_A(80e3))
    for defocus_A, expected in ((quarter_A, 1), (-quarter_A, 1), (2 * quarter_A, 0)):
        optics = ideal.but(defocus_A=defocus_A)
        assert_allclose(transfer.phase_contrast(transfer.PLANES_A, optics), expected, atol=1e-6)
    # Astigmatism of that size leaves none along its axes and all of it between.
    optics = ideal.but(defocus_A=quarter_A, astigmatism_A=quarter_A)
    assert 0.4 < transfer.phase_contrast(transfer.PLANES_A, optics) < 0.9
