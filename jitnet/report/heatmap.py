"""The results of a sweep as tables of colours: a row for each value of one setting, a column for each of another."""

from itertools import pairwise

from jitnet.display.format import NONE, percentage, significant
from jitnet.history.read import Run
from jitnet.history.sweep_record import Sweep
from jitnet.report.html import Markup, element
from jitnet.setting import show


def heat_maps(sweep: Sweep) -> list[Markup]:
    """Return a map of each pair of neighbouring settings that vary, of which every cell is the best run there."""
    results = _results(sweep)
    names = list(dict.fromkeys(name for varied, _ in results for name in varied if name != "seed"))
    names = [name for name in names if len({str(varied.get(name)) for varied, _ in results}) > 1]
    return [_map(results, across, down) for across, down in pairwise(names)]


def _results(sweep: Sweep) -> list[tuple[dict[str, object], Run]]:
    runs = {run.path.name: run for group in sweep.runs.values() for run in group if not run.damage and run.epochs}
    trials = [(trial.get("varied") or {}, runs.get(trial["name"])) for trial in sweep.record["trials"]]
    return [(varied, run) for varied, run in trials if run is not None and isinstance(varied, dict)]


def _quality(run: Run) -> tuple[float, str]:
    """Return a number that is larger for a better run, and its text."""
    for name in ("val_accuracy", "test_accuracy"):
        if (value := run.last(name)) is not None:
            return value, percentage(value)
    for name in ("val_loss", "test_loss", "train_loss"):
        if (value := run.last(name)) is not None:
            return -value, significant(value, 4)
    return float("-inf"), NONE


def _map(results: list[tuple[dict[str, object], Run]], across: str, down: str) -> Markup:
    best: dict[tuple[str, str], tuple[float, str]] = {}
    for varied, run in results:
        place = show(varied.get(down, "")), show(varied.get(across, ""))
        best[place] = max(best.get(place, (float("-inf"), NONE)), _quality(run))
    rows, columns = (_sorted({place[axis] for place in best}) for axis in (0, 1))
    ranks = {value: rank for rank, value in enumerate(sorted({value for value, _ in best.values()}))}
    most = max(1, len(ranks) - 1)
    lines = []
    for row in rows:
        cells = []
        for column in columns:
            value, text = best.get((row, column), (None, ""))
            share = None if value is None else f"--share:{0.45 * ranks[value] / most:.3f}"
            top = "best" if value is not None and ranks[value] == len(ranks) - 1 else None
            cells.append(element("td", text, style=share, class_=top))
        lines.append(element("tr", element("th", row, scope="row"), cells))
    names = across.replace("_", " "), down.replace("_", " ")
    head = element(
        "tr", element("th", f"{names[1]} \\ {names[0]}", scope="col"), [element("th", c, scope="col") for c in columns]
    )
    caption = f"The best run of each {names[1]} and {names[0]}; the stronger its colour, the better."
    made = element(
        "table", element("caption", caption), element("thead", head), element("tbody", lines), class_="matrix"
    )
    label = f"{names[1]} and {names[0]}"
    return element("div", made, class_="wide", tabindex="0", role="region", aria_label=label)


def _sorted(texts: set[str]) -> list[str]:
    """Return values in their order as numbers, or else as texts."""
    try:
        return sorted(texts, key=float)
    except ValueError:
        return sorted(texts)
