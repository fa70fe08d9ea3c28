"""Probabilities that come true."""

import numpy as np
import pytest
from made_images import blob

from atomsight.config.reading import SegmentationSettings
from atomsight.reading.probability_calibration import answered, fit_inverse_temperature
from atomsight.reading.segmentation import tempered


def drawn(inverse_temperature, count=20000):
    """Probabilities to which a power was done, and classes drawn from the true ones."""
    rng = np.random.default_rng(1)
    true = rng.dirichlet(np.full(4, 0.7), count)
    classes = (true.cumsum(axis=1) < rng.random((count, 1))).sum(axis=1)
    return tempered(true, 1 / inverse_temperature), classes


@pytest.mark.parametrize("inverse_temperature", [0.6, 1.0, 1.7])
def test_the_exponent_that_makes_probabilities_true_is_found(inverse_temperature):
    assert fit_inverse_temperature(*drawn(inverse_temperature)) == pytest.approx(
        inverse_temperature, rel=0.04
    )


def test_tempered_probabilities_come_true():
    shares, classes = drawn(1.7)
    stated = tempered(shares, fit_inverse_temperature(shares, classes))
    sure = stated.max(axis=1)
    right = stated.argmax(axis=1) == classes
    for low, high in ((0.4, 0.6), (0.6, 0.8), (0.8, 1.0)):
        chosen = (sure >= low) & (sure < high)
        assert right[chosen].mean() == pytest.approx(sure[chosen].mean(), abs=0.02)


def test_one_class_needs_no_sharpening():
    assert fit_inverse_temperature(np.ones((5, 1)), np.zeros(5, int)) == 1
    assert fit_inverse_temperature(np.ones((0, 3)), np.zeros(0, int)) == 1


def test_answers_are_compared_with_the_site_under_them(monkeypatch):
    """Two sites found, one of them of the wrong class; what is found beside a site is left out."""

    def maps(sites):
        sums = sum(
            blob((48, 48), place, sigma=3)[..., None] * np.array(shares)
            for place, shares in sites.items()
        )
        return np.concatenate([1 - sums.sum(-1, keepdims=True), sums], axis=-1)

    said = maps({(12, 12): (0.8, 0.2), (12, 36): (0.7, 0.3), (36, 12): (0.5, 0.5)})
    true = maps({(12, 12): (1, 0), (12, 36): (0, 1)})
    monkeypatch.setattr("atomsight.reading.probability_calibration.read_image", lambda *_: said)
    settings = SegmentationSettings(background_limit=0.995, min_existence=0.5)
    shares, classes = answered(None, np.zeros((48, 48, 1)), true, settings)
    np.testing.assert_allclose(shares, [[0.8, 0.2], [0.7, 0.3]], atol=0.01)
    assert classes.tolist() == [0, 1]
