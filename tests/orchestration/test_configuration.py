"""The configuration as the rules get it."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from made_models import ranges
from snakemake.utils import update_config

from atomsight.config.replacing import replacements, with_replacements
from atomsight.errors import InputError

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"
MICROSCOPE = ranges(energy_eV=60_000)
ROW = ("mine", "image.tif", "graphene_laptop")


def merged(below, above):
    """As Snakemake merges the file of --configfile over the workflow's own."""
    both = copy.deepcopy(below)
    update_config(both, above)
    return both


def test_no_library_is_imported_that_only_jobs_need():
    """Every start of Snakemake would wait for them, and every job of a cluster."""
    code = (
        "import sys, pkgutil, importlib, atomsight.orchestration as room\n"
        "for found in pkgutil.iter_modules(room.__path__):\n"
        "    importlib.import_module(f'{room.__name__}.{found.name}')\n"
        "slow = {'keras', 'tensorflow', 'abtem', 'matplotlib', 'scipy.linalg', 'scipy.sparse'}\n"
        "print(sorted(slow & sys.modules.keys()))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"


def test_microscopes_of_the_repository_are_found_from_any_folder(opened, folder):
    def energy_eV():
        return opened(ROW).configuration["models"]["graphene_laptop"]["microscope"]["energy_eV"]

    assert energy_eV() == 80_000
    (folder / "config" / "microscopes").mkdir(parents=True)
    (folder / "config/microscopes/titan_80kv_bright.yaml").write_text(yaml.safe_dump(MICROSCOPE))
    assert energy_eV() == 60_000


def test_structures_are_dealt_out_in_jobs_of_the_wanted_length(opened, laptop):
    structures = {"structures": {"count": 5000, "shards": 3}}
    few = merged(laptop["models"], {"graphene_laptop": structures})
    shards = [
        opened(ROW, models=few, **minutes).configuration["models"]["graphene_laptop"]["structures"]
        for minutes in ({}, {"shard_minutes": 2.5})
    ]
    assert shards[0]["shards"] == 3
    assert shards[1]["shards"] > 3


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        (None, "models"),
        ([1], "models"),
        ({"mine": None}, "models.mine"),
        ({"mine": {}}, "models.mine.material"),
        ({"mine": {"material": "silicene", "microscope": {}}}, "models.mine.*silicene.*graphene"),
        ({"mine": {"material": ["graphene"], "microscope": {}}}, "models.mine.material"),
        ({"mine": {"replaces": "other"}}, "models.mine.replaces: other"),
    ],
)
def test_what_is_no_model_is_refused_in_a_sentence(opened, models, sentence):
    with pytest.raises(InputError, match=sentence):
        opened(ROW, models=models)


def test_a_model_that_replaces_another_takes_its_place_and_what_it_leaves_out(opened, laptop):
    """As if its keys had been merged over those of the other, which is not trained then."""
    changes = {"training": {"steps": 7}, "microscope": MICROSCOPE}
    new = {"graphene_paper": {"replaces": "graphene_laptop", **changes}}
    project = opened(ROW, models={**laptop["models"], **new})
    sections = project.models.sections
    assert list(sections) == ["graphene_paper", *list(laptop["models"])[1:]]
    over = opened(ROW, models=merged(laptop["models"], {"graphene_laptop": changes}))
    assert sections["graphene_paper"] == over.models.sections["graphene_laptop"]
    assert project.series.model("mine") == "graphene_paper"
    assert project.models.current("graphene_laptop") == "graphene_paper"
    assert project.models.current("gold_laptop") == "gold_laptop"
    assert "results/models/graphene_paper/evaluation.csv" in project.targets.score_tables()


@pytest.mark.parametrize("name", ["paper", "full_ranges"])
def test_what_ships_to_be_merged_replaces_models_of_the_laptop(laptop, opened, name):
    text = (ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8")
    models = opened(**merged(laptop, yaml.safe_load(text))).models
    assert "graphene_laptop" not in models.sections
    assert models.finds(models.current("graphene_laptop")) == "atoms"
    if name == "paper":
        of_paper = ("graphene", "gold", "gold_heights", "mos2", "mos2_single")
        assert not {f"{model}_laptop" for model in of_paper} & models.sections.keys()


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        ({"a": {"replaces": "b"}}, "models.a.replaces: b is no other model; known are $"),
        ({"a": {"replaces": "a"}, "b": {}}, "a is no other model; known are b"),
        (
            {"a": {}, "b": {"replaces": "a"}, "c": {"replaces": "a"}},
            "models.c.replaces: b replaces a already; remove one of the two",
        ),
        (
            {"a": {}, "b": {"replaces": "a"}, "c": {"replaces": "b"}},
            "models.b.replaces: b is replaced by c itself; write 'replaces: a' there and remove b",
        ),
    ],
)
def test_replacements_that_cannot_be_are_named(models, sentence):
    with pytest.raises(InputError, match=sentence):
        replacements(models)


def test_a_section_in_place_of_none_stays_as_it_is():
    models = {"a": {"structures": {"count": 3, "shards": 2}}, "b": 5}
    assert with_replacements(models) == models
