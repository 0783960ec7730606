"""Run folders as training leaves them, written by hand, without a kernel."""

import json
from pathlib import Path
from typing import Any

HEADER = "epoch,step,lr,train_loss,val_loss,val_accuracy,test_loss,test_accuracy,train_s,eval_s,images_per_s,elapsed_s"
META: dict[str, Any] = {
    "schema": 1,
    "argv": ["jitnet", "train", "cnn"],
    "versions": {"jitnet": "0.1.0"},
    "cpu": "a processor",
    "threads": 2,
    "layer": "omp",
    "data": "mnist",
    "data_sha256": "ab" * 32,
    "image": [28, 28, 1],
    "classes": 10,
    "title": "cnn",
    "status": "done",
    "pid": 1,
    "host": "elsewhere",
    "created": "2026-11-20T10:00:00+00:00",
}


def write_run(runs: Path, name: str, accuracies: list[float], settings: str = "", **meta: Any) -> Path:
    """Write a run with these test accuracies, an epoch each of 10 + 1 seconds; `None` leaves a part of meta away."""
    path = runs / name
    path.mkdir(parents=True)
    merged = {key: value for key, value in (META | meta).items() if value is not None}
    (path / "meta.json").write_text(json.dumps(merged))
    (path / "config.toml").write_text(f"epochs = {max(1, len(accuracies))}\n{settings}\n")
    rows = [
        f"{epoch},{(epoch + 1) * 100},0.001,{2.0 / (epoch + 1)},,,0.5,{accuracy},10.0,1.0,6000.0,{11.0 * (epoch + 1)}"
        for epoch, accuracy in enumerate(accuracies)
    ]
    (path / "metrics.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    return path
