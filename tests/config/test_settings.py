"""The configuration: what is right is completed, what is wrong is told in one sentence."""

import copy
import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from atomsight.analysis import strain
from atomsight.config import settings
from atomsight.errors import InputError
from atomsight.evaluation import scores
from atomsight.materials import MATERIALS
from atomsight.phantoms import specimens
from atomsight.phantoms.acquisition import AcquisitionSettings
from atomsight.phantoms.specimens import PolycrystalSettings, PristineSettings, StrainedSettings
from atomsight.reading.micrographs.series import ImportSettings

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = yaml.safe_load(settings.SCHEMA_FILE.read_text(encoding="utf-8"))
CONFIGURATION = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
MICROSCOPES = sorted((ROOT / "config" / "microscopes").glob("*.yaml"))
MICROSCOPE = {
    "energy_eV": 80000,
    "defocus_A": [-200, 200],
    "cs_um": [-20, 20],
    "dose_e_per_A2": [10, 10000],
    "pixel_size_A": [0.1, 0.14],
}
MODEL = {"material": "graphene", "microscope": MICROSCOPE}

#: Unit in the schema by the end of a key.
UNITS = {
    "_e_per_A2": "e/Å²",
    "_per_A": "1/Å",
    "_A": "Å",
    "_um": "µm",
    "_mm": "mm",
    "_eV": "eV",
    "_px": "pixel",
    "_rad": "rad",
}


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch):
    """Microscopes' files are relative to the folder Snakemake runs in."""
    monkeypatch.chdir(ROOT)


def changed(values, path, value):
    """A copy with one more value, under a path such as ``a.b``."""
    values = copy.deepcopy(values)
    *inner, last = path.split(".")
    part = values
    for key in inner:
        part = part.setdefault(key, {})
    part[last] = value
    return values


def refusal(values):
    with pytest.raises(InputError) as caught:
        settings.check_configuration(values)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


# What is wrong is told


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("infrence", {}, "infrence is not a key of the configuration; did you mean inference?"),
        ("strain.bond", 1, "strain.bond is not a key of the configuration; did you mean bond_A?"),
        (
            "evaluation.dose",
            [1],
            "evaluation.dose is not a key of the configuration; known here are specimen, "
            "acquisition, doses_e_per_A2, conditions, settings",
        ),
        ("seed", -1, "seed: -1 must be at least 0"),
        ("seed", 2018.0, "seed: 2018.0 must be a whole number"),
        ("seed", True, "seed: True must be a whole number"),
        ("series", 3, "series: 3 must be a text"),
        ("strain", None, "strain: None must be a table of keys"),
        ("strain.max_rmsd", float("inf"), "strain.max_rmsd: inf must be a number [bond lengths]"),
        ("strain.reference", "mean", "strain.reference: 'mean' must be one of relative, absolute"),
        ("inference.tile_px", 1001, "inference.tile_px: 1001 must be a multiple of 8 [pixel]"),
        ("models", {}, "models: {} must not be empty"),
        (
            "models",
            {"a/b": MODEL},
            "models: 'a/b' must be a text of letters, digits, '_', '.'",
        ),
        (
            "models",
            {1: MODEL},
            "models: 1 must be a text of letters, digits, '_', '.' and '-'",
        ),
        ("models.m.class_names", ["a b"], "'a b' must be a text of letters, digits and '_' only"),
        ("strain", {1: 2}, "strain.1 is not a key of the configuration; known here are template, "),
        (
            "models.m.material",
            "diamond",
            f"models.m.material: 'diamond' must be one of {', '.join(MATERIALS)}",
        ),
        ("models.m.class_names", [], "models.m.class_names: [] must not be empty"),
        ("models.m.waves.displacement_A", {"C": 2}, "A.C: 2 must be at most 0.5 [Å]"),
        (
            "models.m.nanoparticle.support",
            {"amorphous_share": 0.9},
            "amorphous_share and crystalline_share must not sum to more than 1",
        ),
        (
            "models.m.training.curriculum",
            {"easy_until": 0.5, "full_from": 0.5},
            "models.m.training.curriculum: easy_until must be less than full_from",
        ),
        (
            "models.m.training.curriculum.start.cs_um",
            3,
            "models.m.training.curriculum.start.cs_um: 3 must be a range [low, high] [µm]",
        ),
    ],
)
def test_what_is_wrong_is_told_with_key_and_unit(path, value, sentence):
    assert sentence in refusal(changed({"models": {"m": MODEL}}, path, value))


def test_the_order_of_a_focal_series_is_not_turned_round():
    series = changed(
        {"models": {"m": MODEL}}, "models.m.training.curriculum.favourable", {"both_signs": True}
    )
    microscope = settings.check_configuration({"models": {"m": MODEL}})["models"]["m"]["microscope"]
    microscope |= {"focal_series": {"steps_A": [-100, 0, 100]}}
    sentence = "favourable: both_signs is for single images"
    assert sentence in refusal(changed(series, "models.m.microscope", microscope))


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("energy_eV", "80 kV", "energy_eV: '80 kV' must be a number [eV]"),
        ("energy_eV", 80, "energy_eV: 80 must be at least 20000 [eV]"),
        ("energy_kV", 80, "energy_kV is not a key of the configuration; did you mean energy_eV?"),
        ("defocus_nm", [-20, 20], "defocus_nm is not a key of the configuration; did you mean de"),
        ("pixel_size_nm", [0.01, 0.014], "not a key of the configuration; did you mean pixel_size"),
        ("cs_mm", [-1, 1], "cs_mm is not a key of the configuration; did you mean cs_um?"),
        ("defocus_A", [200, -200], "defocus_A: the range [200, -200] falls; write [low, high] [Å]"),
        ("vibration_A", [0.2, 0.1], "vibration_A: the range [0.2, 0.1] falls"),
        ("cs_um", 3, "cs_um: 3 must be a range [low, high] [µm]"),
        ("cs_um", [3], "cs_um: [3] must be a range [low, high] [µm]"),
        ("cs_um", [], "cs_um: [] must be a range [low, high] [µm]"),
        ("cs_um", [1, 2, 3], "cs_um: [1, 2, 3] must be a range [low, high] [µm]"),
        ("cs_um", [1, "2"], "cs_um.1: '2' must be a number [µm]"),
        ("pixel_size_A", [0.1, 5], "pixel_size_A.1: 5 must be at most 0.5 [Å]"),
        ("dose_e_per_A2", [0, 10], "dose_e_per_A2.0: 0 must be more than 0 [e/Å²]"),
        ("mtf", {"table": [[0, 1], [1]]}, "mtf.table.1: [1] must be a list of 2 numbers"),
        ("mtf", {"c1": [0.1, 0]}, "mtf.c1: the range [0.1, 0] falls; write [low, high]"),
    ],
)
def test_a_microscope_that_is_wrong_is_told(tmp_path, key, value, sentence):
    microscope = MICROSCOPE | {key: value}
    text = refusal({"models": {"m": {"material": "graphene", "microscope": microscope}}})
    assert text.startswith("models.m.microscope.")
    assert sentence in text

    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(microscope), encoding="utf-8")
    text = refusal({"models": {"m": {"material": "graphene", "microscope": str(path)}}})
    assert text.startswith(f"{path}: ")
    assert sentence in text


def test_what_is_missing_is_told():
    assert refusal({}) == "models is missing; it must be a table of keys"
    microscope = {key: value for key, value in MICROSCOPE.items() if key != "defocus_A"}
    text = refusal({"models": {"m": {"material": "graphene", "microscope": microscope}}})
    assert text == ("models.m.microscope.defocus_A is missing; it must be a range [low, high] [Å]")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "the microscope's file does not exist"),
        ("energy_eV: [80000", "not valid YAML"),
        ("80 kV", "not a table of ranges"),
    ],
)
def test_a_microscopes_file_that_is_none_is_told(tmp_path, content, sentence):
    path = tmp_path / "mine.yaml"
    if content:
        path.write_text(content)
    text = refusal({"models": {"m": {"material": "graphene", "microscope": str(path)}}})
    assert text.startswith(f"{path}: {sentence}")


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (
            "acquisition.dose",
            3,
            "acquisition.dose is not a key of the configuration; did you ",
        ),
        ("acquisition.pixel_size_A", 1.2, "pixel_size_A: 1.2 must be at most 0.5 [Å]"),
        ("acquisition.mtf", [0.1, 0.5], "mtf: [0.1, 0.5] must be a list of 3 numbers or null"),
        ("acquisition.mtf", [2, 0.5, 2], "acquisition.mtf.0: 2 must be at most 1"),
        ("camera", {}, "camera is not a key of the configuration; known here are specimen, acq"),
        ("specimen", {}, "specimen.kind is missing; it must be one of pristine, strained, polycr"),
        ("specimen", 3, "specimen: 3 must be a table of keys"),
        ("specimen.kind", "glass", "kind: 'glass' must be one of pristine, strained, polycrystal"),
        ("specimen.grain_count", 3, "specimen.grain_count is not a key of the configuration"),
        ("specimen.size_A", 50, "specimen.size_A: 50 must be a list of 2 numbers [Å]"),
        ("specimen.size_A", [50, -3], "specimen.size_A.1: -3 must be more than 0 [Å]"),
    ],
)
def test_an_acquisition_that_is_wrong_is_told(path, value, sentence):
    acquisitions = {"simulated_mine": changed({"specimen": {"kind": "pristine"}}, path, value)}
    text = refusal({"models": {"m": MODEL}, "acquisitions": acquisitions})
    assert text.startswith("acquisitions.simulated_mine.")
    assert sentence in text


def test_an_acquisition_needs_a_specimen():
    text = refusal({"models": {"m": MODEL}, "acquisitions": {"simulated_mine": {}}})
    assert text == "acquisitions.simulated_mine.specimen is missing; it must be a table of keys"


# What is right is completed


def test_defaults_come_from_the_schema():
    given = {"models": {"m": MODEL}, "strain": {"bond_A": 1.4}}
    before = copy.deepcopy(given)
    full = settings.check_configuration(given)
    assert given == before
    assert full["seed"] == SCHEMA["properties"]["seed"]["default"]
    assert full["strain"] == {
        "template": "honeycomb",
        "bond_A": 1.4,
        "max_rmsd": 0.15,
        "reference": "relative",
    }
    assert full["models"]["m"]["training"]["curriculum"]["start"] == {}
    assert full["models"]["m"]["microscope"]["mtf"]["table"] == []
    assert full["acquisitions"] == {}
    assert full["evaluation"]["specimen"]["relaxation_steps"] == 300
    assert full["evaluation"]["acquisition"]["rows"] == 1024
    assert settings.check_configuration(full) == full


def test_what_is_completed_is_a_copy_of_the_defaults():
    for _ in range(2):
        full = settings.complete({}, "evaluation")
        assert full["doses_e_per_A2"][0] == 10
        full["doses_e_per_A2"][0] = 0
        full["specimen"]["seed"] = 0


def test_a_specimen_takes_the_defaults_of_its_kind():
    full = settings.complete({"kind": "strained", "size_A": [50, 40]}, "specimen")
    assert full == {"kind": "strained"} | {
        field.name: field.default for field in dataclasses.fields(StrainedSettings)
    } | {"size_A": [50, 40]}


def test_an_evaluation_keeps_its_own_defaults_beside_what_is_given():
    optics = settings.complete({"acquisition": {"cs_um": 5}}, "evaluation")["acquisition"]
    assert (optics["cs_um"], optics["rows"], optics["gain"]) == (5, 1024, 1)
    # The script that evaluates reads it as an acquisition.
    loaded = settings.load(optics, "acquisition", AcquisitionSettings)
    assert (loaded.cs_um, loaded.rows, loaded.mtf) == (5, 1024, None)


def test_only_ranges_must_not_fall():
    microscope = MICROSCOPE | {"mtf": {"table": [[0, 1], [1, 0.4]]}, "cs_um": [2, 2]}
    assert settings.complete(microscope, "microscope")["mtf"]["table"] == [[0, 1], [1, 0.4]]
    sheet = settings.complete({"kind": "pristine", "size_A": [50, 40]}, "specimen")
    assert sheet["size_A"] == [50, 40]


def test_settings_are_built_with_tuples_and_floats():
    @dataclass(frozen=True)
    class Mixed:
        model_pixel_size_A: tuple[float, float] | None
        pixel_size_A: float | None
        frames: str

    section = {"model_pixel_size_A": [1, 2]}
    assert settings.load(section, "series_import", Mixed) == Mixed((1.0, 2.0), None, "")
    assert isinstance(
        settings.load({"mtf": [0, 1, 2]}, "acquisition", AcquisitionSettings).mtf[0], float
    )


@pytest.mark.parametrize(
    ("section", "kind"),
    [
        ("acquisition", AcquisitionSettings),
        ("specimen_pristine", PristineSettings),
        ("specimen_strained", StrainedSettings),
        ("specimen_polycrystal", PolycrystalSettings),
        ("series_import", ImportSettings),
    ],
)
def test_dataclasses_with_defaults_have_those_of_the_schema(section, kind):
    values = {"kind": "pristine"} if section.startswith("specimen") else {}
    assert settings.load(values, section, kind) == kind()
    keys = SCHEMA["$defs"][section]["properties"].keys()
    assert keys - {"kind"} == {field.name for field in dataclasses.fields(kind)}


def test_scores_by_hand_have_the_defaults_of_the_schema():
    section = settings.complete({}, "scores")
    assert section["radius_A"] == scores.MATCHING_RADIUS_A
    assert section["border_A"] == scores.BORDER_A


def test_names_in_the_schema_are_those_of_the_library():
    parts = {name: part.get("properties", {}) for name, part in SCHEMA["$defs"].items()}
    assert parts["strain"]["template"]["enum"] == list(strain.TEMPLATES)
    assert parts["strain"]["reference"]["enum"] == list(strain.REFERENCES)
    assert parts["specimen"]["kind"]["enum"] == list(specimens.KINDS)
    assert parts["model"]["material"]["enum"] == list(MATERIALS)
    assert MATERIALS.keys() <= parts.keys()


# The schema and the files that ship


def properties(schema=SCHEMA, path=""):
    """All properties of the schema with their paths; references are followed once, in $defs."""
    if isinstance(schema, list):
        for part in schema:
            yield from properties(part, path)
    if isinstance(schema, dict):
        for name, part in schema.items():
            if name == "properties":
                for key, value in part.items():
                    if "const" not in value:
                        yield f"{path}.{key}", value
            if name not in ("default", "enum", "if"):
                yield from properties(part, f"{path}.{name}")


def resolved(part):
    if "$ref" not in part:
        return part
    return resolved(SCHEMA["$defs"][part["$ref"].removeprefix("#/$defs/")]) | part


@pytest.mark.parametrize(("path", "part"), list(properties()))
def test_every_key_is_described_and_has_its_unit(path, part):
    part = resolved(part)
    assert part.get("description", "").endswith("."), path
    assert "type" in part or "enum" in part, path
    suffix = next((suffix for suffix in UNITS if path.endswith(suffix)), None)
    assert suffix is None or part.get("unit") == UNITS[suffix], path


def test_every_pair_of_numbers_that_is_a_range_is_marked():
    pairs = {
        path: resolved(part).get("range", False)
        for path, part in properties()
        if resolved(part).get("maxItems") == 2
    }
    no_ranges = {path.rpartition(".")[2] for path, is_range in pairs.items() if not is_range}
    assert no_ranges == {"size_A"}
    assert len(pairs) > 20


@pytest.mark.parametrize("path", MICROSCOPES, ids=lambda path: path.stem)
def test_microscopes_that_ship_pass(path):
    assert settings.read_microscope(path)["energy_eV"] > 0


def test_the_configuration_that_ships_passes():
    full = settings.check_configuration(CONFIGURATION)
    assert full["models"].keys() == CONFIGURATION["models"].keys()


#: Set in config.yaml for its small models; the schema's default is the one that is always right.
CHOSEN = {
    "contrast",  # follows from the microscope
}

#: Sections that are the same for all models by default, and better otherwise for some.
CHOSEN_BY_MODEL = ("class_names", "structures", "waves", "network", "training")
#: More of them, for models that count or name.
CHOSEN_FOR_FOCAL_SERIES = ("nanoparticle",)


def test_the_configuration_that_ships_tells_the_defaults():
    """Every key stands there with its default, so a key left out changes nothing."""
    others = CONFIGURATION["models"].keys() - {"graphene_laptop"}
    chosen = [f"{name}.{part}" for name in others for part in CHOSEN_BY_MODEL]
    chosen += [f"gold_heights_laptop.{part}" for part in CHOSEN_FOR_FOCAL_SERIES]
    mismatches = {
        path: (value, default)
        for path, value, default in with_defaults(CONFIGURATION, SCHEMA)
        if value != default
        and path.rpartition(".")[2] not in CHOSEN
        and not path.startswith(tuple(f"models.{name}" for name in chosen))
    }
    assert mismatches == {}


def with_defaults(values, schema, path=""):
    """Values that have a default in the schema, with it; named simulations are none."""
    for key, value in values.items():
        part = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
        if key in ("acquisitions", "sequences", "focal_series") or not isinstance(part, dict):
            continue
        part = resolved(part)
        if isinstance(value, dict):
            inner = part.get("default")
            if inner and "kind" in inner:
                yield f"{path}{key}", value, inner
            else:
                yield from with_defaults(value, part, f"{path}{key}.")
        elif "default" in part:
            yield f"{path}{key}", value, part["default"]


def shipped_with(path, value):
    """The configuration that ships with one value changed, its microscopes found from anywhere."""
    configuration = copy.deepcopy(CONFIGURATION)
    for model in configuration["models"].values():
        model["microscope"] = str(ROOT / model["microscope"])
    *parents, last = path.split(".")
    part = configuration
    for key in parents:
        part = part[key]
    part[last] = value
    return configuration


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (
            "models.mos2_laptop.class_names",
            ["S", "S2", "Mo"],
            "the classes of this material are Mo, S2, S",
        ),
        ("models.gold_heights_laptop.class_names", ["1", "2", "5"], "take all numbers from 1"),
        ("models.gold_heights_laptop.class_names", ["1"], "take all numbers from 1"),
        ("image_counts", ["gold"], "image_counts: gold is not a model .* that counts"),
        ("image_counts", ["nothing"], "image_counts: nothing is not a model"),
        (
            "focal_series.simulated_pristine",
            {"specimen": {"kind": "particle"}},
            "acquisitions has this name already",
        ),
    ],
)
def test_names_that_do_not_fit_together_are_told(path, value, sentence):
    with pytest.raises(InputError, match=sentence):
        settings.check_configuration(shipped_with(path, value))
