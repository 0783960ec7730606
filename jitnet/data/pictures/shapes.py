"""The connected pieces of ink: which belong to the drawing, and whether there are several drawings."""

import numpy as np

_MOST = 50  # pieces that are looked at
_DUST = 0.03  # of the largest piece: what is smaller is dust
_FRAME = 0.15  # of the side: depth of a frame at the border
_INSIDE = 0.1  # of the frame: what is in it is at least so heavy
_PART = 0.3  # of the largest piece: what is larger and stands apart is another drawing


def pieces(strength: np.ndarray, threshold: float) -> list[np.ndarray]:
    """Return the connected pieces of what is above a threshold as masks (H, W), the heaviest first."""
    drawn = strength > threshold
    edges = np.diff(np.pad(drawn, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)  # the runs of drawn pixels, row by row
    stops = np.nonzero(edges == -1)[1]
    parent = list(range(len(rows)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = parent[parent[run]]
            run = parent[run]
        return run

    first = np.searchsorted(rows, np.arange(len(drawn) + 1))
    for row in range(1, len(drawn)):
        above = first[row - 1]
        for run in range(first[row], first[row + 1]):
            while above < first[row] and stops[above] < starts[run]:
                above += 1
            other = above
            while other < first[row] and starts[other] <= stops[run]:  # they meet, at a corner at least
                parent[root(run)] = root(int(other))
                other += 1
    roots = np.array([root(run) for run in range(len(rows))], np.int64)
    labels = np.full(drawn.shape, -1, np.int64)
    labels[drawn] = np.repeat(roots, stops - starts)
    masses = np.bincount(labels[drawn], weights=strength[drawn].astype(np.float64), minlength=len(rows))
    order = np.argsort(-masses, kind="stable")
    return [labels == name for name in order if masses[name] > 0][:_MOST]


def drawing(strength: np.ndarray, threshold: float) -> tuple[np.ndarray, bool]:
    """Return the mask (H, W) of the drawing, and whether there seem to be several.

    Dust is excluded, and so is what touches the border while the heaviest piece that does not touch it is large.
    """
    found = pieces(strength, threshold)
    if not found:
        return np.zeros(strength.shape, bool), False
    frames = [_is_frame(each) for each in found]
    rest = [each for each, frame in zip(found, frames) if not frame]
    if rest and strength[rest[0]].sum() > _INSIDE * strength[found[0]].sum():
        found = rest
    masses = [float(strength[each].sum()) for each in found]
    inside = [not _touches(each) for each in found]
    main = next((i for i in range(len(found)) if inside[i] and masses[i] > 0.3 * masses[0]), 0)
    kept = [
        each
        for each, mass, within in zip(found, masses, inside)
        if mass >= _DUST * masses[main] and (within or not inside[main])
    ]
    if not any(each is found[main] for each in kept):
        kept.append(found[main])
    mask = np.logical_or.reduce(kept)
    return mask, _several(strength, mask)


def _is_frame(mask: np.ndarray) -> bool:
    """Whether a piece is a box drawn around the picture: nearly as large, and nearly all of it next to the border."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) < 0.8 * len(mask) and len(columns) < 0.8 * mask.shape[1]:
        return False
    deep = [max(1, round(_FRAME * extent)) for extent in mask.shape]
    inside = mask[deep[0] : -deep[0], deep[1] : -deep[1]]
    return bool(inside.sum() < 0.2 * mask.sum())


def _touches(mask: np.ndarray) -> bool:
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def _several(strength: np.ndarray, mask: np.ndarray) -> bool:
    """Whether empty columns part the drawing into pieces that are both heavy, and both as tall as a character."""
    columns = np.flatnonzero(mask.any(axis=0))
    rows = np.flatnonzero(mask.any(axis=1))
    gaps = np.flatnonzero(np.diff(columns) > max(2, 0.05 * len(rows)))
    height = rows[-1] - rows[0] + 1
    for gap in gaps:
        parts = (mask[:, : columns[gap] + 1], mask[:, columns[gap] + 1 :])
        tall = [np.ptp(np.flatnonzero(part.any(axis=1))) + 1 for part in parts]
        heavy = [float(strength[:, : part.shape[1]][part].sum()) if i == 0 else 0.0 for i, part in enumerate(parts)]
        heavy[1] = float(strength[mask].sum()) - heavy[0]
        if min(tall) > 0.5 * height and min(heavy) > _PART * max(heavy):
            return True
    return False
