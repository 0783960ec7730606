"""The errors that a user can cause, and the exit code of each."""


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
