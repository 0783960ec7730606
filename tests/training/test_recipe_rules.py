"""The named recipes, and the rules by which one chooses the epochs and the learning rate."""

import dataclasses
import tomllib

import pytest

from jitnet import MLP
from jitnet.config import BY_RECIPE, PRESETS, Settings
from jitnet.errors import InputError
from jitnet.recipes.named import RECIPES, THEIRS
from jitnet.recipes.rules import epochs_for, rate_for, shift_for

OF_THE_DOCUMENTS = {"init": "documents", "epochs": 9, "batch_size": 1, "optimizer": "sgd", "lr": 0.001}


@pytest.mark.parametrize("data", [*THEIRS, "fashion", "kmnist", "folder", "t.csv"])
def test_the_data_choose_the_recipe_unless_it_is_given(data):
    wanted = "documents" if data in THEIRS else "modern"
    assert Settings(data=data).recipe == wanted == Settings().replace(data=data).recipe
    for given in RECIPES:
        settings = Settings(data=data, recipe=given)
        assert settings.recipe == given == settings.replace(seed=1, data="other").recipe


@pytest.mark.parametrize("network", [name for name, values in PRESETS.items() if "recipe" not in values])
def test_the_documents_recipe_is_that_of_each_documents_network(network):
    settings = Settings.preset(network)
    assert (OF_THE_DOCUMENTS | PRESETS[network]).items() <= dataclasses.asdict(settings).items()
    modern = Settings.preset(network, recipe="modern")
    assert modern.architecture == settings.architecture
    assert all(getattr(modern, name) == value for name, value in RECIPES["modern"].items())


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(("name", "value"), [("epochs", 4), ("optimizer", "momentum"), ("shuffle", False), ("lr", 0.7)])
def test_an_option_changes_its_setting_alone(recipe, name, value):
    plain, changed = Settings(recipe=recipe), Settings(recipe=recipe, **{name: value})
    differ = {each for each in BY_RECIPE if getattr(plain, each) != getattr(changed, each)}
    with_it = {"lr", "weight_decay"} if name == "optimizer" else {"lr"}
    assert getattr(changed, name) == value and differ <= {name} | with_it
    if name == "optimizer" and value != plain.optimizer:
        assert changed.weight_decay == 0, "the decay of a recipe is for its own optimizer"
    assert changed.replace(seed=5) == Settings(recipe=recipe, seed=5, **{name: value})


def test_settings_in_a_file_are_not_chosen_again(tmp_path):
    made = Settings(data="fashion", batch_size=8).for_images(500)
    path = tmp_path / "config.toml"
    path.write_text(made.to_toml())
    read = Settings.from_toml(path)
    assert read == made and read.replace(batch_size=256).lr == made.lr and read.replace(data="auto").recipe == "modern"


@pytest.mark.parametrize("epochs", [1, 3, 8, 9, 12])
def test_files_without_a_recipe_keep_the_rates_they_were_planned_with(epochs):
    settings = Settings.from_values({"data": "folder", "epochs": epochs, "schedule": "documents"}, "config.toml")
    assert settings.recipe == "documents"
    assert settings.schedule == ("documents-old" if 2 <= epochs < 9 else "documents")


def test_fewer_images_have_more_epochs_within_bounds():
    counts = [1, 10, 100, 1_000, 10_000, 60_000, 10**7]
    epochs = [epochs_for(count) for count in counts]
    assert epochs == sorted(epochs, reverse=True) and (epochs[0], epochs[-2], epochs[-1]) == (200, 5, 5)
    unplanned = Settings(recipe="modern")
    assert unplanned.epochs == unplanned.until == 0
    planned = unplanned.for_images(1_000)
    assert planned.epochs == planned.until == epochs_for(1_000) and planned.for_images(5) is planned
    assert Settings(epochs=3, recipe="modern").for_images(5).epochs == 3


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("network", PRESETS)
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "adam", "adamw"])
def test_the_rate_grows_with_the_batch_up_to_a_bound(recipe, network, optimizer):
    sizes = [1, 2, 16, 64, 256, 4096, 0]
    rates = [rate_for(recipe, network, optimizer, size, "mean") for size in sizes]
    assert rates == sorted(rates) and rates[-1] <= 0.1
    if recipe == "documents":  # its own batch has its own rate
        settings = Settings.preset(network, recipe=recipe)
        assert rate_for(recipe, network, settings.optimizer, settings.batch_size, "mean") == settings.lr
    if optimizer == "sgd":
        sums = [rate_for(recipe, network, optimizer, size, "sum") for size in sizes]
        assert len(set(sums)) == 1  # a sum of gradients grows with the batch anyway


@pytest.mark.parametrize("network", ["cnn-best", "cnn-fast"])
def test_a_preset_may_have_its_own_recipe(network):
    recipe = PRESETS[network]["recipe"]
    for settings in (Settings.preset(network), Settings.preset(network, data="fashion"), Settings(recipe=recipe)):
        assert settings.recipe == recipe
        assert all(getattr(settings, name) == value for name, value in RECIPES[recipe].items())
    assert Settings.preset(network, recipe="documents").optimizer == "sgd"
    assert Settings.preset(network).replace(data="fashion", seed=2).recipe == recipe
    settings = Settings.preset(network)
    assert rate_for(recipe, network, settings.optimizer, settings.batch_size, "mean") == settings.lr


def test_a_recipe_has_one_of_the_names():
    with pytest.raises(InputError, match="recipe is 'other': expected one of documents, modern, best, fast"):
        Settings(recipe="other")


@pytest.mark.parametrize("name", sorted(BY_RECIPE))
@pytest.mark.parametrize("recipe", RECIPES)
def test_what_is_given_beats_the_recipe_also_where_it_is_nothing(recipe, name):
    """A value of another recipe, 0, False and no augmentation are values: none is taken for "not given"."""
    for value in {own[name] for own in RECIPES.values()}:
        if name == "epochs" and value == 0:
            continue  # they are counted by the data
        assert getattr(Settings(recipe=recipe, **{name: value}), name) == value
        assert getattr(MLP(recipe=recipe, **{name: value})._settings(), name) == value


def test_no_augmentation_is_written_as_a_word_or_as_an_empty_text():
    for text in ("none", ""):
        chosen = Settings(network="cnn-best", augment=text)
        again = Settings.from_values(tomllib.loads(chosen.to_toml()), "there")
        for one in (chosen, again, chosen.replace(epochs=3), again.for_images(100, (40, 40))):
            assert one.augment == ""


@pytest.mark.parametrize("recipe", [name for name in RECIPES if name != "documents"])
@pytest.mark.parametrize(
    ("optimizer", "growth"), [("sgd", 4), ("momentum", 4), ("nesterov", 4), ("adam", 2), ("adamw", 2)]
)
def test_the_rate_grows_with_the_batch_or_with_its_root(recipe, optimizer, growth):
    small, large = (rate_for(recipe, "", optimizer, size, "mean") for size in (4, 16))
    assert large == pytest.approx(growth * small, rel=1e-3)


def test_the_usual_rates_and_bounds_are_those_of_each_kind_of_optimizer():
    usual = {"sgd": 0.05, "momentum": 0.005, "nesterov": 0.005, "adam": 2e-3, "adamw": 2e-3}
    assert {kind: rate_for("modern", "", kind, 32, "mean") for kind in usual} == usual
    bounds = {"sgd": 0.1, "momentum": 0.02, "nesterov": 0.02, "adam": 0.01, "adamw": 0.01}
    assert {kind: rate_for("modern", "", kind, 0, "mean") for kind in usual} == bounds
    assert rate_for("documents", "mlp-512-512", "momentum", 64, "mean") == 0.1  # a document's own rate is above it


def test_the_documents_recipe_has_its_rate_for_each_optimizer():
    for kind in ("sgd", "momentum", "adam", "adamw"):
        assert rate_for("documents", "cnn", kind, 1, "mean") == 0.001
    assert rate_for("documents", "cnn", "adam", 64, "mean") == 0.001
    assert rate_for("documents", "mlp-250-250", "sgd", 256, "sum") == 1e-4


def test_the_rate_of_a_sum_is_that_of_a_mean_over_the_usual_batch():
    for kind in ("sgd", "momentum", "nesterov"):
        found = rate_for("modern", "", kind, 64, "sum")
        assert found == pytest.approx(rate_for("modern", "", kind, 32, "mean") / 32, rel=1e-3)


@pytest.mark.parametrize(
    ("size", "shift"), [((15, 99), ""), ((16, 16), "shift=1"), ((99, 29), "shift=2"), ((300, 200), "shift=20")]
)
def test_the_shift_is_a_tenth_of_the_shorter_side(size, shift):
    assert shift_for(*size) == shift
