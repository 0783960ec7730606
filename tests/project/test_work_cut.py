"""The model of the work's cut: what the README and docs/speed.md say about many threads."""

import math

import pytest

from bench import generated, rows, work_cut
from jitnet.model.architecture import parse, step_macs
from jitnet.model.network import Network


def shapes(text):
    return Network(parse(text), (28, 28, 1)).shapes


NETWORKS = {"cnn": shapes(rows.CNN), "mlp": shapes(rows.MLP), "mlp-512": shapes(rows.MLP_512)}


@pytest.mark.parametrize("name", NETWORKS)
def test_no_serial_part_is_more_than_three_percent_of_a_step_of_512(name):
    total = sum(sum(pieces) for _, pieces in work_cut.step(NETWORKS[name], 512, 1))
    for part, pieces in work_cut.step(NETWORKS[name], 512, 1):
        assert len(pieces) > 1 or sum(pieces) < 0.03 * total, part
    assert work_cut.serial_share(NETWORKS[name], 512) < 0.03


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("threads", [1, 2, 3, 8, 16])
def test_the_phases_are_the_whole_step(name, threads):
    """Their products are the step's multiply-accumulates, however many threads there are."""
    products = [pieces for part, pieces in work_cut.step(NETWORKS[name], 512, threads)
                if part not in ("filters", "loss", "update")]  # fmt: skip
    assert math.fsum(sum(pieces) for pieces in products) == pytest.approx(512 * step_macs(NETWORKS[name]))


@pytest.mark.parametrize("name", NETWORKS)
def test_threads_share_the_work(name):
    found = [work_cut.speedup(NETWORKS[name], 512, threads) for threads in (1, 2, 4, 8, 16)]
    assert found[0] == pytest.approx(1)
    assert all(most >= speed > 0.85 * most for speed, most in zip(found, (1, 2, 4, 8, 16)))


def test_the_busiest_thread_has_consecutive_pieces():
    assert work_cut.busiest([3, 1, 1, 1], 2) == 4 and work_cut.busiest([1, 1], 8) == 1


def test_the_table_in_the_documents_is_that_of_the_model():
    assert not generated.stale({work_cut.PAGE: {work_cut.SECTION: work_cut.table()}})
