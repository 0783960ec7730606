"""Where a data set is looked for, in which order, and what to say when it is nowhere."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from jitnet.data.content import Part, Report, sha256
from jitnet.data.dataset import SYNTHETIC, Dataset, assemble, own_name
from jitnet.data.readers.raw import Raw, of_parts
from jitnet.data.sources import download, layouts
from jitnet.data.sources.cache import Cache
from jitnet.data.sources.download import DownloadError
from jitnet.data.sources.known import FILES, KNOWN, MNIST, PARTS, Known
from jitnet.data.sources.layouts import Options
from jitnet.errors import InputError, did_you_mean


@dataclass
class Search:
    """A search for a known data set: what was found where, and why each place before it did not do."""

    parts: dict[str, Part] = field(default_factory=dict)
    source: str = ""
    tried: list[str] = field(default_factory=list)


def own_place() -> Path | None:
    """Return the path in JITNET_DATA, None when it is not set."""
    given = os.environ.get("JITNET_DATA")
    return expanded(given) if given else None


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path with its ~ replaced, as far as there is a home folder."""
    return Path(os.path.expanduser(path))


def copies(known: Known) -> list[Path]:
    """Return where Keras and torchvision leave a known data set, if its content can be told there."""
    if not known.sha256:
        return []
    keras = expanded(os.environ.get("KERAS_HOME") or "~/.keras")
    raw = Path(known.folder) / "raw"
    roots = (Path("data"), Path(), expanded("~/data"))
    return [keras / "datasets" / known.npz, *dict.fromkeys((root / raw).absolute() for root in roots)]


def differing(data: Dataset, known: Known) -> list[str]:
    """Return the files of a data set whose content is not the known one's."""
    return [FILES[part] for part in PARTS if sha256(getattr(data, part)) != known.sha256[part]]


def read_own(path: Path, cache: Cache, options: Options = Options()) -> Dataset:  # noqa: B008 (it is frozen)
    """Read someone's own data; raises `InputError` as `layouts.read` does."""
    raw = layouts.read(path, cache, options)
    return assemble(raw, str(path), own_name(path), warn=cache.warn, whole=options.whole)


def find(known: Known, cache: Cache, offline: bool) -> Search:
    """Look for a known data set in jitnet's cache, other tools' copies and, unless offline, on its mirrors.

    Never raises for a place that fails; `parts` of the result is empty when they all did.
    """
    search = Search()
    if kept := in_cache(known, cache):
        return Search(kept, str(cache.folder))
    search.tried.append(f"{cache.folder or 'the cache (there is no home folder)'}: not there")
    for path in copies(known):
        if not os.path.exists(path):
            search.tried.append(f"{path}: not there")
            continue
        try:
            data = read_own(path, Cache(cache.folder, lambda message: None, cache.report))
        except InputError as error:
            search.tried.append(str(error))
            continue
        if not (wrong := differing(data, known)):
            return Search({part: Part(getattr(data, part), known.sha256[part]) for part in PARTS}, str(path))
        search.tried.append(f"{path}: not {known.title}, {', '.join(wrong)} have other content")
    if offline:
        search.tried.append(f"{', '.join(known.mirrors)}: not asked, offline")
        return search
    return _downloaded(known, cache, search)


def in_cache(known: Known, cache: Cache) -> dict[str, Part]:
    """Return a known data set from jitnet's own cache, {} when not all of it is there."""
    kept = {part: found for part in PARTS if (found := _kept(known, part, cache))}
    return kept if len(kept) == len(PARTS) else {}


def fetch(known: Known, cache: Cache, offline: bool) -> str:
    """Put a known data set into jitnet's own cache and return where it was.

    Raises `InputError` when it is nowhere to be had, or when the cache cannot be written.
    """
    data = load_known(known, cache, offline)
    parts = {part: Part(array, sha256(array)) for part in PARTS for array in [getattr(data, part)]}
    if not in_cache(known, cache) and not _keep(known, cache, parts):
        raise InputError(
            f"the cache folder {cache.folder or '(there is no home folder)'} cannot be written: "
            "name one that can be by JITNET_CACHE_DIR"
        )
    return data.source


def _kept(known: Known, part: str, cache: Cache) -> Part | None:
    """Return a part by its content, or, where none is known beforehand, what was verified when it was downloaded."""
    if known.sha256:
        return cache.load(sha256=known.sha256[part])
    return cache.load(f"{known.name}-{part}")


def _keep(known: Known, cache: Cache, parts: dict[str, Part]) -> bool:
    return all(cache.save(f"{known.name}-{name}", part) for name, part in parts.items())


def _downloaded(known: Known, cache: Cache, search: Search) -> Search:
    until = time.monotonic() + download.DEADLINE
    mirrors = known.mirrors
    used: set[str] = set()
    try:
        for part in PARTS:
            kept = _kept(known, part, cache)  # of a download that was interrupted
            if not kept:
                kept, mirror = download.fetch(known, part, mirrors, cache.report, until)
                mirrors = tuple(sorted(mirrors, key=lambda other: other != mirror))  # the one that works first
                used.add(mirror)
                _keep(known, cache, {part: kept})
            search.parts[part] = kept
    except DownloadError as error:
        return Search({}, "", search.tried + error.reasons)
    return Search(search.parts, ", ".join(sorted(used)))


def load(spec: str, cache: Cache, offline: bool, options: Options = Options()) -> Dataset:  # noqa: B008 (it is frozen)
    """Load what `jitnet.data.load` describes; messages go to the cache's `warn` and `report`."""
    if spec == SYNTHETIC:
        return _synthetic(cache.report)
    if spec == "auto":
        return _auto(MNIST, cache, offline)
    if spec in KNOWN:
        return load_known(KNOWN[spec], cache, offline)
    path = expanded(spec)
    if not os.path.exists(path):
        raise InputError(
            f"there is no data set {spec!r}: expected auto, {', '.join(KNOWN)}, {SYNTHETIC}, or "
            "the path of a folder, "
            f"an .npz or a .csv file{did_you_mean(spec, ('auto', *KNOWN, SYNTHETIC))}"
        )
    return read_own(path, cache, options)


def load_known(known: Known, cache: Cache, offline: bool) -> Dataset:
    """Load a known data set; raises `InputError` when it is nowhere to be had."""
    if known.sha256 and (own := own_place()):
        data = _from_own_place(own, cache)
        if data.name != known.name:
            raise InputError(
                f"JITNET_DATA={own} holds other data than {known.title}: expected files with its "
                "content hashes, unset "
                f"JITNET_DATA or ask for that data by --data {own}"
            )
        return data
    search = find(known, cache, offline)
    if not search.parts:
        raise InputError(*_nowhere(known, search.tried))
    return assemble(_raw(search.parts), search.source, known.name, known)


def _auto(known: Known, cache: Cache, offline: bool) -> Dataset:
    if own := own_place():
        try:
            return _from_own_place(own, cache)
        except InputError as error:
            cache.warn(str(error))
    search = find(known, cache, offline)
    if search.parts:
        return assemble(_raw(search.parts), search.source, known.name)
    cache.warn(
        f"{known.title} could not be had ({search.tried[-1]}), so the built-in synthetic digits are used: "
        "`jitnet data status` shows where it was looked for, `jitnet data fetch` gets it"
    )
    return _synthetic(cache.report)


def _from_own_place(own: Path, cache: Cache) -> Dataset:
    try:
        return read_own(own, cache)
    except InputError as error:
        raise InputError(f"JITNET_DATA={own} cannot be used: {error}") from None


def _synthetic(report: Report) -> Dataset:
    from jitnet.data.synthetic import make  # its kernel brings numba, which nobody else here needs

    return assemble(Raw("built-in", *make(report=report)), "built-in", SYNTHETIC)


def _raw(parts: dict[str, Part]) -> Raw:
    return of_parts("IDX", {name: part.array for name, part in parts.items()}, "as published")


def _nowhere(known: Known, tried: list[str]) -> list[str]:
    places = [f"  {reason}" for reason in tried]
    if known.md5:
        return [
            f"{known.title} was not found. These places say:",
            *places,
            "Put these four files into one folder and name it by --data FOLDER:",
            *(f"  {FILES[part]}.gz  MD5 {known.md5[part]}" for part in PARTS),
        ]
    return [
        f"{known.title} was not found. JITNET_DATA is not set, and the other places say:",
        *places,
        "Put these four files, plain or as .gz, into one folder and name it by JITNET_DATA=FOLDER or --data FOLDER:",
        *(f"  {FILES[part]}  content SHA-256 {known.sha256[part]}" for part in PARTS),
    ]
