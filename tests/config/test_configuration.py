"""The whole configuration: what is right is completed, what is wrong is told in one sentence."""

import copy
import inspect
import itertools
from pathlib import Path

import pytest
import yaml

from atomsight.analysis import strain
from atomsight.config.configuration import Configuration, check_configuration
from atomsight.config.evaluation import EvaluationSettings
from atomsight.config.microscope import MicroscopeSettings
from atomsight.config.phantoms import SpecimenSettings
from atomsight.config.section import Section, complete, keys_of
from atomsight.errors import InputError
from atomsight.materials import MATERIALS
from atomsight.phantoms import specimens

ROOT = Path(__file__).resolve().parents[2]
MICROSCOPE = {
    "energy_eV": 80000,
    "defocus_A": [-200, 200],
    "cs_um": [-20, 20],
    "dose_e_per_A2": [10, 10000],
    "pixel_size_A": [0.1, 0.14],
}
MODEL = {"material": "graphene", "microscope": MICROSCOPE}
SULFUR_FIRST = {"material": "mos2", "class_names": ["S", "S2", "Mo"]}
SOME_NUMBERS = {"material": "nanoparticle", "class_names": ["1", "2", "5"]}
SMALL = {
    "models": {"m": MODEL},
    "acquisitions": {"simulated_sheet": {"specimen": {"kind": "pristine"}}},
}

#: Unit by the end of a key.
UNITS = {
    "_e_per_A2": "e/Å²",
    "_per_A": "1/Å",
    "_A": "Å",
    "_um": "µm",
    "_mm": "mm",
    "_eV": "eV",
    "_px": "pixel",
    "_rad": "rad",
    "_deg": "°",
}


def changed(path, value):
    """The small configuration with one more value, under a path such as ``a.b``."""
    values = copy.deepcopy(SMALL)
    *inner, last = path.split(".")
    part = values
    for key in inner:
        part = part.setdefault(key, {})
    part[last] = value
    return values


def refusal(values):
    with pytest.raises(InputError) as caught:
        check_configuration(values)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


# What is wrong is told


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("infrence", {}, "infrence is not a key of the configuration; did you mean inference?"),
        ("strain.bond", 1, "strain.bond is not a key of the configuration; did you mean bond_A?"),
        ("evaluation.dose", [1], "evaluation.dose is not a key .*; known are .*doses_e_per"),
        ("models", {}, "models: {} must not be empty"),
        ("models", {"a/b": MODEL}, "models: 'a/b' must be a text of letters, digits, '_', '.'"),
        ("models.m.class_names", ["a b"], "'a b' must be a text of letters, digits and '_' only"),
        ("models.m.material", "diamond", f"'diamond' must be one of {', '.join(MATERIALS)}"),
        ("models.m.class_names", [], "models.m.class_names: \\[\\] must not be empty"),
        ("models.m.waves.displacement_A", {"C": [0, 2]}, "A.C.1: 2 must be at most 0.5 \\[Å\\]"),
        ("models.m.waves.displacement_A", {"c": [0, 0.1]}, "A.c: .* symbol; did you mean C\\?"),
        ("models.m.waves.displacement_A", {"Xx": [0, 0.1]}, "A.Xx: the name must be a chemical sy"),
        ("models.m.nanoparticle.support", {"amorphous_share": 0.9}, "support: .* sum to more than"),
        ("models.m.training.curriculum", {"full_from": 0.01}, "easy_until .* less than"),
        ("models.m.microscope.easy.cs_um", 3, r"cs_um: 3 must be a range \[low, high\] \[µm\]"),
        ("models.m.microscope.easy.readout_e", [3, 4], "easy.readout_e is not a key"),
        ("models.m.training.curriculum.favourable.ranges", {"gain_spread": [0, 1]}, "not a key"),
        (
            "models.m",
            {
                "material": "graphene",
                "microscope": MICROSCOPE | {"focal_series": {"steps_A": [-100, 0, 100]}},
                "training": {"curriculum": {"favourable": {"both_signs": True}}},
            },
            "m.training.curriculum.favourable: both_signs is for single images",
        ),
        ("models.m", MODEL | SULFUR_FIRST, "models.m.class_names: .*Mo, S2, S"),
        ("models.m", MODEL | SOME_NUMBERS, "models.m.class_names: .*all numbers from 1"),
        ("image_counts", ["m"], "image_counts: m is not a model .* that counts"),
        ("image_counts", ["nothing"], "image_counts: nothing is not a model"),
        ("focal_series.simulated_sheet.specimen", {"kind": "particle"}, "acquisitions has this"),
        ("sequences.mine", {}, "sequences: 'mine' must be a text of 'simulated_' and then"),
        ("evaluation.settings.microscope.mtf.table", [[0, 1], [1, 0.5]], "missing"),
        ("height_evaluation.cameras", {"main": None}, "cameras.main: .* choose another name"),
        ("evaluation.cameras", {"": None}, "evaluation.cameras: '' must be a text of letters"),
        ("evaluation.doses_e_per_A2", [10, 10.0], "A2: .* must not have an item twice"),
        ("evaluation.camera_doses_e_per_A2", [10, 10], "A2: .* must not have an item twice"),
    ],
)
def test_what_is_wrong_is_told_with_its_key(path, value, sentence):
    with pytest.raises(InputError, match=sentence):
        check_configuration(changed(path, value))


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("energy_eV", 80, "energy_eV: 80 must be at least 20000 [eV]"),
        ("energy_kV", 80, "energy_kV is not a key of the configuration; did you mean energy_eV?"),
        ("defocus_nm", [-20, 20], "defocus_nm is not a key of the configuration; did you mean de"),
        ("cs_mm", [-1, 1], "cs_mm is not a key of the configuration; did you mean cs_um?"),
        ("pixel_size_A", [0.1, 5], "pixel_size_A.1: 5 must be at most 0.5 [Å]"),
        ("dose_e_per_A2", [0, 10], "dose_e_per_A2.0: 0 must be more than 0 [e/Å²]"),
        ("mtf", {"table": [[0, 1], [1]]}, "mtf.table.1: [1] must be a list of 2 numbers"),
        ("mtf", {"c1": [0.1, 0]}, "mtf.c1: the range [0.1, 0] falls; write [low, high]"),
        ("mtf", {"cameras": [None]}, "mtf.cameras.0: None must be a mapping"),
        (
            "mtf",
            {"cameras": [{"table": [[0, 1], [0.5, 1]]}]},
            "cameras.0.table: [[0, 1], [0.5, 1]]",
        ),
    ],
)
def test_a_microscope_that_is_wrong_is_told(tmp_path, key, value, sentence):
    microscope = MICROSCOPE | {key: value}
    text = refusal({"models": {"m": MODEL | {"microscope": microscope}}})
    assert text.startswith("models.m.microscope.")
    assert sentence in text

    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(microscope), encoding="utf-8")
    text = refusal({"models": {"m": MODEL | {"microscope": str(path)}}})
    assert text.startswith(f"{path}: ")
    assert sentence in text


def test_a_cameras_file_that_is_missing_is_told():
    microscope = MICROSCOPE | {"mtf": {"cameras": ["config/cameras/none.yaml"]}}
    text = refusal({"models": {"m": MODEL | {"microscope": microscope}}})
    assert text == "config/cameras/none.yaml: the camera's file does not exist"


def test_what_is_missing_is_told():
    assert refusal({}) == "models is missing; it must be a mapping"
    model = MODEL | {"microscope": MICROSCOPE | {"defocus_A": None}}
    assert refusal({"models": {"m": model}}).endswith("None must be a range [low, high] [Å]")
    del model["microscope"]["defocus_A"]
    text = refusal({"models": {"m": model}})
    assert text == "models.m.microscope.defocus_A is missing; it must be a range [low, high] [Å]"
    text = refusal({"models": {"m": MODEL}, "acquisitions": {"simulated_mine": {}}})
    assert text == "acquisitions.simulated_mine.specimen is missing; it must be a mapping"


# What is right is completed


def test_defaults_fill_in_everywhere():
    given = changed("strain.max_rmsd", 0.2)
    before = copy.deepcopy(given)
    full = check_configuration(given)
    assert given == before
    assert full["seed"] == 2018
    assert (full["strain"]["max_rmsd"], full["strain"]["reference"]) == (0.2, "relative")
    model = full["models"]["m"]
    assert model.keys() >= MATERIALS.keys()
    assert model["microscope"]["easy"] == {}
    assert model["microscope"]["mtf"]["table"] == []
    assert full["acquisitions"]["simulated_sheet"]["acquisition"]["rows"] == 768
    assert check_configuration(full) == full


def test_a_microscopes_file_of_the_repository_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ranges = EvaluationSettings.complete({})["settings"]["microscope"]
    assert (ranges["energy_eV"], ranges["astigmatism_A"]) == (80000, [0, 100])


def test_sections_that_are_like_others_have_their_own_defaults():
    assert complete(SpecimenSettings, {"kind": "polycrystal", "seed": 3}) == {
        "kind": "polycrystal",
        "seed": 3,
        "size_A": [104, 104],
        "grain_count": 6,
        "relaxation_steps": 300,
    }
    full = EvaluationSettings.complete({"acquisition": {"cs_um": 5}})
    assert full["specimen"]["size_A"] == [128, 128]
    optics = full["acquisition"]
    assert (optics["cs_um"], optics["rows"], optics["offset"]) == (5, 1024, 0)
    assert len(full["cameras"]["direct"]["table"]) > 20  # It stands in a file.


# The keys, and the files that ship


def test_every_key_has_a_meaning_and_its_unit():
    schema = Configuration.model_json_schema()
    for name, section in {"Configuration": schema, **schema["$defs"]}.items():
        keys = section.get("anyOf", [section])[0]["properties"]  # any: the keys, or a file
        for key, part in keys.items():
            assert part["description"].endswith("."), f"{name}.{key}"
            suffix = next((suffix for suffix in UNITS if key.endswith(suffix)), None)
            assert suffix is None or part.get("unit") == UNITS[suffix], f"{name}.{key}"


def kinds(section):
    return [section, *(kind for one in section.__subclasses__() for kind in kinds(one))]


def test_no_type_of_a_key_is_a_name_in_quotes():
    """What is wrong under such a key could not be told before its class is built on its own."""
    for section in kinds(Section):
        for name, kind in inspect.get_annotations(section).items():
            assert not isinstance(kind, str), f"{section.__name__}.{name}"


def test_names_that_keys_may_have_are_known_to_the_library():
    keys = Configuration.model_json_schema()["$defs"]["StrainSettings"]["properties"]
    assert keys["template"]["const"] in strain.TEMPLATES
    assert keys["reference"]["enum"] == list(strain.REFERENCES)
    assert {"grain_count", "planar_strain"} <= set(keys_of(SpecimenSettings))
    for kind in specimens.KINDS:
        assert complete(SpecimenSettings, {"kind": kind})["kind"] == kind


def test_microscopes_that_ship_pass():
    for path in (ROOT / "config" / "microscopes").glob("*.yaml"):
        assert MicroscopeSettings.parse(str(path)).energy_eV > 0


def merged(below, above):
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    keys = itertools.chain(below, above.keys() - below.keys())
    return {key: merged(below.get(key), above.get(key, below.get(key))) for key in keys}


@pytest.mark.parametrize("name", ["", "paper", "full_ranges", "image_count"])
def test_configurations_that_ship_pass(name):
    files = [ROOT / "config" / f"{part}.yaml" for part in ("config", name) if part]
    values = {}
    for file in files:
        values = merged(values, yaml.safe_load(file.read_text(encoding="utf-8")))
    models = check_configuration(values)["models"]
    # Behind these the temporal envelope loses electrons (tests/imaging/test_coherence.py).
    heavy = [model for model in models.values() if model["material"] in ("nanoparticle", "mos2")]
    assert heavy
    assert all(model["microscope"]["coherent_modes"] >= 4 for model in heavy)
