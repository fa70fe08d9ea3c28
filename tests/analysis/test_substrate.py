"""The mean image, and what of it is substrate."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile
from made_lattices import drift_table
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage

import mask_substrate
from atomsight.analysis.dynamics import substrate
from atomsight.analysis.dynamics.drift import Columns
from atomsight.analysis.dynamics.sites import Sites
from atomsight.analysis.dynamics.substrate import average_frames, find_substrate
from atomsight.config.analysis import DynamicsSettings, SubstrateSettings
from atomsight.errors import InputError
from atomsight.files import sealed
from atomsight.files.records import Frames

PIXEL_A = 0.2
SHAPE = (256, 256)
SETTINGS = SubstrateSettings.parse({}, "substrate")
FRAMES = 16
#: The substrate ends at this row, the particle stands above it.
EDGE = 150


def frames_of(images, usable=None):
    images = np.asarray(images, np.float32)
    usable = np.ones(images.shape, bool) if usable is None else usable
    return Frames(images, PIXEL_A, usable, PIXEL_A, tuple(map(str, range(len(images)))))


def particle():
    """Columns 2.5 Å apart in a patch that stands on row EDGE."""
    x, y = np.meshgrid(np.arange(8), np.arange(7))
    return np.stack([x.ravel(), y.ravel()], axis=1) * 2.5 + [16.0, EDGE * PIXEL_A - 15.5]


def gaussians(places_A, shape=SHAPE):
    y, x = (np.arange(edge) * PIXEL_A for edge in shape)
    along_x, along_y = (
        np.exp(-((grid - along[:, None]) ** 2) / (2 * 0.5**2))
        for grid, along in zip((x, y), places_A.T, strict=True)
    )
    return along_y.T @ along_x


def scene(rng, speckle, noise, frames=FRAMES, reach_A=3.0):
    """Frames of a particle on an amorphous half-plane, drifting, and what is known of them."""
    margin = 40
    size = [edge + 2 * margin for edge in SHAPE]
    rough = ndimage.gaussian_filter(rng.normal(size=size), 0.6 / PIXEL_A)
    rough *= speckle / rough.std()
    rough[: EDGE + margin] = 0
    ideal = rough + gaussians(particle() + margin * PIXEL_A, size)
    shifts_A = rng.uniform(-reach_A, reach_A, (frames, 2))
    shifts_A[0] = 0
    images = []
    for shift in shifts_A[:, ::-1] / PIXEL_A:
        moved = ndimage.shift(ideal, shift, order=3, mode="nearest")
        images.append(moved[margin:-margin, margin:-margin])
    images = np.array(images) + rng.normal(0, noise, (frames, *SHAPE)) + 100
    places_A = particle()
    return (
        frames_of(images),
        drift_table(shifts_A),
        Sites(places_A, np.ones((len(places_A), frames), np.int8)),
    )


def in_first_frame(images, values):
    """The part of a grid that the first frame covers."""
    row, column = np.round(-images.corner_A[::-1] / PIXEL_A).astype(int)
    return values[row : row + SHAPE[0], column : column + SHAPE[1]]


# The mean image


def test_the_mean_of_drifting_frames_is_the_picture():
    rng = np.random.default_rng(0)
    frames, drift, _ = scene(rng, speckle=0.3, noise=0.0)
    images = average_frames(frames, drift)
    mean = in_first_frame(images, images.mean)
    inner = np.s_[20:-20, 20:-20]
    smooth = np.delete(mean - frames.images[0], np.s_[EDGE - 3 : EDGE + 3], axis=0)
    assert np.abs(smooth[inner]).max() < 0.06
    assert in_first_frame(images, images.seen)[inner].min() == FRAMES
    assert np.isnan(images.mean[images.seen == 0]).all()
    assert np.isfinite(images.mean[images.seen > 0]).all()


def test_whole_pixels_of_drift_are_undone_exactly():
    rng = np.random.default_rng(1)
    wide = rng.normal(size=(80, 90))
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


# The substrate that is looked for


@pytest.mark.parametrize("noise", [0.3, 1.0])
@pytest.mark.parametrize("seed", range(2))
def test_an_amorphous_half_plane_is_masked_and_neither_vacuum_nor_particle(seed, noise):
    frames, drift, sites = scene(np.random.default_rng(seed), speckle=0.35, noise=noise)
    images = average_frames(frames, drift)
    mask = in_first_frame(images, find_substrate(images, sites, SETTINGS))
    assert mask[EDGE:].mean() >= 0.8
    assert mask[:EDGE].mean() <= 0.05
    column, row = np.round(particle() / PIXEL_A).astype(int).T
    assert not mask[row, column].any()


@pytest.mark.parametrize("seed", range(3))
def test_vacuum_and_noise_are_not_masked(seed):
    frames, drift, sites = scene(np.random.default_rng(seed), speckle=1e-9, noise=0.5)
    images = average_frames(frames, drift)
    assert find_substrate(images, sites, SETTINGS).mean() < 0.01


def test_the_other_columns_of_a_lone_particle_are_not_the_particle():
    places_A = np.concatenate([particle(), [[5.0, 45.0], [44.0, 45.0]]])
    occupied = np.ones((len(places_A), 10), np.int8)
    occupied[0, 1:] = 0
    members = substrate.particle_sites(Sites(places_A, occupied), SETTINGS)
    assert len(members) == len(particle()) - 1
    occupied[:, 1:] = 0
    assert len(substrate.particle_sites(Sites(places_A, occupied), SETTINGS)) == 0


def test_the_distance_from_the_sites_is_known_to_a_pixel():
    shape = (300, 420)
    corner_A = np.array([-7.0, 3.0])
    images = substrate.MeanImages(
        mean=np.zeros(shape, np.float32),
        halves=np.zeros((2, *shape), np.float32),
        seen=np.ones(shape, int),
        seen_by_both=np.ones(shape, bool),
        pixel_size_A=PIXEL_A,
        corner_A=corner_A,
    )
    y_A, x_A = (along[..., None] * PIXEL_A for along in np.indices(shape))
    inside_A = np.random.default_rng(8).uniform(10, 55, (40, 2))
    just_outside_A = np.array([[-0.5 * PIXEL_A, -1.4 * PIXEL_A]])
    for places_A, within_px in ((inside_A, np.sqrt(0.5)), (just_outside_A, 1.5)):
        distance_A = substrate._distance_A(images, places_A + corner_A)
        exact_A = np.hypot(x_A - places_A[:, 0], y_A - places_A[:, 1]).min(axis=-1)
        assert distance_A.dtype == np.float32
        assert_allclose(distance_A, exact_A, rtol=0, atol=within_px * PIXEL_A + 1e-4)


# The mask that is given


@pytest.fixture
def still_images():
    rng = np.random.default_rng(2)
    shifts_A = [(0, 0), (2.0, -1.0)]
    return average_frames(frames_of(rng.normal(size=(2, *SHAPE))), drift_table(shifts_A))


def read(path, images, source_pixel_size_A=PIXEL_A):
    return substrate.read_analysed(path, images, SHAPE, source_pixel_size_A)


@pytest.mark.parametrize("name", ["mask.csv", "mask.json"])
def test_a_polygon_encloses_what_is_analysed(tmp_path, still_images, name):
    corners = [[10, 5], [30, 5], [30, 25], [10, 25]]
    path = tmp_path / name
    if name.endswith("csv"):
        pd.DataFrame(corners, columns=["x_A", "y_A"]).to_csv(path, index=False)
    else:
        path.write_text(json.dumps(corners))
    analysed = in_first_frame(still_images, read(path, still_images))
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
    ("name", "content", "sentence"),
    [
        ("mask.csv", "x_A,y_A\n1,2\n3,4\n", "the polygon has 2 corners; it needs at least three"),
        ("mask.csv", "x,y\n1,2\n3,4\n", "not a polygon; write the columns x_A,y_A"),
        ("mask.csv", "", "not a polygon; write the columns x_A,y_A"),
        ("mask.csv", "x_A,y_A\n1,2\n3,4\n5,\n", "a corner of the polygon is not two numbers"),
        ("mask.csv", "x_A,y_A\n1,2\n3,a\n5,6\n", "not a polygon"),
        ("mask.json", "[[1, 2], [3, 4], [5]]", "not a polygon"),
        ("mask.json", "[[1, 2], [3, 4], [5", "not a polygon"),
        ("mask.json", '{"x": 1}', "not a polygon"),
        ("mask.json", "[1, 2, 3]", "a corner of the polygon is not two numbers"),
        ("mask.json", "[[1, 1], [2, 2], [5, 5]]", "all corners of the polygon are on one line"),
        ("mask.json", "[[900, 1], [950, 2], [920, 9]]", "leaves nothing of the frames to analyse"),
    ],
)
def test_a_polygon_that_is_none_is_refused(tmp_path, still_images, name, content, sentence):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        read(path, still_images)
    assert str(caught.value).startswith(f"{path}: ")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_image_that_is_no_mask_is_refused(tmp_path, still_images):
    path = tmp_path / "mask.tif"
    with pytest.raises(InputError, match="does not exist"):
        read(path, still_images)
    tifffile.imwrite(path, np.zeros(SHAPE, np.uint8))
    with pytest.raises(InputError, match="zero everywhere"):
        read(path, still_images)
    tifffile.imwrite(path, np.ones((100, 90), np.uint8))
    with pytest.raises(InputError, match="neither the size of the micrographs as recorded nor"):
        read(path, still_images)


# The script


def look_for(frames, drift, sites, **changed):
    """What is masked of a series all of whose sites are seen in every frame, and how."""
    seen_A = sites.positions_A + drift[["x_A", "y_A"]].to_numpy()[:, None]
    numbers = np.repeat(drift["frame"].to_numpy(), len(sites.positions_A))
    columns = Columns(numbers, seen_A.reshape(-1, 2), frames.images.shape, PIXEL_A)
    images = average_frames(frames, drift)
    chosen = SETTINGS.but(**changed)
    found = mask_substrate.look_for_substrate(images, columns, drift, DynamicsSettings(), chosen)
    return images, *found


def test_the_mask_is_kept_with_what_tells_where_it_lies(tmp_path):
    images, mask, source = look_for(*scene(np.random.default_rng(3), speckle=0.35, noise=0.5))
    assert source == "automatic"
    with sealed.create(tmp_path / "substrate.h5", {}) as file:
        substrate.write_substrate(file, images, mask, source)
    on_particle_on_substrate_outside = np.array([[20.0, 20.0], [10.0, 45.0], [900.0, 0.0]])
    masked = substrate.read_masked(tmp_path / "substrate.h5", on_particle_on_substrate_outside)
    assert masked.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("frames", "kept", "changed", "warning"),
    [
        (1, slice(None), {}, "it takes two frames to tell structure from noise"),
        (4, slice(0), {}, "no column is seen often enough"),
        (4, slice(None), {"automatic": False}, ""),
    ],
)
def test_where_nothing_is_masked_a_warning_says_why(frames, kept, changed, warning, caplog):
    series, drift, sites = scene(np.random.default_rng(4), 0.35, 0.5, frames)
    shown = Sites(sites.positions_A[kept], sites.occupied[kept])
    _, mask, source = look_for(series, drift, shown, **changed)
    assert (source, mask.any()) == ("none", False)
    assert warning in caplog.text
    assert bool(warning) == bool(caplog.text)
