"""The profiles know every rule that wants a GPU, and the docs show what is filled in."""

import re
from pathlib import Path

import pytest
import yte

from atomsight.orchestration import slurm

ROOT = Path(__file__).parents[2]
#: It reads the cards of models, not their networks.
WITHOUT_NETWORK = {"summarise_metrics"}


def profile(name, **filled_in):
    """A profile as Snakemake reads it, with other values of the lines at its top."""
    text = (ROOT / "profiles" / name / "config.yaml").read_text(encoding="utf-8")
    for key, value in filled_in.items():
        text, lines = re.subn(rf"(?m)^(  {key}:) .*$", rf"\1 {value}", text)
        assert lines == 1, key
    return yte.process_yaml(text, require_use_yte=True)


def rules_with(pattern):
    """Names of the rules whose text holds a pattern, as they are written."""
    found = set()
    for file in (ROOT / "workflow" / "rules").glob("*.smk"):
        for block in re.split(r"\n(?= *rule\b)", file.read_text(encoding="utf-8")):
            if name := re.match(r"rule (\w+):| *rule:(?s:.*?)name:\s+f?\"([^\"]+)\"", block):
                found |= {name[1] or name[2]} if re.search(pattern, block) else set()
    return found


def test_all_networks_share_the_one_gpu_of_a_machine():
    """One that did not wait would find the GPU's memory taken."""
    assert profile("local-gpu")["resources"] == {"network": 1}
    assert rules_with("network=1") == rules_with("envs/learn.yaml") - WITHOUT_NETWORK
    assert {"train_network", "map_classes", "evaluate_{kind}"} <= rules_with("network=1")


@pytest.mark.parametrize("name", ["slurm", "pbs", "lsf"])
def test_a_cluster_is_asked_for_a_gpu_for_every_rule_that_wants_one(name):
    assert rules_with(r"gpu=1") <= profile(name)["set-resources"].keys()


def test_what_is_filled_in_goes_to_slurm():
    """Quoted, for Snakemake takes texts for Python: 2024 is a number there, and all a function."""
    filled = profile("slurm", partition="all", gpu_partition="gpu-a100", account='"2024"')
    assert filled["default-resources"] == {"slurm_partition": "'all'", "slurm_account": "'2024'"}
    asked = filled["set-resources"]
    assert asked["train_network"] == {"slurm_partition": "'gpu-a100'", "gpu": 1}
    assert slurm.names(asked["map_classes"]["slurm_partition"]) == ("gpu-a100", "all")


def test_what_stays_empty_is_not_asked_for():
    empty = profile("slurm", gpu_partition='""', account='""')
    assert empty["default-resources"] == {"slurm_partition": "'compute'"}
    assert empty["set-resources"] == {"train_network": {"gpu": 0}}


def test_retries_are_the_profiles_business():
    """In a rule they would be honoured inside the job too, at the memory it has."""
    assert not rules_with(r"retries")
    for name in ("slurm", "pbs", "lsf", "kubernetes"):
        assert profile(name)["retries"] == 2


def test_the_docs_show_the_lines_to_fill_in():
    page = (ROOT / "docs" / "how-to" / "cluster.md").read_text(encoding="utf-8")
    text = (ROOT / "profiles" / "slurm" / "config.yaml").read_text(encoding="utf-8")
    lines = re.search(r"__variables__:\n((?:  .*\n)+)", text)[1]
    assert f"```yaml\n{lines}```" in page
