"""Nobody reads or writes outside: indexed code in plain Python, vector code in the real build between margins of NaN.

numba's own NUMBA_BOUNDSCHECK does not help: what is raised inside a parallel region vanishes (numba #9380), and it does
not see the vectors at all.
"""

import moat
import nets
import numpy as np
import pytest
from canary import assert_unharmed, guarded
from hypothesis import given
from processes import run
from shapes import batches, channels, seeds

from jitnet.kernels.compiler.decorators import serial_kernel
from jitnet.kernels.compiler.simd import load, store
from jitnet.model.kernel_choice import BATCH, INFERENCE, PER_SAMPLE


def test_indexed_code_stays_inside_in_plain_python():
    run("import race_cases\nfor make in race_cases.CASES.values():\n    make()[0]()", NUMBA_DISABLE_JIT="1")


PLANTED = """
import race_cases, strict, numpy as np
for planted in strict.PLANTED:
    try:
        planted(np.ones(16, np.float32).view(strict.Strict))
    except IndexError:
        continue
    raise SystemExit(f"{planted.__name__} went unseen")
"""


def test_a_planted_off_by_one_is_caught_in_plain_python():
    run(PLANTED, NUMBA_DISABLE_JIT="1")


# Small maps of many channels: the flipped filters, 64 KB and more, take more room than all products with tiles.
FLIPPED = ("conv17 pool conv64 conv64 dense4", (6, 7, 1), "position")


@pytest.mark.parametrize("batch_size", [1, 4, 37])
@pytest.mark.parametrize("make", [*nets.MAKES, FLIPPED], ids=[*nets.IDS, "flipped"])
def test_no_region_of_a_network_is_left(monkeypatch, make, batch_size):
    """With gaps of NaN around every region the bits are the same, and the gaps are still there."""
    check_region(monkeypatch, make, batch_size, 0)


@pytest.mark.parametrize("make", [make for make in nets.MAKES if make[0].startswith("conv")], ids=lambda make: make[0])
def test_no_region_of_inference_is_left(monkeypatch, make):
    """Whose conv blocks have maps for a few images only, and whose dense layers for all of a group."""
    found = []
    for moated in (False, True):
        case = nets.case(make, np.float32, images=11)
        if moated:
            moats = moat.build(monkeypatch, case.network, 11, INFERENCE)
        found.append(case.network.logits(case.images).tobytes())
    assert moat.unharmed(moats)
    assert found[0] == found[1]


@pytest.mark.slow
@given(batch=batches, wide=channels, more=channels, units=channels, seed=seeds)
def test_no_region_of_any_network_is_left(batch, wide, more, units, seed):
    with pytest.MonkeyPatch.context() as monkeypatch:
        height, width = np.random.default_rng(seed).integers(4, 10, 2)
        text = f"conv{wide} pool conv{more} pool dense{units} dense3"
        check_region(monkeypatch, (text, (int(height), int(width), 1 + seed % 3), "position"), batch, seed)


def check_region(monkeypatch, make, batch_size, seed):
    ends = []
    driver = PER_SAMPLE if batch_size == 1 else BATCH
    for moated in (False, True):
        case = nets.case(make, np.float32, images=2 * batch_size, seed=seed)
        if moated:
            moats = moat.build(monkeypatch, case.network, batch_size, driver)
            case.network.params = guarded(case.network.params)
        order, totals = np.arange(2 * batch_size), np.zeros(1)
        case.network.train_steps(case.images, case.targets, order, batch_size, np.full(2, 0.05), totals)
        ends.append([case.network.params.tobytes(), totals.tobytes(), case.network.logits(case.images[:1]).tobytes()])
        assert not moated or case.network.workspace(batch_size, driver).images == batch_size
    assert moat.unharmed(moats)
    assert_unharmed(case.network.params)
    assert ends[0] == ends[1]


@serial_kernel
def copy_too_much(x, out, more):
    """Copy, and `more` numbers after it."""
    store(out, 0, out.size + more, load(x, 0, x.size))


def test_a_planted_off_by_one_in_a_vector_is_caught():
    for more in (0, 1):
        out = guarded(np.zeros(7, np.float32))
        copy_too_much(guarded(np.ones(7, np.float32)), out, more)
        if more:
            with pytest.raises(AssertionError, match="wrote outside"):
                assert_unharmed(out)
        else:
            assert_unharmed(out)


def test_a_write_into_a_moat_is_caught(monkeypatch):
    case = nets.case(nets.MAKES[10], np.float32)
    moats = moat.build(monkeypatch, case.network, 2)
    assert moat.unharmed(moats)
    array, where = moats[0]
    array[np.flatnonzero(where)[100]] = 0
    assert not moat.unharmed(moats)
