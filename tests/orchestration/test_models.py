"""A name is a model of the configuration, which is trained, or else one that ships."""

import pytest
from made_models import ranges

from atomsight.errors import InputError
from atomsight.materials import graphene

FILES = ("model.json", "network.weights.h5")


def row(model, *more):
    return ("mine", "image.tif", model, *more)


def test_a_model_of_the_configuration_is_trained(opened):
    models = opened(row("graphene_laptop")).models
    assert models.folder("graphene_laptop") == "results/models/graphene_laptop/model"
    assert models.finds("graphene_laptop") == "atoms"
    assert models.pixel_size_A("graphene_laptop") == [0.1, 0.14]
    assert models.shards("graphene_laptop", "waves") == [
        f"results/models/graphene_laptop/waves/{shard}.h5" for shard in (0, 1)
    ]


def test_any_other_name_is_a_model_that_ships_and_its_card_is_used(opened, ship):
    ship("lean")
    models = opened(row("lean")).models
    assert models.files("lean") == [f"data/models/lean/{name}" for name in FILES]
    assert models.pixel_size_A("lean") == [0.05, 0.07]
    assert models.facts("lean")["contrast"] == "bright"


def test_models_of_the_repository_ship_too_and_those_of_the_working_folder_go_first(opened, ship):
    models = opened(row("gold")).models
    assert models.folder("gold").endswith("/data/models/gold")
    assert models.finds("gold") == "columns"
    ship("gold", classes=("atom",))
    models = opened(row("gold")).models
    assert models.folder("gold") == "data/models/gold"
    assert models.finds("gold") == "atoms"


def test_the_configuration_goes_before_what_ships(opened, ship, laptop):
    ship("mine")
    mine = {**laptop["models"]["graphene_laptop"], "read_pixel_size_A": [0.11, 0.12]}
    project = opened(row("mine"), models={**laptop["models"], "mine": mine})
    assert project.models.folder("mine") == "results/models/mine/model"
    assert project.models.pixel_size_A("mine") == [0.11, 0.12]
    # What is measured of it, of both.
    assert project.models.evaluated_folder("mine", "models") == "results/models/mine/model"
    assert project.models.evaluated_folder("mine", "metrics") == "data/models/mine"


def test_an_unknown_model_ends_in_a_sentence_with_the_names_there_are(opened, ship):
    ship("lean")
    with pytest.raises(InputError) as error:
        opened(row("mine"))
    said = str(error.value)
    assert said.startswith("sheet.tsv: series mine: there is no model mine")
    for name in ("graphene_laptop", "mos2_single_laptop", "lean", "gold_heights"):
        assert name in said


def test_a_misspelt_model_gets_a_suggestion(opened):
    with pytest.raises(InputError, match=r"no model grafene, .*; did you mean graphene\?"):
        opened(row("grafene"))


def test_a_model_without_its_card_is_told_apart_from_none(opened, ship):
    (ship("lean") / "model.json").unlink()
    with pytest.raises(InputError, match=r"lean: the model's file model\.json is missing"):
        opened(row("lean"))


def test_a_card_of_a_material_that_there_is_not_is_refused_in_a_sentence(opened, ship):
    ship("odd", material="silicene")
    with pytest.raises(InputError, match=r"data/models/odd/model\.json: .*silicene") as error:
        opened(row("graphene_laptop"))
    assert "graphene" in str(error.value).replace("silicene", "")


def test_models_are_told_apart_by_what_they_find(opened, ship):
    ship("three", material="nanoparticle", classes=("1", "2", "3"))
    models = opened(row("graphene_laptop")).models
    assert models.trained("heights") == ["gold_heights_laptop"]
    assert models.shipping("heights") == ["gold_heights", "three"]
    named = models.evaluated("species")
    assert {"mos2_laptop", "mos2_single_laptop"} <= set(named)
    assert named[-1] == "mos2"
    assert models.shipping() == ["gold", "gold_heights", "graphene", "mos2", "three"]


def test_metrics_of_what_does_not_ship_are_refused(opened):
    models = opened(row("graphene_laptop")).models
    with pytest.raises(InputError, match=r"no folder data/models/mos2_single_laptop; .* are in"):
        models.evaluated_folder("mos2_single_laptop", "metrics")


def test_the_focus_that_the_model_has_learned_is_checked(opened, ship):
    """The steps that ship in the repository are not those of this model."""
    steps = ranges(focal_series={"steps_A": [-130, 0, 130]})
    ship("wide", "mos2", ("Mo", "S2", "S"), microscope=steps, frames=3)
    rows = [row(model, 0.15, 1000, "-153,-83,-13") for model in ("mos2", "wide")]
    assert opened(rows[0])
    with pytest.raises(InputError, match=r"the model wide has learned, -212\.5,-82\.5,47\.5 Å"):
        opened(rows[1])


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("graphene_laptop", "results/models/graphene_laptop/model"),
        ("lean", "data/models/lean"),
        ("one", "data/models/one"),  # its own name: what ships
    ],
)
def test_a_training_starts_from_a_trained_or_a_shipped_model(opened, ship, laptop, start, expected):
    ship("lean")
    ship("one")
    one = laptop["models"]["graphene_laptop"] | {"start_from": start}
    models = opened(row("lean"), models={**laptop["models"], "one": one}).models
    assert models.start_option("one") == f"--start-from {expected}"
    assert models.start_files("one") == [f"{expected}/{name}" for name in FILES]
    assert models.start_option("graphene_laptop") == ""
    assert models.start_files("graphene_laptop") == []


def test_models_without_specimens_to_evaluate_on_are_not_scored(opened, ship, monkeypatch):
    ship("lean")
    project = opened(row("lean"))
    assert {"lean", "graphene_laptop"} <= set(project.models.evaluated("atoms"))
    monkeypatch.delattr(graphene, "PHANTOM")
    assert not project.models.evaluated("atoms")
    with pytest.raises(
        InputError, match="material graphene are not evaluated, as there are no spec"
    ):
        project.models.evaluated_files("lean", "metrics")
    assert "lean" not in project.models.shipping()
    assert not [path for path in project.targets.score_tables() if "graphene_laptop" in path]
    assert project.models.trained("atoms") == ["graphene_laptop"]
