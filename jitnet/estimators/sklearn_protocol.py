"""scikit-learn's conventions of an estimator, kept without scikit-learn: parameters, tags, the error before `fit`."""

import inspect
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, Self

from jitnet.config import SETTINGS, Settings
from jitnet.errors import InputError

PARAMETERS = {name: item for name, item in SETTINGS.items() if item.parameter}  # of every estimator
DEFAULTS = {name: getattr(Settings(), name) for name in PARAMETERS}
SETTINGS_LINE = "    [settings]"


class Conventional:
    """An estimator whose constructor stores the arguments that `_parameters` names, and does nothing else.

    Besides its own, these are the settings in `PARAMETERS`, and `on_event`.
    """

    _parameters: tuple[str, ...] = ()
    _estimator_type = "classifier"

    def __init_subclass__(cls) -> None:
        """Show the settings that a subclass passes on, in its signature and in its docstring, from their descriptions.

        They replace the line `SETTINGS_LINE` of the docstring.
        """
        own = list(inspect.signature(cls.__init__).parameters.values())[1:]
        named = [item for item in own if item.kind is not item.VAR_KEYWORD and item.name != "on_event"]
        passed = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=DEFAULTS[name], annotation=item.kind)
            for name, item in PARAMETERS.items()
        ]
        hook = inspect.Parameter("on_event", inspect.Parameter.KEYWORD_ONLY, default=None)
        cls._parameters = (*(item.name for item in named), *PARAMETERS, hook.name)
        cls.__signature__ = inspect.Signature([*named, *passed, hook])  # type: ignore[attr-defined]
        if cls.__doc__:  # python -OO has none
            cls.__doc__ = cls.__doc__.replace(SETTINGS_LINE, "\n".join(_documented()))

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags of a classifier, by which its searches draw stratified folds."""
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            transformer_tags=None,
            regressor_tags=None,
        )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments by name."""
        return {name: getattr(self, name) for name in self._parameters}

    def set_params(self, **params: Any) -> Self:
        """Change arguments of the constructor; raises `InputError` for an unknown one."""
        for name, value in params.items():
            if name not in self._parameters:
                raise InputError(
                    f"{type(self).__name__} has no parameter {name!r}: expected one of {', '.join(self._parameters)}"
                )
            setattr(self, name, value)
        return self

    def _fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise _not_fitted()(f"this {type(self).__name__} is not trained yet: call fit first")


def _not_fitted() -> type[InputError]:
    """Return the error of an estimator that is not trained, scikit-learn's own too if that is in use."""
    exceptions = sys.modules.get("sklearn.exceptions")
    if exceptions is None:
        return InputError
    return type("NotFittedError", (InputError, exceptions.NotFittedError), {})


def _documented() -> Iterator[str]:
    """Yield the lines of a docstring that describe the settings."""
    for name, item in PARAMETERS.items():
        yield f"    {name} : {item.type_text}, default {DEFAULTS[name]!r}"
        yield from textwrap.wrap(item.help.replace("--", ""), 110, initial_indent=" " * 8, subsequent_indent=" " * 8)
    yield "    on_event : callable, default None"
    yield "        called with every event of training, for progress bars"
