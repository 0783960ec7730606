"""The peers: other ways to train the same networks, one file each, each in a separate process.

A peer is a module with a class `Peer`:

    (missing) if an import fails the peer is absent; the output names it with the command that installs it
    variants(network)                           choices such as a memory layout, as a list of keyword arguments: the
              fastest in a short trial is measured; one that fails is excluded, and the record gives the reason;
              a peer without choices does not define it
    versions()                                  what the figures depend on
    __init__(network, tensors, threads, **variant)
              network: words as in "conv16 pool dense100 dense10" (ReLU after every layer but the last; a pool comes
              after its conv); tensors: conv1.weight (3, 3, C, OC), conv1.bias (H, W, OC), dense1.weight (D, K), ...
    load(images, targets, batch)                uint8 (n, H, W, 1) and (n,): convert and place as you like, untimed
    reset()                                     back to the initial weights, untimed
    train(steps, batch, lr) -> losses           timed: SGD from the first image on, in order; the loss before each step
    predict(images, batch) -> logits            timed: of the first `images` images, in batches

Work that is not timed favours the peers: jitnet converts its bytes inside the timed part.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """What the benchmark knows of a peer before it starts its process."""

    name: str
    label: str
    module: str
    install: str
    threaded: bool = True  # False: more threads have no effect
    trunk: bool = True  # False: it has no convolutions
    slow: bool = False  # a step takes so long that a few samples are measured


JITNET = "jitnet"

PEERS = (
    Entry(JITNET, "jitnet", "bench.peers.jitnet_peer", "pip install ."),
    Entry("simple", "jitnet, simple kernels", "bench.peers.jitnet_simple_peer", "pip install ."),
    Entry(
        "cpp",
        "its C++ twin",
        "bench.peers.cpp_peer",
        "g++ or clang++, as by: apt-get install g++",
        threaded=False,
    ),
    Entry(
        "loops",
        "plain Python loops",
        "bench.peers.loops_peer",
        "nothing to install",
        threaded=False,
        slow=True,
    ),
    Entry("numpy", "NumPy, vectorised", "bench.peers.numpy_peer", "pip install numpy"),
    Entry(
        "torch",
        "PyTorch",
        "bench.peers.torch_peer",
        "pip install torch --index-url https://download.pytorch.org/whl/cpu",
    ),
    Entry("jax", "JAX", "bench.peers.jax_peer", "pip install jax"),
    Entry("sklearn", "scikit-learn", "bench.peers.sklearn_peer", "pip install scikit-learn", trunk=False),
)
