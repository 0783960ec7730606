"""What to read while kernels compile: why that is, what is compiled now, and the network that will be trained."""

from textwrap import wrap

from jitnet.display.live.frame import Glyphs, Line, panel
from jitnet.display.live.progress import DashboardState
from jitnet.display.network import drawing, in_a_line
from jitnet.printing import printable

_WHY = (
    "jitnet is written in Python. Its inner loops are translated to machine code for this very processor, with its "
    "vector registers and its number of threads. This happens once: the code is kept in a cache, and later starts load "
    "it in less than a second. `jitnet warmup` does it ahead of time.",
    "The kernels are in kernels/: layers/ has one page for each operation, made to be read; fast/ has the same "
    "operations as they run here. `jitnet summary NETWORK --kernels` lists which code computes each layer, and `jitnet "
    "trace latest` follows one image through all of them.",
    "After this the screen shows the accuracy, the loss and the time left; test digits with the network's answers; and "
    "which classes it confuses.",
)


def meanwhile(state: DashboardState, width: int, rows: int, glyphs: Glyphs, boxed: bool) -> list[Line]:
    """Return a panel to read while kernels compile: why, what, and the network that will be trained."""
    run, event = state.run, state.compiling
    inner = width - 4
    body: list[Line] = []
    if run is not None:
        body += drawing(state, inner, 4, glyphs) or [in_a_line(run, state, inner, glyphs)]
        body.append([])
    if event is not None and event.about:
        body += [[("now: ", "label"), (printable(event.about), "strong")], []]
    body += [[(text, "")] for paragraph in _WHY for text in (*wrap(paragraph, inner), "")]
    return panel([("meanwhile", "title")], [], body, width, rows, glyphs, boxed)
