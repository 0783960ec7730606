"""The errors that a user can cause, the exit code of each, and what a misspelt name may have meant."""

from collections.abc import Iterable


class JitnetError(Exception):
    """Base of what the command line shows as one sentence instead of a traceback.

    Its arguments are the sentence and lines of details, each of which is shown in a line.
    """

    exit_code = 1

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class InputError(JitnetError, ValueError):
    """Bad input. The message is one sentence: what was given, what was expected, what to do.

    A `ValueError` too, which Python programs and scikit-learn expect of a bad argument.
    """

    exit_code = 2


class DivergedError(JitnetError):
    """The loss, a parameter or the optimiser's state is not finite any more."""

    exit_code = 3


class LearningWarning(UserWarning):
    """What the coach says about the curves of a training: see docs/use-from-python.md."""


_OTHER_WORDS = {  # of other libraries: the names here
    "learning_rate": "lr",
    "learning_rate_init": "lr",
    "hidden_layer_sizes": "hidden",
    "layers": "hidden",
    "max_iter": "epochs",
    "random_state": "seed",
    "solver": "optimizer",
    "batch": "batch_size",
    "eta": "lr",
    "n_epochs": "epochs",
    "alpha": "weight_decay",
    "l2": "weight_decay",
    "validation_fraction": "val",
    "validation_split": "val",
    "n_iter_no_change": "patience",
    "callback": "on_event",
    "callbacks": "on_event",
    "arch": "architecture",
    "dataset": "data",
    "evaluate": "eval",
    "test": "eval",
    "classify": "predict",
    "fit": "train",
    "continue": "resume",
    "list": "runs",
}


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that names what a misspelt word may have meant; empty if nothing is similar.

    Capitals, hyphens and underscores make no difference, and some names of other libraries are known.

    >>> did_you_mean("trian", ["train", "trace"]), did_you_mean("--learning_rate", ["--lr"]), did_you_mean("x", ["lr"])
    ("; did you mean 'train'?", "; did you mean '--lr'?", '')
    """
    names = {_plain(name): name for name in known}
    names |= {other: names[ours] for other, ours in _OTHER_WORDS.items() if ours in names and other not in names}
    plain = _plain(word)
    slips, nearest = min(((_slips(plain, name), name) for name in names), default=(0, ""))
    meant = names.get(nearest, "")
    if slips > max(1, (len(plain) + 1) // 3):
        begun = {names[name] for name in names if len(plain) > 2 and name.startswith(plain)}
        meant = begun.pop() if len(begun) == 1 else ""
    return f"; did you mean {meant!r}?" if meant else ""


def _slips(a: str, b: str) -> int:
    """Return how many letters must be added, omitted, replaced or exchanged with the next to make `b` of `a`."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        rows.append([i])
        for j, y in enumerate(b, 1):
            best = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (x != y))
            if i > 1 and j > 1 and (x, a[i - 2]) == (b[j - 2], y):
                best = min(best, rows[i - 2][j - 2] + 1)
            rows[i].append(best)
    return rows[-1][-1]


def _plain(word: str) -> str:
    return word.lstrip("-").lower().replace("-", "_")
