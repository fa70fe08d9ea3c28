"""The mean image, and what of it is substrate."""

import numpy as np
import pytest
import tifffile
from made_lattices import columns_of, drift_table, picture, square
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage

import mask_substrate
from atomsight.analysis.dynamics import substrate
from atomsight.analysis.dynamics.sites import Sites
from atomsight.analysis.dynamics.substrate import average_frames, find_substrate
from atomsight.config.analysis import DynamicsSettings, SubstrateSettings
from atomsight.errors import InputError
from atomsight.files import sealed
from atomsight.files.records import Frames

PIXEL_A = 0.2
SHAPE = (256, 256)
SETTINGS = SubstrateSettings()
FRAMES = 16
#: The substrate ends at this row, the particle stands above it.
EDGE = 150
#: Columns in a patch that stands on the substrate.
PARTICLE_A = square(8, 7, [16.0, EDGE * PIXEL_A - 15.5])


def frames_of(images, usable=None):
    images = np.asarray(images, np.float32)
    usable = np.ones(images.shape, bool) if usable is None else usable
    return Frames(images, PIXEL_A, usable, PIXEL_A, ())


def scene(rng, speckle, noise, frames=FRAMES):
    """Frames of a particle on an amorphous half-plane, drifting, and what is known of them."""
    margin = 40
    size = [edge + 2 * margin for edge in SHAPE]
    rough = ndimage.gaussian_filter(rng.normal(size=size), 0.6 / PIXEL_A)
    rough *= speckle / rough.std()
    rough[: EDGE + margin] = 0
    ideal = rough + picture(PARTICLE_A + margin * PIXEL_A, size, PIXEL_A, 0.5)
    shifts_A = rng.uniform(-3, 3, (frames, 2))
    shifts_A[0] = 0
    images = []
    for shift in shifts_A[:, ::-1] / PIXEL_A:
        moved = ndimage.shift(ideal, shift, order=3, mode="nearest")
        images.append(moved[margin:-margin, margin:-margin])
    images = np.array(images) + rng.normal(0, noise, (frames, *SHAPE)) + 100
    sites = Sites(PARTICLE_A, np.ones((len(PARTICLE_A), frames), np.int8))
    return frames_of(images), drift_table(shifts_A), sites


def in_first_frame(images, values):
    """The part of a grid that the first frame covers."""
    row, column = np.round(-images.corner_A[::-1] / PIXEL_A).astype(int)
    return values[row : row + SHAPE[0], column : column + SHAPE[1]]


def test_the_mean_of_drifting_frames_is_the_picture():
    frames, drift, _ = scene(np.random.default_rng(0), speckle=0.3, noise=0.0)
    images = average_frames(frames, drift)
    mean = in_first_frame(images, images.mean)
    inner = np.s_[20:-20, 20:-20]
    smooth = np.delete(mean - frames.images[0], np.s_[EDGE - 3 : EDGE + 3], axis=0)
    assert np.abs(smooth[inner]).max() < 0.06
    assert in_first_frame(images, images.seen)[inner].min() == FRAMES
    assert np.isnan(images.mean[images.seen == 0]).all()
    assert np.isfinite(images.mean[images.seen > 0]).all()


def test_whole_pixels_of_drift_are_undone_exactly():
    wide = np.random.default_rng(1).normal(size=(80, 90))
    starts = [(10, 10), (14, 10), (7, 21)]  # (row, column) of the frame on what is there
    images = [wide[row : row + 50, column : column + 60] for row, column in starts]
    shifts_A = [((10 - column) * PIXEL_A, (10 - row) * PIXEL_A) for row, column in starts]
    means = average_frames(frames_of(images), drift_table(shifts_A))
    assert_allclose(means.corner_A, [0, -3 * PIXEL_A], atol=1e-12)
    seen = means.seen == 3
    there = wide[7 : 7 + means.seen.shape[0], 10 : 10 + means.seen.shape[1]]
    assert seen.sum() == (50 - 7) * (60 - 11)
    assert_allclose(
        means.mean[: len(there)][seen[: len(there)]], there[seen[: len(there)]], atol=1e-5
    )


def test_pixels_that_are_not_usable_and_frames_not_used_do_not_count():
    images = np.full((4, 64, 64), 5.0)
    images[3] = 1000
    images[0, :10] = 1e6
    usable = np.ones(images.shape, bool)
    usable[0, :10] = False
    usable[:, 20, 20] = False
    means = average_frames(frames_of(images, usable), drift_table(np.zeros((4, 2)), [3]))
    seen = in_first_frame(means, means.seen)[:64, :64]
    assert (seen[:10] == 2).all()
    assert seen[20, 20] == 0
    assert np.isnan(in_first_frame(means, means.mean)[20, 20])
    assert_allclose(means.mean[means.seen > 0], 5)


@pytest.mark.parametrize("noise", [0.3, 1.0])
@pytest.mark.parametrize("seed", range(2))
def test_an_amorphous_half_plane_is_masked_and_neither_vacuum_nor_particle(seed, noise):
    frames, drift, sites = scene(np.random.default_rng(seed), speckle=0.35, noise=noise)
    images = average_frames(frames, drift)
    mask = in_first_frame(images, find_substrate(images, sites, SETTINGS))
    assert mask[EDGE:].mean() >= 0.8
    assert mask[:EDGE].mean() <= 0.05
    column, row = np.round(PARTICLE_A / PIXEL_A).astype(int).T
    assert not mask[row, column].any()


@pytest.mark.parametrize("seed", range(3))
def test_vacuum_and_noise_are_not_masked(seed):
    frames, drift, sites = scene(np.random.default_rng(seed), speckle=1e-9, noise=0.5)
    images = average_frames(frames, drift)
    assert find_substrate(images, sites, SETTINGS).mean() < 0.01


def test_the_other_columns_of_a_lone_particle_are_not_the_particle():
    places_A = np.concatenate([PARTICLE_A, [[5.0, 45.0], [44.0, 45.0]]])
    occupied = np.ones((len(places_A), 10), np.int8)
    occupied[0, 1:] = 0
    members = substrate.particle_sites(Sites(places_A, occupied), SETTINGS)
    assert len(members) == len(PARTICLE_A) - 1
    occupied[:, 1:] = 0
    assert len(substrate.particle_sites(Sites(places_A, occupied), SETTINGS)) == 0


def test_the_distance_from_the_sites_is_known_to_a_pixel():
    shape = (300, 420)
    corner_A = np.array([-7.0, 3.0])
    seen = np.ones(shape, int)
    images = substrate.MeanImages(None, None, seen, seen > 0, PIXEL_A, corner_A)
    y_A, x_A = (along[..., None] * PIXEL_A for along in np.indices(shape))
    inside_A = np.random.default_rng(8).uniform(10, 55, (40, 2))
    just_outside_A = np.array([[-0.5 * PIXEL_A, -1.4 * PIXEL_A]])
    for places_A, within_px in ((inside_A, np.sqrt(0.5)), (just_outside_A, 1.5)):
        distance_A = substrate._distance_A(images, places_A + corner_A)
        exact_A = np.hypot(x_A - places_A[:, 0], y_A - places_A[:, 1]).min(axis=-1)
        assert distance_A.dtype == np.float32
        assert_allclose(distance_A, exact_A, rtol=0, atol=within_px * PIXEL_A + 1e-4)


@pytest.fixture
def still_images():
    noise = np.random.default_rng(2).normal(size=(2, *SHAPE))
    return average_frames(frames_of(noise), drift_table([(0, 0), (2.0, -1.0)]))


def read(path, images, source_pixel_size_A=PIXEL_A):
    return substrate.read_analysed(path, images, SHAPE, source_pixel_size_A)


@pytest.mark.parametrize(
    ("name", "corners"),
    [
        ("mask.csv", "x_A,y_A\n10,5\n30,5\n30,25\n10,25\n"),
        ("mask.json", "[[10, 5], [30, 5], [30, 25], [10, 25]]"),
    ],
)
def test_a_polygon_encloses_what_is_analysed(tmp_path, still_images, name, corners):
    (tmp_path / name).write_text(corners)
    analysed = in_first_frame(still_images, read(tmp_path / name, still_images))
    expected = np.zeros(SHAPE, bool)
    expected[25:126, 50:151] = True
    assert (analysed != expected).sum() < 450  # its outline at most
    assert analysed[30:120, 55:145].all()
    assert not analysed[:24].any()


@pytest.mark.parametrize("factor", [1, 2])
def test_an_image_is_nonzero_where_to_analyse(tmp_path, still_images, factor):
    """It has the pixels as recorded, or as resampled."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[:EDGE] = 1
    tifffile.imwrite(tmp_path / "mask.tif", np.kron(mask, np.ones((factor, factor), np.uint8)))
    analysed = read(tmp_path / "mask.tif", still_images, PIXEL_A / factor)
    assert_array_equal(in_first_frame(still_images, analysed), mask != 0)
    # Beyond the first frame its edge goes on.
    assert analysed[0].all()
    assert not analysed[-1].any()


@pytest.mark.parametrize(
    ("kind", "content", "sentence"),
    [
        ("csv", "x_A,y_A\n1,2\n3,4\n", "the polygon has 2 corners; it needs at least three"),
        ("csv", "x,y\n1,2\n3,4\n", "not a polygon; write the columns x_A,y_A"),
        ("csv", "", "not a polygon; write the columns x_A,y_A"),
        ("csv", "x_A,y_A\n1,2\n3,4\n5,\n", "a corner of the polygon is not two numbers"),
        ("csv", "x_A,y_A\n1,2\n3,a\n5,6\n", "not a polygon"),
        ("json", "[[1, 2], [3, 4], [5]]", "not a polygon"),
        ("json", "[[1, 2], [3, 4], [5", "not a polygon"),
        ("json", '{"x": 1}', "not a polygon"),
        ("json", "[1, 2, 3]", "a corner of the polygon is not two numbers"),
        ("json", "[[1, 1], [2, 2], [5, 5]]", "all corners of the polygon are on one line"),
        ("json", "[[900, 1], [950, 2], [920, 9]]", "leaves nothing of the frames to analyse"),
        ("tif", np.zeros(SHAPE, np.uint8), "zero everywhere"),
        ("tif", np.ones((100, 90), np.uint8), "neither the size of the micrographs as recorded"),
    ],
)
def test_what_is_no_mask_is_refused(tmp_path, still_images, kind, content, sentence):
    path = tmp_path / f"mask.{kind}"
    if kind == "tif":
        tifffile.imwrite(path, content)
    else:
        path.write_text(content)
    with pytest.raises(InputError) as caught:
        read(path, still_images)
    assert str(caught.value).startswith(f"{path}: ")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def look_for(frames, drift, seen_A=PARTICLE_A, **changed):
    """What is masked of a series all of whose sites are seen in every frame, and how."""
    found_A = list(seen_A + drift[["x_A", "y_A"]].to_numpy()[:, None])
    columns = columns_of(found_A, SHAPE, PIXEL_A)
    images = average_frames(frames, drift)
    chosen = SETTINGS.but(**changed)
    found = mask_substrate.look_for_substrate(images, columns, drift, DynamicsSettings(), chosen)
    return images, *found


def test_the_mask_is_kept_with_what_tells_where_it_lies(tmp_path):
    frames, drift, _ = scene(np.random.default_rng(3), speckle=0.35, noise=0.5)
    images, mask, source = look_for(frames, drift)
    assert source == "automatic"
    with sealed.create(tmp_path / "substrate.h5", {}) as file:
        substrate.write_substrate(file, images, mask, source)
    on_particle_on_substrate_outside = np.array([[20.0, 20.0], [10.0, 45.0], [900.0, 0.0]])
    masked = substrate.read_masked(tmp_path / "substrate.h5", on_particle_on_substrate_outside)
    assert masked.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("frames", "changed", "warning"),
    [
        (1, {}, "it takes two frames to tell structure from noise"),
        (4, {"seen_A": PARTICLE_A[:0]}, "no column is seen often enough"),
        (4, {"automatic": False}, ""),
    ],
)
def test_where_nothing_is_masked_a_warning_says_why(frames, changed, warning, caplog):
    series, drift, _ = scene(np.random.default_rng(4), 0.35, 0.5, frames)
    _, mask, source = look_for(series, drift, **changed)
    assert (source, mask.any()) == ("none", False)
    assert warning in caplog.text
    assert bool(warning) == bool(caplog.text)
