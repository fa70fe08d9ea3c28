import json
import shutil
import subprocess

import numpy as np
import pytest
import tifffile
from made_images import blob

import import_series
from atomsight.files import layout, sealed


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out" / "frames.h5"


def imported(image, stack, output, **settings):
    tifffile.imwrite(image, stack, photometric="minisblack")
    return import_series.main([str(image), str(output), "--settings", json.dumps(settings)])


def test_a_series_becomes_a_file_of_frames(tmp_path, output):
    stack = np.random.default_rng(5).normal(100, 10, (5, 48, 64)).astype(np.float32)
    chosen = {"pixel_size_A": 0.12, "frames": "0-1,4", "model_pixel_size_A": [0.1, 0.14]}
    assert imported(tmp_path / "boundary.tif", stack, output, **chosen) == 0
    with layout.open_frames(output) as frames:
        np.testing.assert_array_equal(frames.images[...], stack[[0, 1, 4]])
        assert frames.usable[...].all()
        assert frames.pixel_size_A == frames.source_pixel_size_A == 0.12
        assert frames.names == ("boundary.tif[0]", "boundary.tif[1]", "boundary.tif[4]")


@pytest.fixture
def focal_stack():
    """Two focal series of two images of blobs, the second displaced and of reversed contrast."""
    rng = np.random.default_rng(3)
    centres = rng.uniform(8, 152, (60, 2))[:, ::-1]
    half = np.array([-3.25, 4.5]) / 2
    first, second = (
        sum(blob((160, 160), centre, sigma=2.5) for centre in centres + offset)
        for offset in (-half, half)
    )
    return rng.poisson([100 + 40 * first, 100 - 30 * second] * 2).astype(np.float32)


def test_a_focal_series_is_registered_on_its_mean_position(tmp_path, focal_stack, output):
    chosen = {"pixel_size_A": 0.2, "focus_A": [-40, 90]}
    assert imported(tmp_path / "focal.tif", focal_stack, output, **chosen) == 0
    with layout.open_frames(output) as frames:
        assert frames.focus_A == (-40.0, 90.0)
        assert frames.frames_per_specimen == 2
        images, usable = frames.images[...], frames.usable[...]
    assert images.shape == focal_stack.shape
    with sealed.open_to_read(output) as file:
        shifts_px = file["shift_A"][...] / 0.2
        assert file["shift_A"].attrs["units"] == "angstrom"
    expected = [[-2.25, 1.625], [2.25, -1.625]] * 2
    np.testing.assert_allclose(shifts_px, expected, atol=0.15)
    for first in (0, 2):
        bright, dark = images[first : first + 2, 4:-4, 4:-4]
        assert np.corrcoef(bright.ravel(), dark.ravel())[0, 1] < -0.3
    # What comes from outside is not usable: columns at the left of one image, right of the other.
    assert not usable[0, :, 0].any()
    assert not usable[1, :, -1].any()
    assert usable[:, 4:-4, 4:-4].all()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("free", [2**20, 500_000, 8_192, 0])
@pytest.mark.parametrize("shape", [(5, 256, 256), (1, 1200, 1200)])
def test_a_full_disk_is_told_and_left_clean(tmp_path, small_disk, shape, free, run_script):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=shape).astype(np.float32))
    (small_disk / "other").write_bytes(bytes(2**20 - free))
    output = small_disk / "frames.h5"
    settings = '{"pixel_size_A": 0.1}'
    result = run_script("import_series.py", tmp_path / "a.npy", output, "--settings", settings)
    assert result.returncode == 1
    assert result.stderr == f"error: {output}: the disk is full\n"
    assert [path.name for path in small_disk.iterdir()] == ["other"]
