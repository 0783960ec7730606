"""The table of epochs on the screen."""

from jitnet.display.format import EPOCH_COLUMNS, epoch_cells
from jitnet.display.live.frame import Glyphs, Line, panel
from jitnet.display.live.progress import DashboardState


def planned_rows(state: DashboardState, boxed: bool) -> int:
    """Return the lines that the table of the whole run needs."""
    epochs = max(len(state.epochs), state.run.epochs if state.run else 0)
    return epochs + (3 if boxed else 2)


def table(state: DashboardState, width: int, rows: int, glyphs: Glyphs, boxed: bool = True) -> list[Line]:
    """Return exactly `rows` lines: the latest epochs that fit, the one in work, the best one marked."""
    names, gap = _columns(state, width - 6)
    values = _rows(state)
    shown = max(0, rows - (3 if boxed else 2))
    first = max(0, len(values) - shown)
    best, now = state.best, state.epoch if state.steps else None
    head = _line([EPOCH_COLUMNS[name].heading for name in names], names, gap)
    body: list[Line] = [[("  ", ""), (head, "label")]]
    for row in values[first:] if shown else []:
        text = _line(epoch_cells(row, names), names, gap)
        if best is not None and row["epoch"] == best.epoch:
            body.append([(f"{glyphs.best} ", "best"), (text, "best")])
        elif row["epoch"] == now:
            body.append([(f"{glyphs.now} ", "loss"), (text, "label")])
        else:
            body.append([("  ", ""), (text, "")])
    title = "epochs" if not first else f"epochs {first + 1} to {len(values)}"
    legend: Line = []
    if best is not None:
        kind = "validation" if best.val_accuracy is not None else "test"
        legend = [(f"{glyphs.best} best {kind} accuracy", "label")]
    return panel([(title, "label")], legend, body, width, rows, glyphs, boxed)


def _line(cells: list[str], names: list[str], gap: int) -> str:
    return "".join(f"{cell:>{EPOCH_COLUMNS[name].width + gap}}" for cell, name in zip(cells, names))[gap:]


def _columns(state: DashboardState, width: int) -> tuple[list[str], int]:
    """Return the columns that this run has and this width can hold, and the gap between them."""
    validated = any(row.val_accuracy is not None for row in state.epochs)
    if state.run is not None and state.run.val_images:
        validated = True
    regression = any(row.test_rmse is not None for row in state.epochs)
    absent = {"test_accuracy", "val_accuracy"} if regression else {"test_rmse"}
    on_screen = [name for name, column in EPOCH_COLUMNS.items() if column.width]
    names = [name for name in on_screen if (validated or not name.startswith("val")) and name not in absent]
    while len(names) > 1 and sum(EPOCH_COLUMNS[name].width + 2 for name in names) - 2 > width:
        names.remove(min(names, key=lambda name: EPOCH_COLUMNS[name].rank))
    spare = width - sum(EPOCH_COLUMNS[name].width for name in names)
    return names, max(1, min(5, spare // max(1, len(names) - 1)))


def _rows(state: DashboardState) -> list[dict[str, float | None]]:
    """Return the rows by column: the epochs that are done, and the one in work."""
    rows = [{name: getattr(row, name) for name in EPOCH_COLUMNS} for row in state.epochs]
    steps = state.steps
    if steps is not None:
        values = {"epoch": steps.epoch, "lr": steps.lr, "train_loss": steps.epoch_loss}
        rows.append(values | {"images_per_s": state.speed.value})
    return rows
