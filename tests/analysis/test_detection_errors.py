"""How often columns are missed and invented: fitted from counts, read at any measured dose."""

import numpy as np
import pytest

from atomsight.analysis.dynamics import detection_errors
from atomsight.errors import InputError


def test_beta_parameters_are_found_again():
    rng = np.random.default_rng(1)
    rates = rng.beta(2, 30, 2000)
    alpha, beta = detection_errors.fit_beta(rng.binomial(200, rates), np.full(2000, 200))
    assert alpha / (alpha + beta) == pytest.approx(2 / 32, rel=0.05)
    assert alpha + beta == pytest.approx(32, rel=0.15)


def test_beta_is_finite_where_nothing_happened_or_all_are_alike():
    alpha, beta = detection_errors.fit_beta(np.zeros(50), np.full(50, 40))
    assert 0 < alpha / (alpha + beta) < 1e-3
    assert 0 < alpha + beta <= detection_errors.LARGEST_CONCENTRATION + 1e-6
    alpha, beta = detection_errors.fit_beta(np.full(50, 4), np.full(50, 40))
    assert alpha / (alpha + beta) == pytest.approx(0.1, abs=0.01)
    alpha, beta = detection_errors.fit_beta(np.array([0, 3]), np.array([0, 3]))
    assert np.isfinite([alpha, beta]).all()
    with pytest.raises(InputError, match="no site to measure"):
        detection_errors.fit_beta(np.zeros(3), np.zeros(3))


@pytest.fixture
def errors_csv(tmp_path):
    path = tmp_path / "errors.csv"
    columns = "dose_e_per_A2,miss_alpha,miss_beta,false_alpha,false_beta"
    path.write_text(f"{columns}\n1000,2,98,1,99\n100,4,16,2,48\n")
    return path


def test_errors_are_read_at_and_between_the_doses(errors_csv):
    at_dose = detection_errors.read_errors(errors_csv, 1000)
    assert (at_dose.miss_alpha, at_dose.miss_beta) == pytest.approx((2, 98))
    assert at_dose.miss_rate == pytest.approx(0.02)
    assert at_dose.false_rate == pytest.approx(0.01)
    between = detection_errors.read_errors(errors_csv, np.sqrt(1e5))
    odds = np.sqrt(0.02 / 0.98 * 0.2 / 0.8)
    assert between.miss_rate == pytest.approx(odds / (1 + odds))
    assert between.miss_alpha + between.miss_beta == pytest.approx(np.sqrt(100 * 20))
    assert detection_errors.read_errors(errors_csv, 70).miss_rate == pytest.approx(0.2)
    assert detection_errors.read_errors(errors_csv, 1450).miss_rate == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("dose", "error", "sentence"),
    [
        (60, detection_errors.UncoveredDose, "from 100 to 1000 e/Å², not at 60"),
        *((dose, InputError, "give a positive number") for dose in (0, -3, np.nan)),
    ],
)
def test_a_dose_far_below_and_one_that_is_none_are_refused(errors_csv, dose, error, sentence):
    with pytest.raises(error, match=sentence):
        detection_errors.read_errors(errors_csv, dose)


def test_a_dose_above_takes_the_errors_of_the_highest_and_says_so(errors_csv, caplog):
    assert detection_errors.read_errors(errors_csv, 30_000).miss_rate == pytest.approx(0.02)
    assert "measured up to 1000 e/Å²" in caplog.text
