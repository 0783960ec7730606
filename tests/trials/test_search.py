"""scikit-learn's searches over our estimators, in separate processes, never more threads than cores."""

import json

import numpy as np
import pytest
from commands import settle
from processes import run_json

from jitnet.machine import threads

pytest.importorskip("sklearn", reason="scikit-learn is not installed: pip install scikit-learn")

SEARCH = """
import json, os, sys, warnings
import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV
from jitnet import CNN, MLP
from jitnet.errors import LearningWarning
from search_probe import Probe

rng = np.random.default_rng(0)
drawn = rng.integers(0, 256, (3, 6, 6))
y = np.arange(90) % 3
x = np.clip(drawn[y] + rng.normal(0, 40, (90, 6, 6)), 0, 255).astype(np.uint8)
assert is_classifier(CNN()) and clone(MLP((4,), lr=0.5)).get_params()["lr"] == 0.5
warnings.simplefilter("ignore", LearningWarning)  # of short trainings, and the rate that shall lose
found = {}
for name, model in (("cnn", CNN("conv2 pool dense4", epochs=4, init="he")), ("mlp", MLP((8,), epochs=4, init="he"))):
    model.set_params(on_event=Probe(sys.argv[1]))
    search = GridSearchCV(model, {"lr": [1e-6, 0.1], "batch_size": [1, 8]}, n_jobs=2, cv=2).fit(x, y)
    found[name] = [search.best_params_["lr"], search.best_score_, search.predict(x[:3]).tolist()]
print(json.dumps(found))
"""


def test_a_grid_search_in_two_processes_shares_the_cores(tmp_path, monkeypatch):
    settle(monkeypatch, tmp_path)
    found = run_json(SEARCH, str(tmp_path))
    for best, score, predicted in found.values():
        assert best == 0.1 and score > 0.6 and len(predicted) == 3
    notes = [json.loads(file.read_text()) for file in tmp_path.glob("probe-*.json")]
    children = [note for note in notes if note["child"]]
    assert len(children) >= 1
    assert max(note["threads"] for note in children) <= max(1, threads.usable_cores() // 2)


def test_the_parameters_survive_what_searches_do_to_them():
    from sklearn.base import clone

    from jitnet import MLP

    model = MLP((4, 3), lr=0.2, batch_size=np.int64(8))
    copy = clone(model)
    assert copy is not model and copy.get_params() == model.get_params()
