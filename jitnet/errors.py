"""The errors that a user can cause, the exit code of each, and what a misspelt name may have meant."""

import difflib
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


_OTHER_WORDS = {  # of other libraries: the names here
    "learning_rate": "lr",
    "learning_rate_init": "lr",
    "hidden_layer_sizes": "hidden",
    "layers": "hidden",
    "max_iter": "epochs",
    "random_state": "seed",
    "solver": "optimizer",
    "batch": "batch_size",
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
    plain = _plain(word)
    plain = _OTHER_WORDS.get(plain, plain) if plain not in names else plain
    found = [plain] if plain in names else difflib.get_close_matches(plain, names, 1, 0.6)
    return f"; did you mean {names[found[0]]!r}?" if found else ""


def _plain(word: str) -> str:
    return word.lstrip("-").lower().replace("-", "_")
