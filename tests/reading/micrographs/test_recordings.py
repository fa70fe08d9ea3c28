import gc
import warnings

import numpy as np
import pytest
import tifffile
from made_images import write_hspy, write_stack
from skimage.io import imsave

from atomsight.config.reading import ImportSettings
from atomsight.errors import InputError
from atomsight.reading.micrographs.recordings import open_recording, read_header
from atomsight.reading.micrographs.series import open_series, read_frames

#: Real file, its shape, and its pixel size along y and x [Å].
READ = {
    "128x128-TEM_search.emi": ((1, 128, 128), (52.6121, 52.6121)),
    "128x128-TEM_search_1.ser": ((1, 128, 128), (52.6121, 52.6121)),
    "64x64x5_TEM_preview.emi": ((5, 64, 64), (62.8183, 62.8183)),
    "64x64x5_TEM_preview_1.ser": ((5, 64, 64), (62.8183, 62.8183)),
    "ROI_Random_Scan_movie.mrc": ((348, 16, 16), None),
    "fei_example_tem_stack.emd": ((2, 3, 3), (0.0817288, 0.0817288)),
    "multi_signal.dm3": ((1, 512, 512), (0.177516, 0.177516)),
    "test_STEM_image.dm3": ((1, 68, 68), (2.48538, 2.48538)),
    "test_dm_image_um_unit.dm3": ((1, 68, 68), (1686.75, 1686.75)),
    "test_loading_image_saved_with_DM.tif": ((1, 68, 68), (1686.75, 1686.75)),
    "test_loading_image_saved_with_DM_stack.tif": ((2, 68, 68), (16867.4, 1686.74)),
    "test_loading_image_saved_with_imageJ.tif": ((1, 68, 68), (1686.75, 1686.75)),
    "test_loading_image_saved_with_imageJ_stack.tif": ((2, 68, 68), (1686.75, 1686.75)),
    "test_stackbuilder_imagestack.dm3": ((3, 2, 16), (599.829, 599.829)),
}
REFUSED = {
    "test_diffraction_pattern.dm3": r"a diffraction pattern \(its axes are in 1/nm\)",
    "test_fft_packed_complex8.dm4": "complex numbers",
}
TOO_SMALL = [
    "ROI_Random_Scan_movie.mrc",
    "fei_example_tem_stack.emd",
    "test_stackbuilder_imagestack.dm3",
]


@pytest.mark.parametrize("name", READ)
def test_a_real_file_is_read(real_data, name):
    shape, scale_A = READ[name]
    recording = open_recording(real_data / "formats" / name)
    assert recording.shape == shape
    if scale_A is None:
        assert recording.scale_A is None
    else:
        np.testing.assert_allclose(recording.scale_A, scale_A, rtol=1e-5)
    frames = list(recording.read(range(shape[0])))
    assert len(frames) == shape[0]
    assert all(frame.shape == shape[1:] and np.isfinite(frame).all() for frame in frames)


@pytest.mark.parametrize("name", REFUSED)
def test_a_real_file_without_an_image_is_refused(real_data, name):
    with pytest.raises(InputError, match=f"{name}: the file holds {REFUSED[name]}"):
        open_recording(real_data / "formats" / name)


@pytest.mark.parametrize("name", TOO_SMALL)
def test_a_real_file_with_a_tiny_image_is_refused(real_data, name):
    with pytest.raises(InputError, match="empty or too small"):
        read_header(real_data / "formats" / name)


RECIPROCAL = ("1/nm", "1 / Å", "nm^-1", "nm⁻¹", "mrad")


@pytest.mark.parametrize(
    ("data", "units", "navigation", "what"),
    [
        *((np.ones((48, 48)), (unit, unit), 0, "diffraction pattern") for unit in RECIPROCAL),
        (np.ones((48, 48)), ("nm", "eV"), 0, "an axis in eV"),
        (np.ones((48, 48), complex), ("nm", "nm"), 0, "complex numbers"),
        (np.ones(48), ("eV",), 0, "spectrum"),
        (np.ones((48, 48, 48)), ("nm", "nm", "eV"), 2, "spectrum"),
        (np.ones((2, 3, 48, 48)), ("nm", "nm"), 2, "4 dimensions"),
    ],
)
def test_what_is_no_image_is_refused_by_its_name(tmp_path, data, units, navigation, what):
    path = write_hspy(tmp_path / "a.hspy", data, (0.1,) * len(units), units, navigation)
    with pytest.raises(InputError, match=rf"a\.hspy: the file holds .*{what}.*, not an image"):
        open_recording(path)


@pytest.mark.parametrize("name", ["photo.png", "photo.tif"])
def test_a_photo_in_colour_is_refused(tmp_path, name):
    colours = np.random.default_rng(0).integers(0, 255, (48, 48, 3), dtype=np.uint8)
    imsave(tmp_path / name, colours, check_contrast=False)
    with pytest.raises(InputError, match="a colour photo"):
        open_recording(tmp_path / name)


def test_arrays_and_grey_pictures_are_read_without_a_scale(tmp_path, noise):
    np.save(tmp_path / "a.npy", noise)
    imsave(tmp_path / "a.png", noise[0].astype(np.uint8), check_contrast=False)
    array, picture = (open_recording(tmp_path / name) for name in ("a.npy", "a.png"))
    assert (array.shape, picture.shape) == ((3, 48, 64), (1, 48, 64))
    assert array.scale_A is None
    np.testing.assert_array_equal(next(array.read([2])), noise[2])


@pytest.mark.parametrize("layout", ["imagej", "pages", "compressed", "one volume"])
def test_frames_of_a_tiff_stack_are_read_in_any_layout(tmp_path, noise, layout):
    path = tmp_path / "a.tif"
    if layout == "imagej":
        write_stack(path, noise)
    elif layout == "pages":
        with tifffile.TiffWriter(path) as writer:
            for frame in noise:
                writer.write(frame, contiguous=False, metadata=None)
    elif layout == "compressed":
        tifffile.imwrite(path, noise, compression="zlib", photometric="minisblack")
    else:
        tile = (16, 16, 16)
        tifffile.imwrite(path, noise, volumetric=True, tile=tile, photometric="minisblack")
    recording = open_recording(path)
    assert recording.shape == noise.shape
    np.testing.assert_array_equal(list(recording.read([2, 0])), noise[[2, 0]])


def test_the_largest_image_of_a_file_is_taken(tmp_path, noise):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(noise[0, :40, :40])
        writer.write(noise[1])
    assert open_recording(tmp_path / "a.tif").shape == (1, 48, 64)


def test_the_first_of_equal_images_is_taken_with_a_warning(tmp_path, noise):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(noise[0])
        writer.write(noise[1].astype(np.uint16))
    with pytest.warns(UserWarning, match="2 images of the same size; the first is read"):
        recording = open_recording(tmp_path / "a.tif")
    np.testing.assert_array_equal(next(recording.read([0])), noise[0])


@pytest.mark.parametrize("name", ["a.dm3", "a.dm4", "a.emd", "a.ser", "a.mrc", "a.tif", "a.hspy"])
@pytest.mark.parametrize("content", [b"", b"not an image at all" * 100])
def test_a_broken_file_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}: not a readable"):
        open_recording(tmp_path / name)


@pytest.mark.parametrize(
    "name", [name for name in READ if not name.endswith("emi") and name not in TOO_SMALL]
)
def test_a_real_file_cut_short_is_named(real_data, tmp_path, name):
    whole = (real_data / "formats" / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=name):
        list(read_frames(open_series(tmp_path / name, ImportSettings(pixel_size_A=0.1))))
    with warnings.catch_warnings(record=True) as left_open:
        warnings.simplefilter("always")
        gc.collect()
    assert not left_open


def test_an_unknown_format_is_named(tmp_path):
    (tmp_path / "a.docx").write_bytes(b"text")
    with pytest.raises(InputError, match=r"files '\.docx' cannot be read"):
        open_recording(tmp_path / "a.docx")
