"""The table of epochs on the screen."""

from jitnet.display.live.frame import Glyphs, Line, panel
from jitnet.display.live.progress import DashboardState

COLUMNS = {  # heading: width, and rank; the lowest ranks go first when the terminal is narrow
    "epoch": (5, 9),
    "lr": (8, 4),
    "avg loss": (8, 8),
    "accuracy": (8, 7),
    "rmse": (9, 7),
    "val loss": (8, 2),
    "val acc": (7, 6),
    "seconds": (7, 3),
    "images/s": (9, 1),
}


def planned_rows(state: DashboardState, boxed: bool) -> int:
    """Return the lines that the table of the whole run needs."""
    epochs = max(len(state.epochs), state.run.epochs if state.run else 0)
    return epochs + (3 if boxed else 2)


def table(state: DashboardState, width: int, rows: int, glyphs: Glyphs, boxed: bool = True) -> list[Line]:
    """Return exactly `rows` lines: the latest epochs that fit, the one in work, the best one marked."""
    names, gap = _columns(state, width - 6)
    values = _values(state)
    shown = max(0, rows - (3 if boxed else 2))
    first = max(0, len(values) - shown)
    best, now = state.best, state.epoch if state.steps else None
    body: list[Line] = [[("  ", ""), ("".join(f"{name:>{COLUMNS[name][0] + gap}}" for name in names)[gap:], "label")]]
    for row in values[first:] if shown else []:
        text = "".join(f"{row.get(name, ''):>{COLUMNS[name][0] + gap}}" for name in names)[gap:]
        if best is not None and row["epoch"] == str(best.epoch):
            body.append([(f"{glyphs.best} ", "best"), (text, "best")])
        elif row["epoch"] == str(now):
            body.append([(f"{glyphs.now} ", "loss"), (text, "label")])
        else:
            body.append([("  ", ""), (text, "")])
    title = "epochs" if not first else f"epochs {first} to {len(values) - 1}"
    legend: Line = []
    if best is not None:
        kind = "validation" if best.val_accuracy is not None else "test"
        legend = [(f"{glyphs.best} best {kind} accuracy", "label")]
    return panel([(title, "label")], legend, body, width, rows, glyphs, boxed)


def _columns(state: DashboardState, width: int) -> tuple[list[str], int]:
    """Return the columns that this run has and this width can hold, and the gap between them."""
    validated = any(row.val_accuracy is not None for row in state.epochs)
    if state.run is not None and state.run.val_images:
        validated = True
    regression = any(row.test_rmse is not None for row in state.epochs)
    absent = {"accuracy", "val acc"} if regression else {"rmse"}
    names = [name for name in COLUMNS if (validated or not name.startswith("val")) and name not in absent]
    while len(names) > 1 and sum(COLUMNS[name][0] + 2 for name in names) - 2 > width:
        names.remove(min(names, key=lambda name: COLUMNS[name][1]))
    spare = width - sum(COLUMNS[name][0] for name in names)
    return names, max(1, min(5, spare // max(1, len(names) - 1)))


def _values(state: DashboardState) -> list[dict[str, str]]:
    rows = [
        {
            "epoch": f"{row.epoch}",
            "lr": f"{row.lr:.6f}",
            "avg loss": f"{row.train_loss:.6f}",
            "accuracy": _number(row.test_accuracy, 2),
            "rmse": "-" if row.test_rmse is None else f"{row.test_rmse:.6g}",
            "val loss": _number(row.val_loss, 6),
            "val acc": _number(row.val_accuracy, 2),
            "seconds": f"{row.train_s:.1f}",
            "images/s": f"{row.images_per_s:,.0f}",
        }
        for row in state.epochs
    ]
    if state.steps is not None:
        steps = state.steps
        rows.append(
            {
                "epoch": f"{steps.epoch}",
                "lr": f"{steps.lr:.6f}",
                "avg loss": f"{steps.epoch_loss:.6f}",
                "images/s": f"{state.speed.value:,.0f}",
            }
        )
    return rows


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
