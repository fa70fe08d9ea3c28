import tracemalloc

import numpy as np
import pytest
from made_images import blob, centre_of_mass, write_hspy, write_stack

from atomsight.config.reading import ImportSettings
from atomsight.errors import InputError
from atomsight.reading.micrographs.series import find_files, open_series, read_frames, select_frames


def test_files_of_a_series_come_in_natural_order(tmp_path):
    paths = [tmp_path / f"a{number}.tif" for number in (1, 2, 10)]
    for path in paths:
        path.touch()
    assert find_files(tmp_path / "a*.tif") == paths


def test_a_name_with_the_marks_of_a_pattern_is_a_file(tmp_path):
    (tmp_path / "a[1].tif").touch()
    assert find_files(tmp_path / "a[1].tif") == [tmp_path / "a[1].tif"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("a.tif", r"a\.tif: the file does not exist"),
        ("*.tif", "no file matches this pattern"),
        ("", "this is a folder"),
    ],
)
def test_missing_files_are_told(tmp_path, name, sentence):
    with pytest.raises(InputError, match=sentence):
        find_files(tmp_path / name)


def opened(folder, *stacks, frames="", **sizes_nm):
    """The series of some files, a1.tif and so on."""
    for number, stack in enumerate(stacks, 1):
        write_stack(folder / f"a{number}.tif", stack, sizes_nm.get(f"a{number}", 0.01))
    return open_series(folder / "a*.tif", ImportSettings(frames=frames))


def test_frames_of_several_files_are_counted_over_all_of_them(tmp_path, noise):
    series = opened(tmp_path, noise, noise[1] + 1, noise + 2, frames="2-4")
    assert series.names == ("a1.tif[2]", "a2.tif", "a3.tif[0]")
    assert series.shape == (3, 48, 64)
    images = [image for image, _ in read_frames(series)]
    np.testing.assert_array_equal(images, [noise[2], noise[1] + 1, noise[0] + 2])


def test_frames_of_two_sizes_or_pixel_sizes_are_two_series(tmp_path, noise):
    with pytest.raises(InputError, match=r"a2\.tif: its frames have 40 × 64 pixels, those of"):
        opened(tmp_path, noise, noise[:, :40])
    with pytest.raises(InputError, match=r"a2\.tif: its pixel size is 0\.2 Å, that of"):
        opened(tmp_path, noise, noise, a2=0.02)


@pytest.mark.parametrize("shape", [(31, 64), (64, 31), (3, 20, 20), (0, 64, 64)])
def test_an_image_that_is_empty_or_too_small_is_refused(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.zeros(shape))
    with pytest.raises(InputError, match=r"a\.npy: the image is empty or too small"):
        open_series(tmp_path / "a.npy", ImportSettings(pixel_size_A=0.1))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("", range(20)), ("0-9,12", [*range(10), 12]), ("3", [3]), (" 5 - 6 , 5 ", [5, 6])],
)
def test_frames_are_selected(text, numbers):
    np.testing.assert_array_equal(select_frames(text, 20, "a"), numbers)


NO_SELECTION = dict.fromkeys(["first", "9-0", "-1", "1,", "1-", "1.5", "1;2"], "is not a selection")
NO_FRAME = dict.fromkeys(["20", "0-20", "1000000000000"], "there is no frame .*; the series has 20")


@pytest.mark.parametrize(("text", "sentence"), (NO_SELECTION | NO_FRAME).items())
def test_a_selection_of_what_does_not_exist_is_refused(text, sentence):
    with pytest.raises(InputError, match=f"frames of series boundary: .*{sentence}"):
        select_frames(text, 20, "boundary")


@pytest.mark.parametrize("name", ["a.tif", "a.npy", "a.hspy"])
def test_memory_does_not_grow_with_the_number_of_frames(tmp_path, name):
    stack = np.random.default_rng(0).normal(size=(200, 128, 128)).astype(np.float32)
    write = {"a.tif": write_stack, "a.npy": np.save, "a.hspy": write_hspy}[name]
    write(tmp_path / name, stack)
    size, frame_size = stack.nbytes, stack[0].nbytes
    del stack
    settings = ImportSettings(pixel_size_A=0.1)
    next(read_frames(open_series(tmp_path / name, settings)))  # imports are not counted
    tracemalloc.start()
    count = sum(1 for _ in read_frames(open_series(tmp_path / name, settings)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 200
    assert peak < 50 * frame_size < size / 3


def test_pixels_that_are_not_square_become_square(tmp_path):
    image = 100 + 10 * blob((120, 100), (60, 40), sigma=8.0)
    path = write_hspy(tmp_path / "a.hspy", image, (0.010, 0.012))
    series = open_series(path, ImportSettings())
    assert series.pixel_size_A == pytest.approx(0.1 * np.sqrt(1.2))
    resampled, _ = next(read_frames(series))
    y_A, x_A = centre_of_mass(resampled - 100) * series.pixel_size_A
    assert (y_A, x_A) == pytest.approx((6.0, 4.8), abs=0.01)


def test_a_fine_image_is_brought_to_the_models_pixels(tmp_path):
    image = 100 + 10 * blob((200, 200), (90.4, 70.2), sigma=8.0)
    path = write_stack(tmp_path / "a.tif", image, size_nm=0.005)
    series = open_series(path, ImportSettings(model_pixel_size_A=(0.1, 0.14)))
    assert 0.1 <= series.pixel_size_A <= 0.14
    assert series.source_pixel_size_A == pytest.approx(0.05)
    resampled, usable = next(read_frames(series))
    assert resampled.shape == usable.shape == series.shape[1:]
    centre_A = centre_of_mass(resampled - 100) * series.pixel_size_A
    np.testing.assert_allclose(centre_A, (90.4 * 0.05, 70.2 * 0.05), atol=0.02 * 0.05)


def test_an_image_that_becomes_too_small_is_refused(tmp_path):
    path = write_stack(tmp_path / "a.tif", np.zeros((64, 64), np.float32), size_nm=0.001)
    with pytest.raises(InputError, match="the image is smaller than 32 × 32 pixels"):
        open_series(path, ImportSettings(model_pixel_size_A=(0.1, 0.14)))
