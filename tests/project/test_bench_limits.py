"""JITNET_TILE holds every program of the comparison to the same vectors, or is refused."""

import subprocess

import pytest

from bench import machine, readme
from bench.peers import PEERS, limits
from bench.peers.process import PeerProcess
from jitnet.errors import InputError

HELD = {"OPENBLAS_CORETYPE": "Haswell", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}


def given_to_a_peer(monkeypatch):
    """Return the variables that a peer's process is started with; none is started."""
    given = {}

    def popen(command, env, **options):
        given.update(env)
        raise OSError

    monkeypatch.setattr(subprocess, "Popen", popen)
    PeerProcess(PEERS[0], 1)
    return given


def test_a_forced_tile_holds_the_peers_libraries(monkeypatch):
    monkeypatch.setenv("JITNET_TILE", "avx2")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "SkylakeX")
    given = given_to_a_peer(monkeypatch)
    assert {name: given.get(name) for name in HELD} == HELD
    assert limits.architecture() == "x86-64-v3"


def test_without_a_forced_tile_the_peers_choose_themselves(monkeypatch):
    monkeypatch.delenv("JITNET_TILE", raising=False)
    for name in HELD:
        monkeypatch.delenv(name, raising=False)
    assert not set(HELD) & set(given_to_a_peer(monkeypatch))
    assert limits.architecture() == "native"


@pytest.mark.parametrize("tile", ["neon", "avx512", "generic"])
def test_a_tile_that_the_peers_cannot_be_held_to_is_refused(tile, monkeypatch):
    monkeypatch.setenv("JITNET_TILE", tile)
    with pytest.raises(InputError, match=f"JITNET_TILE is '{tile}'.*held to avx2"):
        limits.check()


def test_a_table_says_that_its_programs_were_held():
    name, record = next(iter(readme.newest_of_each_processor("compare").items()))
    for forced in (False, True):
        record["machine"]["forced"] = forced
        assert ("Every program is held to" in readme.comparison(record, name)) == forced
        assert ("held to " in machine.sentence(record["machine"])) == forced
