"""Arrays with names, of an archive or a folder: which are images and which labels, to train with and to test with."""

import numpy as np

from jitnet.data.readers.names import role_of
from jitnet.data.readers.raw import Raw
from jitnet.errors import InputError

_UNNAMED = {"arr_0": "x", "arr_1": "y"}  # as np.savez(file, x, y) names them


def roles(names: list[str], where: str) -> dict[str, str]:
    """Return the names of the arrays by their roles: "x_train", "y_train", and perhaps "x_test", "y_val" and so on.

    Raises `InputError` if there are none to train with, or several that may be meant. What has no role is omitted.
    """
    sets: dict[str, dict[str, list[str]]] = {}
    for name in names:
        part, role, rest = role_of(_UNNAMED.get(name, name) if len(names) == 2 else name)
        if role:
            sets.setdefault(rest, {}).setdefault(f"{role}_{part or 'train'}", []).append(name)
    whole = {rest: found for rest, found in sets.items() if "x_train" in found and "y_train" in found}
    if not whole:
        shown = ", ".join(names[:12]) or "nothing"
        raise InputError(
            f"{where} holds {shown}: expected arrays named x_train, y_train, x_test, y_test, or x and y, save them so"
        )
    found = whole[""] if "" in whole else next(iter(whole.values()))
    doubled = [each for each in found.values() if len(each) > 1]
    if len(whole) > 1 and "" not in whole:
        doubled = [[name for each in whole.values() for name in each["x_train"]]]
    if doubled:
        raise InputError(f"{where} holds {' and '.join(doubled[0])}: expected one of them, save the others elsewhere")
    return {role: each[0] for role, each in found.items()}


def of_roles(kind: str, arrays: dict[str, np.ndarray], names: list[str], given: dict[str, str], where: str) -> Raw:
    """Return the data set of arrays by role, with notes about what is not used; `given` has their names, of `names`."""
    part = next((each for each in ("test", "val") if f"x_{each}" in arrays and f"y_{each}" in arrays), "")
    used = ["x_train", "y_train", *([f"x_{part}", f"y_{part}"] if part else [])]
    unused = [name for name in names if name not in {given[role] for role in used}]
    raw = Raw(kind, arrays["x_train"], arrays["y_train"])
    if unused:
        verb = "is" if len(unused) == 1 else "are"
        raw.notes.append(f"{', '.join(unused[:6])} of {where} {verb} not used")
    if part:
        raw.x_test, raw.y_test = arrays[f"x_{part}"], arrays[f"y_{part}"]
        raw.split = f"the arrays {given['x_train']} and {given[f'x_{part}']}"
    return raw
