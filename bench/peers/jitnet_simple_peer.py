"""jitnet with its simple kernels: the step of kernels/step.py, as `jitnet train --kernels simple` runs it."""

from bench.peers import jitnet_peer


class Peer(jitnet_peer.Peer):
    """See bench.peers."""

    kernels = "simple"
