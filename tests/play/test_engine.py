"""The page's engine computes what jitnet computes: JavaScript and WebAssembly, any network, forward and training."""

import json

import nets
import numpy as np
import play_engine
import pytest

from jitnet.model.architecture import CNN, parse
from jitnet.model.network import Network

ENGINES = ["js", "wasm"]
MAKES = [
    *nets.MAKES,
    ("conv5:gelu pool conv6:leaky-relu dense7:gelu dense3", (6, 5, 1), "position"),
    ("conv4:leaky-relu pool conv3:gelu pool dense3", (7, 9, 3), "channel"),
    ("conv4 avgpool conv3:tanh avgpool dense5 dense3", (7, 9, 1), "position"),
]


def the_networks():
    """Yield names, networks and images of all kinds."""
    for make in MAKES:
        drawn = nets.case(make, np.float32, 6)
        yield make[0], drawn.network, drawn.images, drawn.targets


def test_every_network_has_the_same_scores_and_the_same_steps(scripts):
    rng = np.random.default_rng(1)
    for name, network, images, targets in the_networks():
        x = (images / 255).astype(np.float32)
        expected = network.logits(images)
        order = np.array(rng.permutation(len(images)), np.int64)
        losses = []
        for kind in ENGINES:
            play_engine.start(scripts, network, kind)
            found = play_engine.scores(scripts, x)
            np.testing.assert_allclose(
                found, expected, rtol=1e-4, atol=1e-4 * max(1, np.abs(expected).max()), err_msg=name
            )
            steps = play_engine.train(scripts, x[order], targets[order].tolist(), 2, 0.05)
            losses.append((steps, play_engine.parameters(scripts)))
        _, theirs = network.train_steps(images, targets, order, 2, np.full(3, 0.05), np.zeros(1))
        ours = np.concatenate([array.ravel() for array in network.tensors().values()])
        for steps, parameters in losses:
            np.testing.assert_allclose(steps, theirs, rtol=1e-4, atol=1e-4, err_msg=name)
            np.testing.assert_allclose(parameters, ours, rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("kind", ENGINES)
def test_squared_errors_of_classes_and_of_numbers(scripts, kind):
    rng = np.random.default_rng(2)
    network = Network(parse("dense5:tanh dense3"), (3, 4, 1), loss="mse")
    network.initialise("he", 0)
    images = rng.integers(0, 256, (8, 3, 4, 1), dtype=np.uint8)
    targets = rng.integers(0, 3, 8).astype(np.uint8)
    play_engine.start(scripts, network, kind)
    steps = play_engine.train(scripts, images / 255, targets.tolist(), 4, 0.5)
    _, theirs = network.train_steps(images, targets, np.arange(8), 4, np.full(2, 0.5), np.zeros(1))
    np.testing.assert_allclose(steps, theirs, rtol=1e-5)

    network = Network(parse("dense5:tanh dense1"), (1, 6, 1), loss="mse")
    network.initialise("he", 0)
    rows, numbers = rng.standard_normal((8, 1, 6, 1)).astype(np.float32), rng.standard_normal((8, 1)).astype(np.float32)
    play_engine.start(scripts, network, kind, numbers=True)
    steps = play_engine.train(scripts, rows, numbers.tolist(), 4, 0.1)
    _, theirs = network.train_steps(rows, numbers, np.arange(8), 4, np.full(2, 0.1), np.zeros(1))
    np.testing.assert_allclose(steps, theirs, rtol=1e-5)


def agree(scripts, kind: str, images: np.ndarray, targets: np.ndarray, steps: int, batch: int) -> None:
    """Compare the documents' CNN: scores of all images, then the losses of some steps."""
    network = Network(CNN, (28, 28, 1))
    network.initialise("he", 3)
    order = np.arange(steps * batch)
    network.train_steps(images, targets, order, 1, np.full(len(order), 0.01), np.zeros(1))
    play_engine.start(scripts, network, kind)
    expected = network.logits(images)
    found = np.concatenate(
        [play_engine.scores(scripts, images[at : at + 500] / 255) for at in range(0, len(images), 500)]
    )
    assert np.abs(found - expected).max() < 1e-3
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()
    losses = play_engine.train(scripts, images[order] / 255, targets[order].tolist(), batch, 0.05)
    _, theirs = network.train_steps(images, targets, order, batch, np.full(steps, 0.05), np.zeros(1))
    assert np.abs(losses - theirs).max() < 1e-3


@pytest.mark.parametrize("kind", ENGINES)
def test_the_documents_network(scripts, kind):
    from jitnet.data.synthetic import draw

    agree(scripts, kind, *with_axis(draw(0, 0, 60)), steps=5, batch=8)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ENGINES)
def test_the_documents_network_on_ten_thousand_images_and_fifty_steps(scripts, kind):
    from jitnet.data.synthetic import draw

    agree(scripts, kind, *with_axis(draw(0, 60_000, 10_000)), steps=50, batch=32)


def with_axis(data):
    images, labels = data
    return images[..., None], labels


AVERAGES = {
    "image": [7, 6, 2],
    "bias": "position",
    "loss": "cross-entropy",
    "layers": [
        {"name": "conv1", "kind": "conv", "size": 3, "activation": "gelu", "dropout": 0},
        {"name": "pool1", "kind": "avgpool"},
        {"name": "dense1", "kind": "dense", "size": 4, "activation": "linear", "dropout": 0.5},
        {"name": "dense2", "kind": "dense", "size": 3, "activation": "linear", "dropout": 0},
    ],
}


@pytest.mark.parametrize("kind", ENGINES)
def test_average_pools_and_their_gradients(scripts, kind):
    """Forward as an average of the pixels that exist; backward against differences of the loss."""
    rng = np.random.default_rng(5)
    counts = 3 * 3 * 2 * 3 + 7 * 6 * 3 + 27 * 4 + 4 + 4 * 3 + 3
    given = play_engine.text(rng.standard_normal(counts) * 0.4)
    image = play_engine.text(rng.random(84))
    scripts.run(f"start('{kind}', {json.dumps(AVERAGES)}, '{given}')")
    found = scripts.run(
        f"(() => {{ engine.forward(floats('{image}')); const pool = engine.layers[1];"
        "return [Array.from(engine.view(pool.x, 126)), Array.from(engine.view(pool.out, pool.n))]; })()"
    )
    x, out = np.array(found[0]).reshape(7, 6, 3), np.array(found[1]).reshape(3, 3, 3)
    expected = [[x[2 * p : 2 * p + 3, 2 * q : 2 * q + 3].mean(axis=(0, 1)) for q in range(3)] for p in range(3)]
    np.testing.assert_allclose(out, expected, rtol=1e-5)
    worst = scripts.run(
        f"(() => {{ const image = floats('{image}'), start = Float32Array.from(engine.parameters), gradient = [];"
        "engine.forward(image); engine.backward(1);"
        "for (const layer of engine.layers) if (layer.weights) gradient.push(...engine.weightGradient(layer),"
        "  ...engine.view(layer.gradBias, layer.biases));"
        "const loss = (i, step) => { const moved = start.slice(); moved[i] += step; engine.parameters = moved;"
        "  return outputLoss('cross-entropy', engine.forward(image), 1, new Float32Array(3)); };"
        "let worst = 0; for (let i = 0; i < start.length; i += 3)"
        "  worst = Math.max(worst, Math.abs((loss(i, 0.02) - loss(i, -0.02)) / 0.04 - gradient[i])); return worst; })()"
    )
    assert worst < 2e-4  # of gradients up to about 1


def test_dropout_acts_in_training_alone(scripts):
    rng = np.random.default_rng(6)
    image = play_engine.text(rng.random(84))
    scripts.run(f"start('wasm', {json.dumps(AVERAGES)}, '{play_engine.text(rng.standard_normal(307) * 0.4)}')")
    values = "Array.from(engine.view(engine.layers[2].out, 4))"
    plain = scripts.run(f"(() => {{ engine.forward(floats('{image}')); return {values}; }})()")
    dropped = scripts.run(
        f"(() => {{ engine.training = true; const image = floats('{image}'), out = [];"
        f"for (let i = 0; i < 50; i++) {{ engine.forward(image); out.push({values}); }} return out; }})()"
    )
    share = np.array(dropped) / np.array(plain)
    assert set(np.round(share, 4).ravel()) == {0.0, 2.0} and 0.3 < (share == 0).mean() < 0.7
