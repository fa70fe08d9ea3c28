import numpy as np
import pytest
import tifffile
from made_images import write_stack

from atomsight.config.reading import ImportSettings
from atomsight.errors import InputError
from atomsight.reading.micrographs.calibration import target_pixel_size_A
from atomsight.reading.micrographs.series import open_series, read_frames


def test_the_real_grain_boundary_has_no_pixel_size(real_data):
    path = real_data / "ulm_graphene_grain_boundary.tif"
    with pytest.raises(InputError, match=r"no pixel size in .* column pixel_size_A of series ulm"):
        open_series(path, ImportSettings(series="ulm"))
    settings = ImportSettings(series="ulm", pixel_size_A=0.108, model_pixel_size_A=(0.1, 0.14))
    series = open_series(path, settings)
    assert series.shape == (1, 512, 512)
    assert series.pixel_size_A == 0.108
    image, usable = next(read_frames(series))
    np.testing.assert_array_equal(image, tifffile.imread(path))
    assert usable.all()


def test_pixels_ten_times_as_high_as_wide_need_a_word_of_the_user(real_data):
    path = real_data / "formats" / "test_loading_image_saved_with_DM_stack.tif"
    with pytest.raises(InputError, match="more than 2 times as long as wide"):
        open_series(path, ImportSettings())
    with pytest.warns(UserWarning, match=r"is 1686\.7 Å in the sheet and 16867 × 1686\.7 Å in"):
        assert open_series(path, ImportSettings(pixel_size_A=1686.74)).pixel_size_A == 1686.74


def test_the_sheet_wins_over_the_file(tmp_path, noise):
    path = write_stack(tmp_path / "a.tif", noise)
    assert open_series(path, ImportSettings()).pixel_size_A == pytest.approx(0.1)
    assert open_series(path, ImportSettings(pixel_size_A=0.101)).pixel_size_A == 0.101
    with pytest.warns(UserWarning, match=r"is 0\.12 Å in the sheet and 0\.1 Å in .*a\.tif"):
        assert open_series(path, ImportSettings(pixel_size_A=0.12)).pixel_size_A == 0.12


@pytest.mark.parametrize(
    ("size", "target"), [(0.12, 0.12), (0.1, 0.1), (0.14, 0.14), (0.05, 0.102), (0.2, 0.138)]
)
def test_the_target_lies_in_the_models_range(size, target):
    assert target_pixel_size_A((size, size), (0.1, 0.14), "a") == pytest.approx(target)


@pytest.mark.parametrize("size", [2.1, 0.29, 0.004])
def test_what_no_resampling_can_mend_is_refused(size):
    with pytest.raises(InputError, match=f"a: pixel size {size} Å is outside what the model can"):
        target_pixel_size_A((size, size), (0.1, 0.14), "a")
