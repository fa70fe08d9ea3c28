"""The several lists of dependencies say the same."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from atomsight.figures import FIGURES
from atomsight.orchestration.source_files import source_files

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONSTRAINTS = (ROOT / "envs" / "constraints.txt").read_text(encoding="utf-8").splitlines()


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
    pins = {}
    for line in CONSTRAINTS:
        if line and not line.startswith("#"):
            name, version = re.match(r"([A-Za-z0-9_.-]+)==([^\s;]+)", line).groups()
            pins.setdefault(name.lower(), []).append(version)
    for name, limit in required().items():
        assert name in pins, name
        for version in pins[name]:
            assert numbers(version) >= numbers(limit), name


def rules():
    """Script and conda file of every rule that has a script."""
    for file in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for block in re.split(r"\n(?=rule )", file.read_text(encoding="utf-8")):
            script = re.search(r'code\("(\w+\.py)"\)', block)
            conda = re.search(r"envs/(\w+\.yaml)", block)
            if script and conda:
                yield script[1], conda[1]


def imported_packages(script, *modules):
    """What a script and its modules import from elsewhere, under the names of the packages."""
    names = set()
    scripts = ROOT / "workflow" / "scripts"
    for file in source_files(scripts / script, *(scripts / module for module in modules)):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module.split(".")[0])
    backends = {"tensorflow", "jax", "torch"}
    foreign = names - set(sys.stdlib_module_names) - backends - {"atomsight"}
    return {PACKAGES.get(name, name) for name in foreign}


PACKAGES = {
    "mpl_toolkits": "matplotlib",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "pydantic_core": "pydantic",
    "yaml": "pyyaml",
    "PIL": "pillow",
    "rsciio": "rosettasciio",
}


def listed_packages(conda):
    text = (ROOT / "envs" / conda).read_text(encoding="utf-8")
    return set(re.findall(r"- ([a-z][\w-]*)", text))


@pytest.mark.parametrize(("script", "conda"), sorted(set(rules())))
def test_a_rules_conda_file_has_all_that_its_script_imports(script, conda):
    assert imported_packages(script) <= listed_packages(conda)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figures_conda_file_has_all_that_it_imports(name):
    conda = getattr(FIGURES[name], "CONDA", "analyse")
    imported = imported_packages("plot.py", f"atomsight/figures/{name}.py")
    assert "matplotlib" in imported
    assert imported <= listed_packages(f"{conda}.yaml")


def numbers(version):
    return [int(number) for number in re.findall(r"\d+", version)][:3]


def test_pins_name_no_place_to_download_from():
    assert "://" not in "".join(CONSTRAINTS)
    assert not [line for line in CONSTRAINTS if line.startswith("-")]
