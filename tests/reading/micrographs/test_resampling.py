import numpy as np
import pytest
from made_images import blob, centre_of_mass

from atomsight.reading.micrographs.resampling import resample, resample_usable, resampled_shape


@pytest.mark.parametrize("step", [0.5, 0.83, 1.21, 2.0, 3.7])
def test_a_blob_stays_where_it_is(step):
    image = blob((120, 150), (52.3, 81.7), sigma=6.0)
    resampled = resample(image, (step, step))
    assert resampled.shape == resampled_shape(image.shape, (step, step))
    np.testing.assert_allclose(centre_of_mass(resampled) * step, (52.3, 81.7), atol=0.02)


def test_shrinking_keeps_the_mean_and_suppresses_what_cannot_be_shown():
    image = np.random.default_rng(0).normal(10, 1, (256, 256)).astype(np.float32)
    shrunk = resample(image, (4.0, 4.0))
    assert shrunk.mean() == pytest.approx(10, abs=0.02)
    assert shrunk.std() < 0.3


def test_marks_follow_the_resampling():
    usable = np.ones((100, 100), bool)
    usable[:, :40] = False
    for step in (0.5, 2.0):
        resampled = resample_usable(usable, (step, step))
        edge_px = np.argmax(resampled, axis=1) * step
        assert (np.abs(edge_px - 40) <= step + 1).all()
        assert resampled[:, -1].all()
