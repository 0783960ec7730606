"""Named settings: networks, and the recipes by which a network is trained. A leaf."""

from typing import Any

DOCUMENTS, MODERN, BEST, FAST = "documents", "modern", "best", "fast"
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
        "weight_decay": 0.0,
        "lr": 1e-3,
        "schedule": "documents",
        "shuffle": False,
        "augment": "",
        "label_smoothing": 0.0,
        "ema": 0.0,
    },
    MODERN: {
        "init": "he",
        "epochs": 0,  # by the number of images
        "batch_size": 32,
        "reduction": "mean",
        "steps_per_epoch": 0,
        "optimizer": "adam",
        "weight_decay": 0.0,
        "lr": 2e-3,
        "schedule": "one-cycle-per-step",
        "shuffle": True,
        "augment": "",
        "label_smoothing": 0.0,
        "ema": 0.0,
    },
}
# What is best for MNIST, and what reaches 99 % soonest: chosen on its last 10,000 training images, see docs/claims.md.
RECIPES[BEST] = RECIPES[MODERN] | {
    "epochs": 16,
    "batch_size": 128,
    "optimizer": "adamw",
    "weight_decay": 0.05,
    "lr": 4e-3,
    "augment": "medium",
    "label_smoothing": 0.1,
}
RECIPES[FAST] = RECIPES[MODERN] | {"epochs": 3, "batch_size": 128, "lr": 8e-3}

# The documents' networks, each with what its document does otherwise: of these values the other recipes have the
# architecture. At the end those with another recipe.
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
    "cnn-best": {"architecture": "conv16 pool conv32 pool conv64 dense100", "recipe": BEST},
    "cnn-fast": {"architecture": "conv16 pool conv24 pool conv32 pool dense64", "recipe": FAST},
}


def recipe_for(data: str, network: str = "") -> str:
    """Return the default recipe of a network and a value of --data."""
    return PRESETS.get(network, {}).get("recipe") or (DOCUMENTS if data in THEIRS else MODERN)


def changes_of(network: str) -> dict[str, Any]:
    """Return what a preset has otherwise than the recipe `documents`, by the name of the setting."""
    own = PRESETS[network]
    return RECIPES.get(own.get("recipe", ""), {}) | own


def values_of(recipe: str, network: str) -> dict[str, Any]:
    """Return what a recipe sets for a network, by the name of the setting."""
    theirs = PRESETS.get(network, {}) if recipe == DOCUMENTS else {}
    return RECIPES[recipe] | {name: value for name, value in theirs.items() if name != "architecture"}
