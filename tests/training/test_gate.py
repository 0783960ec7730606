"""A gate against slow decay: a short run of each network of the documents still learns as well as it did.

A run of a seed that the threshold has not seen has to reach the mean of 30 runs less 5 of their standard deviations.
"""

import pytest

from bench import claims_page, recipes

KEPT = claims_page.read()["short"]
SEED = 30  # those that are kept are 0 to 29
pytestmark = pytest.mark.usefixtures("one_thread")


def threshold(name: str) -> float:
    return claims_page.threshold([run["test"] for seed, run in KEPT[name].items() if seed < SEED])


@pytest.mark.parametrize("name", recipes.SHORT)
def test_a_short_run_reaches_its_threshold(name):
    assert len(KEPT[name]) >= 30
    assert recipes.train(recipes.SHORT[name], SEED)["test"] >= threshold(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", recipes.SHORT)
def test_the_gate_can_shut(name):
    """A quarter of the rate, which is what gradients of a quarter their size would come to, must not pass."""
    words = f"{recipes.SHORT[name]} --lr {recipes.settings(recipes.SHORT[name]).lr / 4}"
    assert recipes.train(words, SEED)["test"] < threshold(name)
