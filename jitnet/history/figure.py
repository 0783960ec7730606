"""A figure for papers and slides, drawn by matplotlib: an extra, asked for only when a figure is."""

from pathlib import Path

from jitnet.errors import InputError
from jitnet.history.curves import ALONG, METRICS, Curve

SUFFIXES = (".svg", ".png")
_STYLES = ("-", "--", "-.", ":")  # curves differ in more than colour


def require_figure(path: Path) -> None:
    """Raise `InputError` if no figure could be written to a path: its name, its folder, or no matplotlib."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"--save is {str(path)!r}: expected a file that ends in {' or '.join(SUFFIXES)}")
    if not path.absolute().parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {path.parent} does not exist; choose another --save")
    try:
        import matplotlib.backends.backend_agg
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise InputError(
            "figures as svg or png are drawn by matplotlib, which is not here: pip install 'jitnet[plot]', "
            "or leave --save away for the terminal"
        ) from None


def save_figure(path: Path, curves: list[Curve], metric: str, along: str) -> None:
    """Write the curves as .svg or .png; raises `InputError` without matplotlib, and for a path that cannot be."""
    require_figure(path)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel=ALONG[along], ylabel=METRICS[metric])
    for place, curve in enumerate(curves):
        x, y = zip(*curve.points) if curve.points else ((), ())
        marker = "o" if len(x) < 50 else None
        axes.plot(x, y, _STYLES[place % len(_STYLES)], marker=marker, markersize=4, label=curve.name)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if "loss" in metric and all(y > 0 for curve in curves for _, y in curve.points):
        axes.set_yscale("log")
    axes.legend(frameon=False)
    try:
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; choose another --save") from None
