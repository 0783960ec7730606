"""Named settings: the documents' networks, and the two recipes by which a network is trained. A leaf."""

from typing import Any

DOCUMENTS, MODERN = "documents", "modern"
THEIRS = ("auto", "mnist", "synthetic")  # values of --data for which `documents` is the default recipe

# What each recipe sets; an option sets one of these alone. `lr` is what rules.py scales for the batch.
RECIPES: dict[str, dict[str, Any]] = {
    DOCUMENTS: {
        "init": "documents",
        "epochs": 9,
        "batch_size": 1,
        "reduction": "mean",
        "steps_per_epoch": 0,
        "optimizer": "sgd",
        "lr": 1e-3,
        "schedule": "documents",
        "shuffle": False,
    },
    MODERN: {
        "init": "he",
        "epochs": 0,  # by the number of images
        "batch_size": 32,
        "reduction": "mean",
        "steps_per_epoch": 0,
        "optimizer": "adam",
        "lr": 2e-3,
        "schedule": "one-cycle-per-step",
        "shuffle": True,
    },
}

# The documents' networks, each with what its document does otherwise; of these values `modern` has the architecture.
PRESETS: dict[str, dict[str, Any]] = {
    "cnn": {"architecture": "conv16 pool conv32 pool conv64 dense100"},
    "mlp": {"architecture": "dense1000 dense100"},
    "mlp-1000-100": {"architecture": "dense1000 dense100"},
    "mlp-250-250": {
        "architecture": "dense250 dense250",
        "init": "he",  # the document does not state it, the batch size or the order: they are jitnet's choice
        "batch_size": 64,
        "reduction": "sum",
        "shuffle": True,
        "lr": 1e-4,
        "schedule": "constant",
    },
    "mlp-512-512": {
        "architecture": "dense512 dense512",
        "init": "lecun",
        "batch_size": 16,
        "shuffle": True,
        "epochs": 1,
        "steps_per_epoch": 2000,
        "lr": 0.1,
        "schedule": "constant",
    },
}


def recipe_for(data: str) -> str:
    """Return the default recipe of a value of --data."""
    return DOCUMENTS if data in THEIRS else MODERN


def values_of(recipe: str, network: str) -> dict[str, Any]:
    """Return what a recipe sets for a network, by the name of the setting."""
    theirs = PRESETS.get(network, {}) if recipe == DOCUMENTS else {}
    return RECIPES[recipe] | {name: value for name, value in theirs.items() if name != "architecture"}
