"""Training examples: made as in the training, at the doses asked for, with their conditions."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from matplotlib.text import Text

import plot_training_examples
from atomsight.config import settings
from atomsight.figures import training_examples
from atomsight.files import layout
from atomsight.files.records import Waves
from atomsight.imaging.conditions import MicroscopeSettings

ROOT = Path(__file__).parents[2]
MICROSCOPE = settings.read_microscope(ROOT / "config" / "microscopes" / "titan_80kv_bright.yaml")
SETTINGS = training_examples.ExampleSettings(
    microscope=settings.load(MICROSCOPE, "microscope", MicroscopeSettings),
    image_px=48,
    site_sigma_A=0.4,
    window_A=6.0,
    classes=2,
)
DOSES = (100, 1e4)


@pytest.fixture(scope="module")
def waves():
    """Two waves in vacuum, with a grid of sites for the truth."""
    spectra = np.zeros((2, 1, 15, 15), np.complex64)
    spectra[..., 7, 7] = 1
    sites = 3.0 * np.stack(np.mgrid[:4, :4], axis=-1).reshape(-1, 2)
    return Waves(spectra, (12.0, 12.0), 80e3, (sites,) * 2, (np.ones(len(sites), int),) * 2)


@pytest.fixture(scope="module")
def examples(waves):
    return training_examples.make_examples(waves, SETTINGS, DOSES, seed=3)


def test_examples_have_the_doses_asked_for_and_the_noise_of_them(examples):
    for example, dose in zip(examples, DOSES, strict=True):
        assert example.dose_e_per_A2 == pytest.approx(dose)
        assert example.image.shape == (48, 48)
        electrons = dose * example.pixel_size_A**2
        assert example.image.mean() == pytest.approx(1, abs=5 / np.sqrt(electrons * 48**2))
    assert examples[0].image.std() > 5 * examples[1].image.std()


def test_the_truth_is_a_map_of_probability(examples):
    for example in examples:
        assert example.truth.min() >= 0
        assert 0.9 < example.truth.max() <= 1
        assert np.abs(example.normalised.mean()) < 0.1


def test_conditions_lie_in_the_ranges_and_differ(examples):
    ranges = SETTINGS.microscope
    for name in ("defocus_A", "cs_um", "c5_mm", "astigmatism_A", "pixel_size_A"):
        values = [getattr(example, name) for example in examples]
        low, high = getattr(ranges, name)
        assert values[0] != values[1]
        assert all(low - 1e-5 <= value <= high + 1e-5 for value in values)


def test_the_same_seed_gives_the_same_examples(waves, examples):
    again = training_examples.make_examples(waves, SETTINGS, DOSES, seed=3)
    for one, other in zip(examples, again, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.normalised, other.normalised)


def test_doses_and_conditions_are_written_above(examples):
    figure = training_examples.draw(examples)
    words = "\n".join(text.get_text() for text in figure.findobj(Text))
    for part in ("100 e/Å²", "10,000 e/Å²", f"defocus −{-examples[0].defocus_A:.0f} Å"):
        assert part in words


@pytest.fixture
def section():
    models = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["models"]
    section = models["graphene_laptop"]
    section["microscope"] = MICROSCOPE
    section["training"]["image_px"] = 48
    return section


def test_the_script_draws_the_same_bytes_again(waves, section, tmp_path):
    shard = tmp_path / "waves.h5"
    each = zip(waves.spectra, waves.sites, waves.classes, strict=True)
    layout.write_waves(shard, each, waves.cell_A, waves.energy_eV, {})
    options = ["--seed", "3", "--columns", "2", "--settings", json.dumps(section)]
    drawn = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in drawn:
        assert plot_training_examples.main([str(path), str(shard), *options]) == 0
    assert drawn[0].read_bytes() == drawn[1].read_bytes()


def test_the_script_says_in_one_sentence_what_is_wrong(section, tmp_path, capsys):
    options = ["--seed", "3", "--settings", json.dumps(section)]
    out = str(tmp_path / "examples.png")
    assert plot_training_examples.main([out, "absent.h5", *options]) == 1
    assert capsys.readouterr().err == "error: absent.h5: the file does not exist\n"
    assert plot_training_examples.main([out, "absent.h5", *options, "--columns", "0"]) == 1
    assert "--columns is 0" in capsys.readouterr().err
