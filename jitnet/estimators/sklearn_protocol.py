"""scikit-learn's conventions of an estimator, kept without scikit-learn: parameters, tags, the error before `fit`."""

import inspect
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, Self

from jitnet.config import BY_RECIPE, SETTINGS, Settings
from jitnet.errors import InputError, did_you_mean
from jitnet.recipes.named import MODERN

PARAMETERS = {name: item for name, item in SETTINGS.items() if item.parameter}  # of every estimator
DEFAULTS: dict[str, Any] = {
    name: None if name in BY_RECIPE else getattr(Settings(recipe=MODERN), name) for name in PARAMETERS
}
SETTINGS_LINE, ATTRIBUTES_LINE = "    [settings]", "    [attributes]"
_ATTRIBUTES = "Attributes\n----------\n"

# Parameters that are no settings: default, type and meaning.
EXTRAS: dict[str, tuple[Any, str, str]] = {
    "early_stopping": (
        False, "bool",
        "stop after `patience` epochs (10 unless given) without a better result on the `val` images (a tenth unless "
        "given), and keep the best parameters",
    ),
    "class_weight": (None, "dict, 'balanced' or None", "weight of the images of each class, by its label"),
    "verbose": (
        None, "int or None",
        "0: silent; 1: a line per epoch on standard error; None: the dashboard in a notebook, else silent",
    ),
    "on_event": (
        None, "callable or list of callables",
        "called with each event of training (jitnet.events); training ends when one returns True or raises "
        "StopIteration",
    ),
}  # fmt: skip
_VAL = ("int or float", "images held out for validation, the last ones: their number, or their share if below 1")


class Conventional:
    """An estimator whose constructor stores the arguments that `_parameters` names, and does nothing else.

    Besides its own, these are the settings in `PARAMETERS` and EXTRAS, but for those that `_without` names.
    """

    _parameters: tuple[str, ...] = ()
    _without: tuple[str, ...] = ()  # what would mean nothing
    _estimator_type = "classifier"

    def __init_subclass__(cls) -> None:
        """Show the settings that a subclass passes on, in its signature and in its docstring, from their descriptions.

        They replace the lines `SETTINGS_LINE` and `ATTRIBUTES_LINE` of the docstring.
        """
        super().__init_subclass__()
        own = list(inspect.signature(cls.__init__).parameters.values())[1:]
        named = [item for item in own if item.kind is not item.VAR_KEYWORD]
        passed = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=note)
            for name, default, note in (
                *(
                    (n, DEFAULTS[n], item.kind | None if n in BY_RECIPE else item.kind)
                    for n, item in PARAMETERS.items()
                ),
                *((name, default, Any) for name, (default, _, _) in EXTRAS.items()),
            )
            if name not in cls._without
        ]
        cls._parameters = tuple(item.name for item in (*named, *passed))
        cls.__signature__ = inspect.Signature([*named, *passed])  # type: ignore[attr-defined]
        if cls.__doc__:  # python -OO has none
            told = cls.__doc__.replace(SETTINGS_LINE, "\n".join(_documented(cls._without)))
            told_by = next(
                base for base in cls.__mro__[1:] if "Attributes\n    ---" in (base.__doc__ or "") or base is object
            )
            _, _, attributes = (inspect.getdoc(told_by) or "").partition(_ATTRIBUTES)
            cls.__doc__ = told.replace(ATTRIBUTES_LINE, textwrap.indent(attributes.rstrip(), " " * 4))

    def _store(self, given: dict[str, Any]) -> None:
        """Store the keyword arguments that the constructor passes on."""
        for name, default in (*DEFAULTS.items(), *((name, extra[0]) for name, extra in EXTRAS.items())):
            if name not in self._without:
                setattr(self, name, given.pop(name, default))
        if given:
            unknown = next(iter(given))
            raise TypeError(
                f"{type(self).__name__}() got an unexpected keyword argument {unknown!r}"
                f"{did_you_mean(unknown, self._parameters)}"
            )

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags, by which its searches draw stratified folds for a classifier."""
        from sklearn.utils import ClassifierTags, RegressorTags, Tags, TargetTags, TransformerTags

        classifies = self._estimator_type == "classifier"
        return Tags(
            estimator_type=self._estimator_type,
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags() if classifies else None,
            transformer_tags=TransformerTags(preserves_dtype=["float32"]),
            regressor_tags=None if classifies else RegressorTags(),
            non_deterministic=False,
        )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments by name."""
        return {name: getattr(self, name) for name in self._parameters}

    def set_params(self, **params: Any) -> Self:
        """Change arguments of the constructor; raises `InputError` for an unknown one."""
        for name, value in params.items():
            if name not in self._parameters:
                close = did_you_mean(name, self._parameters)
                raise InputError(
                    f"{type(self).__name__} has no parameter {name!r}: expected one of "
                    f"{', '.join(self._parameters)}{close}"
                )
            setattr(self, name, value)
        return self

    def _changed(self) -> dict[str, Any]:
        """Return the parameters that differ from their defaults."""
        defaults = {name: item.default for name, item in inspect.signature(type(self)).parameters.items()}
        return {name: value for name, value in self.get_params().items() if not _same(value, defaults[name])}

    def __repr__(self) -> str:
        """Return the call that makes this estimator, defaults omitted."""
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._changed().items())})"

    def _fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise _not_fitted()(f"this {type(self).__name__} is not trained yet: call fit first")


def _same(value: Any, default: Any) -> bool:
    try:
        return value is default or bool(value == default)
    except Exception:  # an array, which has no one answer
        return False


def _not_fitted() -> type[InputError]:
    """Return the error of an estimator that is not trained, scikit-learn's own too if that is in use."""
    exceptions = sys.modules.get("sklearn.exceptions")
    if exceptions is None:
        return InputError
    return type("NotFittedError", (InputError, exceptions.NotFittedError), {})


def _documented(without: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a docstring that describe the settings and the extras, but for some."""
    for name, item in PARAMETERS.items():
        kind, meaning = _VAL if name == "val" else (item.type_text, item.help)
        if name in BY_RECIPE:
            meaning += f"; None: by the recipe ({item.by_recipe})"
        if name not in without:
            yield from _paragraph(f"{name} : {kind}, default {DEFAULTS[name]!r}", meaning)
    for name, (default, kind, meaning) in EXTRAS.items():
        if name not in without:
            yield from _paragraph(f"{name} : {kind}, default {default!r}", meaning)


def _paragraph(head: str, meaning: str) -> Iterator[str]:
    yield f"    {head}"
    yield from textwrap.wrap(meaning.replace("--", ""), 110, initial_indent=" " * 8, subsequent_indent=" " * 8)
