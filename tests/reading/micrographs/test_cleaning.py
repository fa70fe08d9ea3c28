import numpy as np
import pytest
from made_images import blob
from scipy import ndimage

from atomsight.errors import InputError
from atomsight.reading.micrographs.cleaning import clean, fill, padded, read_mask, saturated


def test_what_is_no_number_is_marked_and_filled_by_its_surroundings():
    frame = np.linspace(0, 10, 64)[None] * np.ones((64, 1))
    frame[10, 30], frame[40, 50] = np.nan, np.inf
    image, usable = clean(frame, None, "a")
    assert np.argwhere(~usable).tolist() == [[10, 30], [40, 50]]
    assert image[10, 30] == pytest.approx(10 * 30 / 63, abs=0.2)
    assert image[40, 50] == pytest.approx(10 * 50 / 63, abs=0.2)


def test_far_from_any_good_pixel_the_median_fills():
    good = np.zeros((128, 128), bool)
    good[:, :70] = True
    image = np.where(good, 5.0, np.nan).astype(np.float32)
    np.testing.assert_allclose(fill(image, good), 5)


def test_a_full_sixteen_bit_camera_is_saturated():
    frame = np.random.default_rng(0).normal(6e4, 4e3, (64, 64)).clip(0, 65535).astype(np.uint16)
    np.testing.assert_array_equal(saturated(frame), frame == 65535)
    assert saturated(frame).any()


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_a_plateau_at_the_maximum_is_saturated(kind):
    frame = np.random.default_rng(0).normal(1000, 200, (128, 128)).clip(0, 1500).astype(kind)
    np.testing.assert_array_equal(saturated(frame), frame == 1500)
    assert saturated(frame).sum() > 50


@pytest.mark.parametrize("mean", [0.01, 0.14, 1, 5, 50, 1000])
@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_counted_electrons_are_never_saturated(mean, kind):
    frame = np.random.default_rng(1).poisson(mean, (256, 256)).astype(kind)
    assert not saturated(frame).any()


def test_black_and_white_is_not_saturated():
    frame = np.random.default_rng(1).random((64, 64)) < 0.7
    for picture in (frame, frame.astype(np.uint8), np.uint8(255) * frame):
        assert not saturated(picture).any()


PICTURE = np.random.default_rng(0).poisson(1000, (128, 160)).astype(np.uint16)


def shifted(frame, rows, columns, value=0):
    """Move a picture down and to the right, as a correction of drift does."""
    moved = np.full_like(frame, value)
    moved[rows:, columns:] = frame[: frame.shape[0] - rows, : frame.shape[1] - columns]
    return moved


@pytest.mark.parametrize("value", [0, 1000, 65535])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (0, 2), (3, 0), (7, 20), (80, 100)])
def test_the_rim_of_a_drift_correction_is_padded(rows, columns, value):
    expected = np.ones((128, 160), bool)
    expected[rows:, columns:] = False
    marked = padded(shifted(PICTURE, rows, columns, value))
    assert marked[expected].all()
    assert marked[~expected].mean() < 1e-3  # noise that touches the rim may hold its value


def test_the_corners_of_a_rotation_are_padded():
    turned = ndimage.rotate(PICTURE.astype(np.float32), 7, reshape=False, order=1)
    np.testing.assert_array_equal(padded(turned), turned == 0)


def test_padding_is_not_usable_and_is_filled_by_its_surroundings():
    image, usable = clean(shifted(PICTURE, 0, 12), None, "a")
    assert usable[:, 12:].all()
    assert not usable[:, :12].any()
    np.testing.assert_allclose(image[:, :12], 1000, atol=40)


def test_much_padding_is_no_bad_frame():
    _, usable = clean(shifted(PICTURE, 80, 100), None, "a")
    assert usable.mean() == pytest.approx(48 * 60 / (128 * 160))


def test_padding_beside_what_is_no_number_is_marked():
    frame = shifted(PICTURE.astype(np.float32), 0, 12)
    frame[:, 12:14] = np.nan
    assert not padded(frame).any()  # no edge towards the picture is known
    frame[:64, 12:14] = np.inf, -np.inf
    frame[64:, 12:14] = 1000
    np.testing.assert_array_equal(np.unique(np.argwhere(padded(frame))[:, 1]), range(12))


def test_a_mask_on_padding_only_is_told():
    mask = np.zeros((128, 160), bool)
    mask[:, :12] = True
    with pytest.raises(InputError, match="a: the mask shows nothing but a constant border"):
        clean(shifted(PICTURE, 0, 12), mask, "a")


@pytest.mark.parametrize("mean", [0.001, 0.01, 0.14, 0.5, 1, 1.6, 2, 3, 5, 50])
@pytest.mark.parametrize("size", [32, 64, 256])
def test_counted_electrons_are_never_padded(mean, size):
    for counts in np.random.default_rng(0).poisson(mean, (8, size, size)).astype(np.uint16):
        assert not padded(counts).any()


def few_levels():
    """Pictures with large regions of equal pixels that reach the border and are no padding."""
    rng = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(rng.normal(size=(128, 128)), 6)
    share = (smooth - smooth.min()) / np.ptp(smooth)
    vacuum = np.where(np.arange(128) < 64, 0.003, 20) * np.ones((128, 1))
    return {
        "eight bits without noise": (255 * share).astype(np.uint8),
        "sixteen levels": (15 * share).astype(np.uint8),
        "black and white": (share > 0.5).astype(np.uint8),
        "clipped background": np.clip(share - 0.5 + rng.normal(0, 0.05, share.shape), 0, None),
        "flat background": 100 + 10 * blob((128, 128), (60, 50), sigma=8.0),
        "nearly empty vacuum": rng.poisson(vacuum),
        "constant": np.zeros((128, 128)),
        "one spot": (share > 0.99).astype(float),
        "not a number": np.full((128, 128), np.nan),
    }


@pytest.mark.parametrize("name", few_levels())
def test_few_grey_levels_are_no_padding(name):
    assert not padded(few_levels()[name]).any()


def test_a_useless_frame_is_named():
    frame = np.random.default_rng(0).normal(size=(64, 64))
    with pytest.raises(InputError, match=r"b\.tif, frame 3: all pixels have the same value"):
        clean(np.full((64, 64), 7), None, "b.tif, frame 3")
    frame[:33] = np.nan
    with pytest.raises(InputError, match=r"frame 3: 52% of the pixels are saturated or not a num"):
        clean(frame, None, "b.tif, frame 3")
    frame[30:33] = 0
    assert clean(frame, None, "a")[1].mean() == pytest.approx(34 / 64)


def test_numbers_too_large_are_marked():
    frame = np.random.default_rng(0).normal(size=(64, 64))
    frame[3, 4] = 1e300
    image, usable = clean(frame, None, "a")
    assert np.argwhere(~usable).tolist() == [[3, 4]]
    assert np.isfinite(image).all()


def test_outside_the_mask_pixels_keep_their_value_but_are_not_usable(noise):
    mask = np.zeros(noise.shape[1:], bool)
    mask[5:20, 5:20] = True
    image, usable = clean(noise[0], mask, "a")
    np.testing.assert_array_equal(image, noise[0])
    np.testing.assert_array_equal(usable, mask)


def test_a_mask_is_read_and_must_fit(tmp_path, noise):
    mask = np.zeros((48, 64))
    mask[10:30, 10:30] = 255
    np.save(tmp_path / "mask.npy", mask)
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.npy", (48, 64)), mask > 0)
    wrong = {"has 64 × 48 pixels": mask.T, "zero everywhere": 0 * mask, "in 3 frames": noise}
    for sentence, image in wrong.items():
        np.save(tmp_path / "mask.npy", image)
        with pytest.raises(InputError, match=sentence):
            read_mask(tmp_path / "mask.npy", (48, 64))
