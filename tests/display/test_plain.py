"""Plain lines and JSON lines: exact text, flushed, unaffected by a closed stream."""

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from processes import HELPERS
from sample_run import epoch_done, events, started, steps

from jitnet.display.jsonlines import JsonLines, to_json
from jitnet.display.plain import Plain, closing_lines, epoch_line
from jitnet.display.sink import Sink
from jitnet.events import (
    Compiling,
    Diverged,
    Interrupted,
    Progress,
    RunFinished,
    StepsDone,
    Warned,
    as_record,
    from_record,
)


class Clock:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Dead(io.StringIO):
    """A stream whose reader has closed it."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def plain_text(run, clock=lambda: 0.0) -> tuple[str, str]:
    out, errors = io.StringIO(), io.StringIO()
    with Plain(out, errors, clock) as view:
        for event in run:
            view.handle(event)
    return out.getvalue(), errors.getvalue()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "Epoch  4 lr = 0.000952 avg loss = 0.348741 accuracy = 91.13"),
        (
            {"data": "synthetic"},
            "Epoch  4 lr = 0.000952 avg loss = 0.348741 accuracy = 91.13 (synthetic digits)",
        ),
        ({"test_accuracy": None}, "Epoch  4 lr = 0.000952 avg loss = 0.348741"),
        (
            {"val_accuracy": 91.2},
            "Epoch  4 lr = 0.000952 avg loss = 0.348741 accuracy = 91.13 val accuracy = 91.20",
        ),
        ({"epoch": 12}, "Epoch 12 lr = 0.000952 avg loss = 0.348741 accuracy = 91.13"),
    ],
)
def test_epoch_line_is_the_documents_line(changes, line):
    assert epoch_line(epoch_done(**{"epoch": 4, "test_accuracy": 91.126, **changes})) == line


def test_a_whole_run_as_plain_lines():
    out, errors = plain_text(events(data="synthetic"))
    lines = out.splitlines()
    assert "\x1b" not in out and errors == ""
    assert "synthetic digits" in "\n".join(lines[:7])
    assert lines[7:10] == [
        "compiling kernels 1/2 (first run only)",
        "compiling kernels 2/2 (first run only)",
        "compiled 2 kernels in 4.0 s",
    ]
    assert [line[:8] for line in lines[10:19]] == [f"Epoch  {epoch}" for epoch in range(9)]
    assert lines[19:] == [
        "Final accuracy of test set = 95.49 (synthetic digits)",
        "Total execution time: 1.02 minutes (1 min 1 s)",
    ]


def test_header_names_everything():
    out, _ = plain_text([started(epoch=4, step_in_epoch=1234)])
    for part in (
        "conv16 pool conv32",
        "359,846 parameters",
        "2,233,832 MACs",
        "mnist: 60,000 training, 10,000 test",
        "lr 0.001 (documents)",
        "2 threads (omp)",
        "runs/20261120-220155-cnn-7f3a",
        "resumes in epoch 5, step 1234 of 60000",
    ):
        assert part in out


def test_cached_kernels_are_not_worth_a_line():
    loading = [Compiling(name="k", index=i, total=2, cached=True, seconds=0.1) for i in range(3)]
    assert plain_text(loading) == ("", "")


def test_heartbeat_comes_after_half_a_minute_of_silence():
    clock, out = Clock(), io.StringIO()
    with Plain(out, io.StringIO(), clock) as view:
        view.handle(started())
        head = len(out.getvalue())
        clock.now = 29.9
        view.handle(steps(4, 12_000))
        assert len(out.getvalue()) == head
        clock.now = 30.0
        view.handle(steps(4, 18_000))
        view.handle(steps(4, 24_000))
        clock.now = 61.0
        view.handle(steps(4, 30_000))
    # 42,000 and 4 x 60,000 images at 10,000 a second, and 5 evaluations, each guessed to take 0.34 seconds
    first = "epoch 5 of 9: 30 % of 60,000 images, avg loss 0.348741, 10,000 images/s, about 30 s left"
    assert out.getvalue()[head:].splitlines() == [first, first.replace("30 %", "50 %").replace("30 s", "29 s")]


def test_a_heartbeat_of_epochs_that_are_limited():
    """2,000 batches of 16: 32,000 images, half of the first epoch is left, and eight more."""
    clock, out = Clock(), io.StringIO()
    with Plain(out, io.StringIO(), clock) as view:
        view.handle(started(batch_size=16, steps_per_epoch=2_000, test_images=0))
        head = len(out.getvalue())
        clock.now = 30.0
        view.handle(steps(0, 1_000, steps_per_epoch=2_000, images=16_000, seconds=16.0))
    left = "epoch 1 of 9: 50 % of 32,000 images, avg loss 0.348741, 1,000 images/s, about 4 min 32 s left"
    assert out.getvalue()[head:].splitlines() == [left]


def test_how_a_run_ends():
    stop = Interrupted(signal="SIGINT", epoch=4, step=250_000, resume="jitnet resume latest")
    assert closing_lines(stop) == [
        "Stopped by SIGINT in epoch 5, step 250000; a checkpoint is saved, continue with: jitnet resume latest"
    ]
    assert "nothing is saved" in closing_lines(Interrupted(signal="SIGINT", epoch=0, step=1, resume=""))[0]
    assert closing_lines(RunFinished(test_accuracy=None, val_accuracy=None, elapsed_s=60.0)) == [
        "Total execution time: 1.00 minutes (1 min)"
    ]
    at_a_key = closing_lines(stop, watched=True)[0]
    assert at_a_key.startswith("Stopped by you in epoch 5") and at_a_key.endswith("jitnet resume latest")
    validated = RunFinished(test_accuracy=None, val_accuracy=91.2, elapsed_s=60.0)
    assert closing_lines(validated)[0] == "Final accuracy of validation set = 91.20"


def test_a_finished_run_names_what_comes_next():
    end = RunFinished(test_accuracy=91.2, val_accuracy=None, elapsed_s=60.0, run="runs/my run")
    lines = closing_lines(end)
    assert (
        "Next:" in lines
        and "  jitnet report 'runs/my run' --open" in lines
        and "  jitnet errors 'runs/my run'" in lines
    )
    regression = RunFinished(test_accuracy=None, val_accuracy=None, elapsed_s=60.0, run="runs/r", test_rmse=0.5)
    assert "  jitnet predict runs/r --csv FILE" in closing_lines(regression)
    assert "jitnet errors" not in " ".join(closing_lines(regression))


def test_warnings_and_divergence_go_to_the_errors():
    diverged = Diverged(epoch=1, step=7, lr=1e6, message="the loss is not finite")
    out, errors = plain_text([Warned(message="no cache"), diverged])
    assert out == ""
    assert errors.splitlines() == [
        "warning: no cache",
        "Diverged in epoch 2, step 7, lr 1e+06: the loss is not finite",
    ]


def test_escape_codes_in_names_are_escaped():
    out, _ = plain_text([started(run="runs/\x1b[2Jx\n", data="d\udcff")])
    assert "\x1b" not in out and "runs/\\x1b[2Jx\\n\n" in out and "d\\udcff" in out


def test_characters_beyond_the_encoding_become_question_marks():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Sink(stream).line("naïve")
    stream.seek(0)
    assert stream.read() == "na?ve\n"


@pytest.mark.parametrize("make", [lambda out: Plain(out, out), JsonLines])
@pytest.mark.parametrize("stream", [None, Dead()])
def test_a_dead_stream_silences_the_view_only(make, stream):
    with make(stream) as view:
        for event in events():
            view.handle(event)
    assert view.broken


def test_a_closed_stream_counts_as_dead():
    stream = io.StringIO()
    stream.close()
    view = JsonLines(stream)
    view.handle(Warned(message="x"))
    assert view.broken and not Sink(stream).isatty()


CHILD = """
import sys
sys.path[:0] = {tests!r}
from sample_run import events
from jitnet.display import open_view
with open_view({ui!r}) as view:
    for event in events():
        view.handle(event)
print("survived", view.broken, file=sys.stderr)
"""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("ui", ["plain", "json"])
@pytest.mark.parametrize("kind", ["full", "closed pipe"])
def test_a_process_outlives_its_stdout(ui, kind):
    """Python's own flush at exit must not fail either: the exit code stays 0."""
    if kind == "full":
        stdout = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, stdout = os.pipe()
        os.close(reader)
    try:
        code = CHILD.format(tests=[str(Path(__file__).parent), *map(str, HELPERS)], ui=ui)
        root = Path(__file__).resolve().parents[2]
        child = subprocess.run([sys.executable, "-c", code], stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=root)
    finally:
        os.close(stdout)
    *said, survived = child.stderr.splitlines()
    assert (child.returncode, survived) == (0, "survived True")
    assert ["No space left on device" in line for line in said] == [True] * (kind == "full")


def test_json_lines_parse_and_come_back():
    out = io.StringIO()
    with JsonLines(out) as view:
        for event in events(val=91.2):
            view.handle(event)
    records = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [as_record(from_record(record)) for record in records] == records
    assert [from_record(record) for record in records] == list(events(val=91.2))


def test_json_lines_show_progress_only_after_silence():
    out, now = io.StringIO(), [0.0]
    view = JsonLines(out, lambda: now[0])
    for now[0] in (0.0, 0.4, 1.1, 1.9, 2.2):
        view.handle(Progress(epoch=0, images=int(100 * now[0]), total=1000))
    assert [json.loads(line)["images"] for line in out.getvalue().splitlines()] == [110, 220]


def test_json_is_strict():
    event = steps(0, 10, call_loss=float("nan"), epoch_loss=np.float32("inf"), images=np.int64(5))
    record = json.loads(to_json(event), parse_constant=lambda name: pytest.fail(name))
    assert (record["call_loss"], record["epoch_loss"], record["images"]) == (None, None, 5)
    back = from_record(record)
    assert isinstance(back, StepsDone) and np.isnan(back.call_loss)


def test_history_comes_back_from_json():
    event = started(epoch=2, history=(epoch_done(0), epoch_done(1)))
    back = from_record(json.loads(to_json(event)))
    assert back == event and back.history[0].snapshot() == {}


@pytest.mark.parametrize("record", [{}, {"event": "Nonsense"}, {"event": "Warned"}, []])
def test_what_is_no_record_is_refused(record):
    with pytest.raises(ValueError, match="not a record"):
        from_record(record)
