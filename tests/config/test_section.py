"""Sections: what is right is completed, what is wrong is told in one sentence."""

import pytest
from pydantic import ValidationError

from atomsight.config.section import CountRange, Range, Section, key, one_of, part, text
from atomsight.errors import InputError


class Optics(Section):
    """Optics."""

    cs_um: Range = key(unit="µm")
    pixel_size_A: Range = key((0.1, 0.2), unit="Å", ge=0.02, le=0.5)


class OpticsInPart(Optics, **dict.fromkeys(Optics.model_fields)):
    """Ranges of which any may be absent."""


class FineOptics(Optics, pixel_size_A=(0.02, 0.05)):
    """Optics with small pixels."""


class Wide(Section):
    """A specimen."""

    kind: str = "wide"
    width: int = key(3, ge=1)


class Tall(Section):
    """A specimen."""

    kind: str = "tall"
    height: int = key(4, ge=1, multiple_of=2)


class Everything(Section):
    """Everything."""

    count: int = key(2, ge=0)
    dose: float = key(100, gt=0, unit="e/Å²")
    """Dose of an image."""
    mtf: tuple[float, float, float] | None = key(None, ge=0)
    focus_A: tuple[float, ...] = key((0,), unit="Å", min_length=1, unique=True)
    steps: CountRange = key((1, 2), ge=1)
    displacement_A: dict[str, float] = key({}, unit="Å", le=1)
    names: dict[text("^[a-z]+$", "small letters"), Optics] = key({})
    optics: FineOptics = part(FineOptics, cs_um=(1, 2))
    start: OpticsInPart = part(OpticsInPart)
    specimen: one_of("kind", wide=Wide, tall=Tall) = key(Wide())


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"cuont": 1}, "cuont is not a key of the configuration; did you mean count?"),
        ({"dose_A": 1}, "dose_A is not a key of the configuration; did you mean dose?"),
        ({1: 2}, "1 is not a key of the configuration; known are count, dose, mtf, "),
        ({"count": 2.0}, "count: 2.0 must be a whole number"),
        ({"count": True}, "count: True must be a whole number"),
        ({"dose": True}, "dose: True must be a number [e/Å²]"),
        ({"dose": "1"}, "dose: '1' must be a number [e/Å²]"),
        ({"dose": float("nan")}, "dose: nan must be a number [e/Å²]"),
        ({"dose": 0}, "dose: 0 must be more than 0 [e/Å²]"),
        ({"mtf": [0, 1]}, "mtf: [0, 1] must be a list of 3 numbers or null"),
        ({"mtf": [0, -1, 1]}, "mtf.1: -1 must be at least 0"),
        ({"focus_A": []}, "focus_A: [] must not be empty"),
        ({"focus_A": [1, 1]}, "focus_A: [1, 1] must not have an item twice"),
        ({"focus_A": 1}, "focus_A: 1 must be a list [Å]"),
        ({"steps": [3, 2]}, "steps: the range [3, 2] falls; write [low, high]"),
        ({"steps": [0, 2]}, "steps.0: 0 must be at least 1"),
        ({"displacement_A": {"C": 2}}, "displacement_A.C: 2 must be at most 1 [Å]"),
        ({"names": {"A": {}}}, "names: 'A' must be a text of small letters only"),
        ({"names": {"a": {}}}, "names.a.cs_um is missing; it must be a range [low, high] [µm]"),
        ({"names": {"a": 1}}, "names.a: 1 must be a mapping"),
        ({"start": {"cs_um": None}}, "start.cs_um: None must be a range [low, high] [µm]"),
        ({"specimen": {}}, "specimen.kind is missing; it must be one of wide, tall"),
        ({"specimen": {"kind": "glass"}}, "kind: 'glass' must be one of wide, tall"),
        ({"specimen": {"kind": "tall", "height": 3}}, "specimen.height: 3 must be a multiple of 2"),
        ({"specimen": {"kind": "tall", "width": 3}}, "width is not a key of the configuration"),
        (None, "None must be a mapping"),
    ],
)
def test_what_is_wrong_is_told_with_key_and_unit(values, sentence):
    with pytest.raises(InputError) as caught:
        Everything.parse(values)
    assert sentence in str(caught.value)
    with pytest.raises(InputError, match=r"^models\.m(\.|: )"):
        Everything.parse(values, "models.m")


def test_defaults_fill_in_and_what_is_given_stays_as_it_is():
    given = {"dose": 5, "start": {"cs_um": [1, 2]}, "specimen": {"kind": "tall"}}
    completed = Everything.complete(given)
    assert isinstance(completed["dose"], int)
    assert completed["start"] == {"cs_um": [1, 2]}
    assert completed["specimen"] == {"kind": "tall", "height": 4}
    assert completed["optics"] == {"cs_um": [1, 2], "pixel_size_A": [0.02, 0.05]}
    assert completed["focus_A"] == [0]
    assert Everything.complete(completed) == completed
    completed["focus_A"].append(1)
    assert Everything.complete({})["focus_A"] == [0]


def test_settings_are_frozen_with_tuples_and_floats():
    settings = Everything.parse({"mtf": [0, 1, 2], "start": {}})
    assert isinstance(settings.dose, float)
    assert settings.mtf == (0.0, 1.0, 2.0)
    assert isinstance(settings.mtf[0], float)
    assert settings.start.cs_um is None
    with pytest.raises(ValidationError, match="frozen"):
        settings.dose = 3.0


def test_the_json_schema_has_units_and_limits():
    schema = Everything.model_json_schema()
    assert schema["properties"]["dose"]["unit"] == "e/Å²"
    assert schema["properties"]["dose"]["description"] == "Dose of an image."
    assert schema["properties"]["optics"]["description"] == "Optics with small pixels."
    assert schema["properties"]["steps"]["prefixItems"][1]["minimum"] == 1
    assert schema["$defs"]["FineOptics"]["properties"]["pixel_size_A"]["default"] == [0.02, 0.05]
