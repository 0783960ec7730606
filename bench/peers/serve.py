"""The process of a peer: reads requests and writes answers, one JSON object a line.

    python -m bench.peers.serve MODULE THREADS

The first line tells what the peer is, or that it is absent. Only the work itself is inside the clock.
"""

import contextlib
import gc
import importlib
import json
import os
import sys
import time

import numpy as np

LOSSES_SENT = 64  # that many first losses are enough to compare


class Session:
    """The state of a process between two requests."""

    def __init__(self, peer_class, threads: int):
        self.peer_class = peer_class
        self.threads = threads

    def variants(self, network: str) -> dict:
        """Return the choices that the peer has for this network."""
        variants = getattr(self.peer_class, "variants", None)
        return {"variants": variants(network.split()) if variants else [{}]}

    def build(self, network: str, tensors: str, images: str, batch: int, variant: dict) -> dict:
        """Make the peer from the given weights and load the images."""
        with np.load(tensors) as file:
            weights = {name: file[name] for name in file.files}
        with np.load(images) as file:
            self.targets = file["targets"]
            pixels = file["images"]
        self.peer = self.peer_class(network.split(), weights, self.threads, **variant)
        self.peer.load(pixels, self.targets, batch)
        return {"detail": getattr(self.peer, "detail", "")}

    def train(self, steps: int, batch: int, lr: float) -> dict:
        """Train from the initial weights and the first image on: every run is the same work."""
        self.peer.reset()
        seconds, losses = _timed(lambda: self.peer.train(steps, batch, lr))
        return {"seconds": seconds, "losses": np.float64(losses)[:LOSSES_SENT].tolist()}

    def predict(self, images: int, batch: int) -> dict:
        """Classify the first images; the loss of each shows whether the logits are right."""
        self.peer.reset()
        seconds, logits = _timed(lambda: self.peer.predict(images, batch))
        logits = np.asarray(logits, np.float64)
        shifted = logits - logits.max(axis=1, keepdims=True)
        losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(images), self.targets[:images]]
        return {"seconds": seconds, "losses": losses[:LOSSES_SENT].tolist()}


def _timed(work):
    gc.collect()
    gc.disable()  # a collection would fall on one run and not on another
    try:
        started = time.perf_counter()
        result = work()
        return time.perf_counter() - started, result
    finally:
        gc.enable()


def main() -> int:
    """Serve until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # the output of a library goes to stderr, not between the answers

    def send(answer: dict) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    module, threads = sys.argv[1], int(sys.argv[2])
    try:
        peer_class = importlib.import_module(module).Peer
    except ImportError as error:
        send({"absent": f"{type(error).__name__}: {error.name}"})  # its own text may hold a path
        return 0
    send({"versions": peer_class.versions()})
    session = Session(peer_class, threads)
    with contextlib.suppress(KeyboardInterrupt):  # the parent decides what an interrupt means
        for line in sys.stdin:
            request = json.loads(line)
            try:
                answer = getattr(session, request.pop("do"))(**request)
            except Exception as error:  # an answer, so that the other peers continue
                first = next(iter(str(error).strip().splitlines()), "")  # compilers tell stories
                answer = {"error": f"{type(error).__name__}: {first[:160]}".replace(os.getcwd(), ".")}
            send(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
