"""What the targets are made of, and what rules write on command lines."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from atomsight.errors import InputError
from atomsight.orchestration import resources
from atomsight.orchestration.measurements import EVALUATIONS, SCORES
from atomsight.orchestration.targets import SCORED, one_of
from atomsight.reporting.evaluated_models import TABLES

SIMULATED = ("pristine", "results/acquisitions/simulated_pristine.tif", "graphene_laptop")


def test_everything_that_can_be_made_of_ones_own_series(opened):
    rows = [
        ("sheet", "a.tif", "graphene"),
        ("particle", "b.tif", "gold", 0.125),
        ("counted", "c.tif", "gold_heights", 0.24, "", "-170,-40,90"),
        ("named", "d.tif", "mos2", 0.15, "", "-153,-83,-13"),
        SIMULATED,
    ]
    made = {
        "sheet": ("atoms.csv", "strain.csv", "strain.png"),
        "particle": ("atoms.csv", "sites.csv", "occupancy.png"),
        "counted": ("atoms.csv", "heights.csv", "heights.png"),
        "named": ("atoms.csv", "species.png"),
    }
    found = opened(*rows).targets.own_series()
    assert {f"results/series/{name}/{file}" for name in made for file in made[name]} <= set(found)
    assert {path.split("/")[2] for path in found} == made.keys()


def test_a_sheet_of_simulated_series_only_is_told_how_to_add_ones_own(opened):
    with pytest.raises(InputError, match=r"sheet\.tsv: .*a row for each.*--config series="):
        opened(SIMULATED).targets.own_series()


def test_metrics_are_of_what_ships_and_scores_of_what_is_trained(opened):
    targets = opened().targets
    metrics, scores = targets.metrics_tables(), targets.score_tables()
    assert "results/metrics/graphene/strain.csv" in metrics
    assert "results/metrics/gold/background.csv" in metrics
    assert not [path for path in metrics if "laptop" in path]
    assert {
        "results/models/graphene_laptop/evaluation.csv",
        "results/models/gold_laptop/columns.csv",
        "results/models/mos2_single_laptop/species_summary.csv",
        "results/series/simulated_strained/scores.csv",
        "results/series/simulated_mos2/class_scores.csv",
        "results/series/simulated_gold_gas/dynamics_scores.csv",
        "results/comparisons/simulated_gold.csv",
    } <= set(scores)
    assert len(scores) == len(set(scores))


def test_only_names_there_are_fit_the_pattern():
    assert re.fullmatch(one_of(["a.b", "c"]), "a.b")
    assert not re.fullmatch(one_of(["a.b", "c"]), "axb")
    assert not re.fullmatch(one_of([]), "")


def test_particles_of_the_evaluation_are_of_the_metal_and_contrast_of_the_model(opened, laptop):
    either = {"microscope": "config/microscopes/titan_300kv.yaml"}
    platinum = laptop["models"]["gold_laptop"] | either
    platinum["nanoparticle"] = {**platinum["nanoparticle"], "metal": "Pt"}
    project = opened(SIMULATED, models={**laptop["models"], "platinum": platinum})

    def settings(model, of="models", section="column_evaluation"):
        return json.loads(project.options.particles(section, model, of))

    assert settings("platinum")["particle"]["metal"] == "Pt"
    assert settings("platinum")["contrast"] == "auto"
    assert settings("gold", "metrics")["particle"]["metal"] == "Au"
    assert settings("gold_laptop")["contrast"] == "bright"
    assert "particle" not in settings("platinum", section="background_evaluation")


def test_sections_are_written_as_json(opened):
    options = opened(SIMULATED).options
    whole = json.loads(options.model("graphene_laptop"))
    assert json.loads(options.model("graphene_laptop", "waves")) == whole["waves"]
    assert json.loads(options.model("graphene_laptop", "waves", "network")) == {
        key: whole[key] for key in ("waves", "network")
    }
    assert json.loads(options.material("graphene_laptop")) == whole["graphene"]
    assert json.loads(options.section("dynamics", "border_A")) == {"border_A": 1.0}
    assert json.loads(options.simulation("simulated_gold_gas"))["frames"] == 40
    assert json.loads(options.specimen())["kind"] == "polycrystal"
    assert json.loads(options.import_settings("pristine"))["series"] == "pristine"
    assert json.loads(options.everything())["seed"] == 2018


def options_of(words):
    """Words of a command line: those that stand alone, and options with the word after them."""
    first = next((number for number, word in enumerate(words) if word[:2] == "--"), len(words))
    return words[:first], dict(zip(words[first::2], words[first + 1 :: 2], strict=True))


def test_the_evaluations_of_a_section_are_told_all_its_keys_together(opened):
    """One key that no evaluation reads would change nothing; the specimen is made by itself."""
    section = opened(SIMULATED).options.configuration["evaluation"]
    told = {key for one in EVALUATIONS.values() if one.section == "evaluation" for key in one.keys}
    assert told == section.keys() - {"specimen"}


@pytest.mark.parametrize("kind", EVALUATIONS)
def test_an_evaluation_is_told_what_to_write_and_how_to_measure(opened, kind):
    options, chosen = opened(SIMULATED).options, EVALUATIONS[kind]
    model = {"atoms": "graphene", "columns": "gold", "heights": "gold_heights", "species": "mos2"}
    wildcards = SimpleNamespace(model=model[chosen.finds], of="metrics")
    paths = chosen.outputs("results")
    alone, named = options_of(options.evaluation(kind, wildcards, paths))
    assert sorted([*alone, *(named[option] for option in named if named[option] in paths)]) == (
        sorted(paths)
    )
    assert alone[0] == paths[0]
    assert json.loads(named["--inference"]) == options.configuration["inference"]
    settings = json.loads(named["--settings"])
    assert settings.keys() >= set(chosen.keys or ("doses_e_per_A2",))
    assert ("--strain" in named) == (kind == "strain")


def test_a_score_is_told_what_to_write(opened):
    options = opened(SIMULATED).options
    found = {kind: SimpleNamespace(found=["a.h5"]) for kind in SCORES}
    found["atoms"].found.append("strain.h5")
    atoms = options.score("atoms", None, found["atoms"], ["s.csv"])
    assert atoms == ["s.csv", "--strain", "strain.h5", "--settings", '{"relative": true}']
    dynamics = options.score("dynamics", None, found["dynamics"], ["s.csv", "t.csv"])
    assert dynamics == ["s.csv", "--table", "t.csv"]


def test_every_measured_table_of_a_target_is_made_by_an_evaluation():
    for finds, tables in [*TABLES.items(), *SCORED.items()]:
        made = [each.tables for each in EVALUATIONS.values() if each.finds == finds]
        assert set(tables) <= set().union(*made)


def test_hops_are_told_from_errors_as_far_as_these_are_known(opened):
    rows = [("known", "a.tif", "gold", 0.125, 300), ("unknown", "a.tif", "gold", 0.125)]
    options = opened(*rows).options
    hops = ["--hops", options.section("hops")]
    assert options.hops("known", ["e.csv"]) == ["--errors", "e.csv", "--dose", "300.0", *hops]
    assert options.hops("unknown", []) == hops


def test_memory_grows_with_the_attempt_and_time_with_the_input():
    memory = [resources.memory(2000)(None, attempt) for attempt in (1, 2, 3, 9)]
    assert memory == [2000, 4000, 6000, 6000]
    assert resources.minutes(30, per_gb=10)(None, SimpleNamespace(size_gb=2.04)) == 50


def test_the_page_of_targets_names_the_tables_of_every_kind_of_model():
    root = Path(__file__).parents[2]
    page = (root / "docs" / "reference" / "targets.md").read_text(encoding="utf-8")
    for tables in SCORED.values():
        for table in tables:
            assert f"{table}.csv`" in page
