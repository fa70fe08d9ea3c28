"""The several lists of dependencies say the same."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def parts(requirement):
    """Name and lower limit of a requirement."""
    match = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?\s*(?:>=([\d.]+))?", requirement)
    return match[1].lower(), match[2]


def required():
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    return dict(parts(line) for line in PROJECT["dependencies"] + extras)


def test_conda_files_ask_for_what_the_package_asks_for():
    limits = required() | {"python": PROJECT["requires-python"].removeprefix(">="), "pip": None}
    for file in (ROOT / "envs").glob("*.yaml"):
        listed = yaml.safe_load(file.read_text(encoding="utf-8"))["dependencies"]
        plain = [entry for entry in listed if isinstance(entry, str)]
        plain += [entry for group in listed if isinstance(group, dict) for entry in group["pip"]]
        for entry in plain:
            name, limit = parts(entry)
            assert name in limits, f"{file.name}: {name}"
            assert limit == limits[name], f"{file.name}: {name}"


def test_every_dependency_is_pinned_and_the_pin_is_recent_enough():
    lines = (ROOT / "envs" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {}
    for line in lines:
        if line and not line.startswith("#"):
            name, version = re.match(r"([A-Za-z0-9_.-]+)==([^\s;]+)", line).groups()
            pins.setdefault(name.lower(), []).append(version)
    for name, limit in required().items():
        assert name in pins, name
        for version in pins[name]:
            assert numbers(version) >= numbers(limit), name


def numbers(version):
    return [int(number) for number in re.findall(r"\d+", version)][:3]


def test_pins_name_no_place_to_download_from():
    text = (ROOT / "envs" / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert not [line for line in text.splitlines() if line.startswith("-")]
