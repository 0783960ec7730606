"""The table of docs/speed.md of what share of the processor's peak each kernel reaches, from kept records."""

from bench import machine
from bench.kernels import kernel
from bench.measure import Timing


def table(kept: dict[str, dict], titles: list[str]) -> str:
    """Return the shares on one thread as Markdown; `kept` has a record for each column by its file's name."""
    columns = [{kernel(row): row for row in record["rows"] if _is_shown(row)} for record in kept.values()]
    lines = ["| kernel | shape | " + " | ".join(titles) + " |", "|---|---|" + "--:|" * len(columns)]
    for key in dict.fromkeys(key for column in columns for key in column):
        name, shape, note = key
        title = f"{name}, {note}" if note and name.startswith("dense") else name
        lines.append(f"| {title} | {shape} | " + " | ".join(_cell(column.get(key)) for column in columns) + " |")
    lines += ["", "Median, and in brackets the fastest run over the peak's fastest, in percent."]
    for (name, record), title in zip(kept.items(), titles, strict=True):
        peak = Timing(tuple(row["peak_gflops"] for row in record["rows"] if row["threads"] == 1)).median
        lines += [
            "",
            f"{title}: peak {peak:,.0f} GFLOP/s, n = {record['rows'][0]['seconds']['n']} runs, each "
            f"next to a run of the peak. {machine.sentence(record['machine'])}. {record['date'][:10]}, "
            f"`bench/results/{name}`.",
        ]
    return "\n".join(lines)


def _is_shown(row: dict) -> bool:
    return row["threads"] == 1 and "share" in row and row["note"] != "not part of training"


def _cell(row: dict | None) -> str:
    return f"{100 * row['share']['median']:.0f} ({100 * row['share_of_best']:.0f})" if row else ""
