"""No compilation is silent: where no view shows it, a notice does once it takes more than a second."""

import io

import pytest

from jitnet import CNN
from jitnet.display.compiling import CompilationNotice
from jitnet.display.jsonlines import JsonLines
from jitnet.display.plain import Plain
from jitnet.estimators.watching import Watchers
from jitnet.events import Compiling, Event, Warned


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def phase(cached: bool = False) -> list[Event]:
    """Two kernels, each of which is reported again while it compiles, ten seconds each."""
    beats: list[Event] = [
        Compiling(name=f"k{i}", index=i, total=2, cached=cached, seconds=10.0 * i + s, left_s=20.0 - 10 * i - s)
        for i in range(2)
        for s in (0.0, 0.5, 3.0, 9.0)
    ]
    return [*beats, Compiling(name="", index=2, total=2, cached=cached, seconds=20.0, left_s=0.0)]


def shown(stream, events) -> str:
    notice = CompilationNotice(stream)
    for event in events:
        notice.handle(event)
    return stream.getvalue()


def test_a_pipe_gets_one_line_and_a_terminal_one_that_goes_away():
    text = "jitnet compiles its kernels, about 17 s left; this happens once, later starts load them"
    assert shown(io.StringIO(), phase()) == f"{text}\n"
    live = shown(Terminal(), phase())
    assert text in live and "about 1.0 s left" in live and "\n" not in live and live.endswith("\r\x1b[K")


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_what_is_quick_or_loaded_is_not_announced(stream):
    assert shown(stream(), phase(cached=True)) == ""
    quick = [event for event in phase() if isinstance(event, Compiling) and (event.seconds < 1 or event.index == 2)]
    assert shown(stream(), quick) == "" and shown(stream(), [Warned(message="x")]) == ""
    CompilationNotice(None).handle(phase()[2])


def test_plain_lines_say_it_once_for_each_kernel_with_the_time_left():
    out = io.StringIO()
    view = Plain(out, io.StringIO(), lambda: 0.0)
    for event in phase():
        view.handle(event)
    assert out.getvalue().splitlines() == [
        "compiling kernels 1/2, about 20 s left (first run only)",
        "compiling kernels 2/2, about 10 s left (first run only)",
        "compiled 2 kernels in 20 s",
    ]


def test_json_has_a_sign_of_life_only_after_a_second():
    out, now = io.StringIO(), [0.0]
    view = JsonLines(out, lambda: now[0])
    for seconds in (0.0, 0.2, 0.9, 1.5, 1.7, 2.6):
        now[0] = seconds
        view.handle(Compiling(name="k", index=0, total=2, cached=False, seconds=seconds))
    assert out.getvalue().count("\n") == 3


@pytest.mark.parametrize(("verbose", "said"), [(None, True), (0, False)])
def test_a_fit_in_python_announces_its_compilation_unless_it_is_silenced(capsys, verbose, said):
    with Watchers(CNN(verbose=verbose)) as watchers:
        for event in phase():
            watchers.tell(event)
    shown = capsys.readouterr()
    assert ("jitnet compiles its kernels" in shown.err) == said and shown.out == ""
