"""Performance against the dose: drawn where it belongs, and the script refuses what it must."""

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose

from atomsight.figures import dose_performance


def evaluation():
    hits, inventions, misses = np.array([[50, 90, 100], [20, 3, 0], [50, 10, 0]])
    return pd.DataFrame(
        {
            "dose_e_per_A2": [100, 1000, 10000],
            "true_positives": hits,
            "false_positives": inventions,
            "false_negatives": misses,
            "precision": hits / (hits + inventions),
            "recall": hits / (hits + misses),
            "f1": 2 * hits / (2 * hits + inventions + misses),
            "rms_error_A": [np.nan, 0.1, 0.05],
            "recall_boundary": [0.4, 0.8, 1.0],
        }
    )


def test_the_title_says_that_it_is_simulated():
    figure = dose_performance.draw(evaluation())
    assert [text.get_text() for text in figure.texts] == ["Simulated polycrystalline graphene"]


def test_errors_are_drawn_in_picometres_over_the_dose():
    figure = dose_performance.draw(evaluation())
    (line,) = figure.axes[1].lines
    assert_allclose(line.get_xdata(), [100, 1000, 10000])
    assert_allclose(line.get_ydata(), [np.nan, 10, 5])
