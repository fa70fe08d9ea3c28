"""How often columns are missed and invented: measured on simulated series, fitted, looked up."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import betaln, expit, logit

from atomsight.errors import InputError
from atomsight.files import sealed, tables

#: A dose this many times below the measured ones still takes the errors of the lowest.
DOSE_TOLERANCE = 1.5

#: Largest α + β that is fitted; beyond it, the sites do not differ noticeably.
LARGEST_CONCENTRATION = 1000.0

_ERROR_COLUMNS = ["dose_e_per_A2", "miss_alpha", "miss_beta", "false_alpha", "false_beta"]


class UncoveredDose(InputError):
    """Detection errors are not measured at so low a dose."""


@dataclass(frozen=True)
class DetectionErrors:
    """How often an occupied site is missed, and an empty one seen, at one dose.

    Over the sites, the miss rate follows Beta(miss_alpha, miss_beta), and likewise the rate of
    false detections at an empty site.
    """

    dose_e_per_A2: float
    miss_alpha: float
    miss_beta: float
    false_alpha: float
    false_beta: float

    @property
    def miss_rate(self) -> float:
        """Mean probability that an occupied site is not seen in a frame."""
        return self.miss_alpha / (self.miss_alpha + self.miss_beta)

    @property
    def false_rate(self) -> float:
        """Mean probability that an empty site is seen in a frame."""
        return self.false_alpha / (self.false_alpha + self.false_beta)


def read_errors(path: Path | str, dose_e_per_A2: float) -> DetectionErrors:
    """Read how often columns are missed and invented at a dose.

    Between the measured doses, the logit of the mean rates and the logarithm of α + β are linear in
    the logarithm of the dose. Above them, with a warning, the errors of the highest are taken: more
    electrons err no more often. UncoveredDose if the dose is below the measured range by more than
    :data:`DOSE_TOLERANCE`.
    """
    table = _read_error_table(path)
    doses = table["dose_e_per_A2"].to_numpy()
    if not (np.isfinite(dose_e_per_A2) and dose_e_per_A2 > 0):
        raise InputError(f"the dose of a frame is {dose_e_per_A2} e/Å²; give a positive number")
    if dose_e_per_A2 < doses[0] / DOSE_TOLERANCE:
        raise UncoveredDose(
            f"{path}: detection errors are measured from {doses[0]:g} to {doses[-1]:g} e/Å², not "
            f"at {dose_e_per_A2:g}; add the dose of the series to detection_errors.doses_e_per_A2"
        )
    if dose_e_per_A2 > doses[-1]:
        logging.warning(
            "detection errors are measured up to %g e/Å²; at %g they are taken to be the same",
            doses[-1],
            dose_e_per_A2,
        )
    parameters = []
    for kind in ("miss", "false"):
        alpha, beta = table[f"{kind}_alpha"].to_numpy(), table[f"{kind}_beta"].to_numpy()
        at_dose = np.log(dose_e_per_A2), np.log(doses)
        mean = expit(np.interp(*at_dose, logit(alpha / (alpha + beta))))
        concentration = np.exp(np.interp(*at_dose, np.log(alpha + beta)))
        parameters += [float(mean * concentration), float((1 - mean) * concentration)]
    return DetectionErrors(float(dose_e_per_A2), *parameters)


def _read_error_table(path: Path | str) -> pd.DataFrame:
    """Read the columns needed, by rising dose, and see that all are positive numbers."""
    numbers = tables.read_csv(path, _ERROR_COLUMNS)[_ERROR_COLUMNS].astype(float)
    if numbers.empty:
        raise InputError(f"{path}: the table has no row; {sealed.remedy(path)}")
    good = (np.isfinite(numbers) & (numbers > 0)).all(axis=1)
    if not good.all():
        raise InputError(
            f"{path}: row {int(np.argmin(good)) + 1} has a dose or a Beta parameter that is not a "
            "number above zero; make the table again"
        )
    return numbers.sort_values("dose_e_per_A2", ignore_index=True)


def fit_beta(successes: np.ndarray, trials: np.ndarray) -> tuple[float, float]:
    """Fit a Beta distribution, α and β, to rates that are known only by counts: a beta-binomial.

    They are where likelihood times prior is largest. The prior is weak: Jeffreys' of a single rate
    for the mean, and a log-normal of median 30 and a factor of e² for α + β, which is at most
    :data:`LARGEST_CONCENTRATION`. It keeps both finite where nothing ever happened, or where the
    sites do not differ. InputError if there is no trial at all.
    """
    successes, trials = np.asarray(successes, float), np.asarray(trials, float)
    if not trials.sum() > 0:
        raise InputError(
            "there is no site to measure detection errors at; use a longer series or a larger "
            "particle"
        )

    def cost(parameters: np.ndarray) -> float:
        mean, concentration = expit(parameters[0]), np.exp(parameters[1])
        alpha, beta = mean * concentration, (1 - mean) * concentration
        likelihood = betaln(alpha + successes, beta + trials - successes) - betaln(alpha, beta)
        prior = 0.5 * np.log(mean * (1 - mean)) - (parameters[1] - np.log(30)) ** 2 / (2 * 2**2)
        return -float(likelihood.sum() + prior)

    start = [logit((successes.sum() + 0.5) / (trials.sum() + 1)), np.log(30)]
    bounds = [(-16, 16), (0, np.log(LARGEST_CONCENTRATION))]
    mean, concentration = minimize(cost, start, method="L-BFGS-B", bounds=bounds).x
    concentration = np.exp(concentration)
    return float(expit(mean) * concentration), float(expit(-mean) * concentration)
