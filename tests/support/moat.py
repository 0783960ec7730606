"""A network whose regions in the arenas are separated by NaN: a kernel that reads outside its region gets it."""

import numpy as np

from jitnet.model import memory_plan
from jitnet.model.kernel_choice import BATCH

GAP = 80  # elements: more than a tile is wide


class Moated(memory_plan.Arena):
    """An arena that leaves a gap after each region and records the regions."""

    def __init__(self):
        super().__init__(GAP)
        self.regions = []
        made.append(self)

    def take(self, *extents):
        offset = super().take(*extents)
        self.regions.append((offset, int(np.prod(extents))))
        self.size += GAP
        return offset


made: list[Moated] = []


def build(monkeypatch, network, images, driver=BATCH):
    """Give a network a workspace with moats; return it and, for `work` and `argmax`, where the moats are."""
    made.clear()
    with monkeypatch.context() as patch:
        patch.setattr(memory_plan, "Arena", Moated)
        space = memory_plan.build(network.shapes, images, 2, network.dtype, driver)
    work, scratch, argmax, rows = made[:4]
    start, size = int(space.plan[0]["scratch"]), scratch.size
    assert size == space.plan[0]["scratch_size"]
    shards = [(start + s * size + offset, count) for s in range(int(space.plan[0]["scratches"]))
              for offset, count in scratch.regions]  # fmt: skip
    moats = []
    for array, regions in (
        (space.work, [region for region in work.regions if region[0] != start] + shards),
        (space.argmax, argmax.regions),
        (space.rows, rows.regions),
    ):
        moat = np.ones(array.size, bool)
        for offset, count in regions:
            moat[offset : offset + count] = False
        array[moat] = np.nan if array.dtype.kind == "f" else 165
        moats.append((array, moat))
    network.use(space, driver)
    return moats


def unharmed(moats) -> bool:
    """Are the moats what they were?"""
    return all(
        np.isnan(array[moat]).all() if array.dtype.kind == "f" else (array[moat] == 165).all()
        for array, moat in moats
    )  # fmt: skip
