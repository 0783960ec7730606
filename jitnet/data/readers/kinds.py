"""What a file is, told by its first bytes; of the kinds that are not read, what to do with them."""

import gzip
import zipfile
import zlib
from pathlib import Path

from jitnet.errors import InputError

PARQUET = b"PAR1"
_HEAD = 4096
_UTF16 = (b"\xff\xfe", b"\xfe\xff")  # marks at the beginning of a text
_TEXT_IMAGES = tuple(b"P%d" % kind for kind in range(1, 7))  # PBM, PGM and PPM
_ARRAYS = "load it, and save its arrays by np.savez"
_TABLE = "export it as CSV"
_UNPACK = "unpack it, and give the folder"
_IMAGE = "expected a folder with a folder of images for each class"
_FOREIGN = [  # first bytes, kind, what to do
    *((bytes((0x80, protocol)), "a Python pickle, which may run any program", _ARRAYS) for protocol in range(2, 6)),
    (b"MATLAB", "a MATLAB file", "load it by scipy.io.loadmat, and save its arrays by np.savez"),
    (b"\x89HDF", "an HDF5 file", _ARRAYS),
    (b"ARROW1", "an Arrow file", _TABLE),
    (b"SQLite", "an SQLite file", _TABLE),
    (b"\xd0\xcf\x11\xe0", "an Excel file", _TABLE),
    (b"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (b"Rar!", "a rar archive", _UNPACK),
    (b"BZh", "compressed by bzip2", _UNPACK),
    (b"\xfd7zXZ", "compressed by xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", _UNPACK),
    (b"\x89PNG", "one image", _IMAGE),
    (b"\xff\xd8\xff", "one image", _IMAGE),
    (b"GIF8", "one image", _IMAGE),
    (b"%PDF", "a PDF file", _TABLE),
    (b"<", "a web page or XML", "get the file itself"),
    (b"version https://git-lfs", "a pointer of Git LFS and not the file", "get it by git lfs pull"),
    (b"{", "a JSON file", _TABLE),
    (b"[", "a JSON file", _TABLE),
    (b"@relation", "an ARFF file", _TABLE),
]


def kind_of(path: Path) -> str:
    """Return "npz", "npy", "idx", "parquet" or "table" for a file; raises `InputError` for others."""
    head = _head(path)
    if head.startswith(b"\x1f\x8b"):
        head = _unzipped(path)
    if head.startswith(b"PK\x03\x04"):
        return _archive(path)
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith(b"\0\0\x08"):
        return "idx"
    if head.startswith(PARQUET):
        return "parquet"
    if foreign := _foreign(head):
        raise InputError(f"{path} is {foreign[0]}: {foreign[1]}")
    if not head:
        raise InputError(f"{path} is not a data set: expected a folder, an .npz file or a .csv file, and it is empty")
    if head[257:262] == b"ustar":
        raise InputError(f"{path} is a tar archive: {_UNPACK}")
    if b"\0" in head and head[:2] not in _UTF16:
        if wide_text(head) or path.suffix.lower() in (".csv", ".tsv", ".txt"):
            require_narrow(head, str(path))
        raise InputError(f"{path} is not a data set: expected a folder, an .npz file or a .csv file")
    return "table"


def wide_text(head: bytes) -> str:
    """Return the encoding, "UTF-16" or "UTF-32", of the first bytes of a text that has no mark of it; "" if it is none.

    >>> wide_text("1,2".encode("utf-16-le")), wide_text("1,2".encode("utf-32-be")), wide_text(bytes(8))
    ('UTF-16', 'UTF-32', '')
    """
    for name, codecs in (("UTF-32", ("utf-32-le", "utf-32-be")), ("UTF-16", ("utf-16-le", "utf-16-be"))):
        for codec in codecs:
            text = head[: len(head) // 4 * 4 or None].decode(codec, "replace")
            if sum(" " <= c <= "~" or c in "\t\r\n" for c in text) > 0.8 * len(text) > 0:
                return name
    return ""


def require_narrow(content: bytes, where: str) -> None:
    """Refuse a text with NUL bytes, as UTF-16 without a mark has them (`InputError`)."""
    if b"\0" not in content:
        return
    if name := wide_text(content[:_HEAD]):
        raise InputError(f"{where} is text in {name} without a mark of it: expected UTF-8, save it so")
    line = content.count(b"\n", 0, content.index(b"\0")) + 1
    raise InputError(f"{where} has a NUL byte in line {line}: expected text in UTF-8, write the file again")


def is_parquet(path: Path) -> bool:
    """Whether a file is in the Parquet format."""
    return _head(path).startswith(PARQUET)


def is_table(path: Path) -> bool:
    """Whether a file holds the rows of a table and not an image: text, also gzipped, or Parquet."""
    head = _head(path)
    if head.startswith(b"\x1f\x8b"):
        head = _unzipped(path)
    if head.startswith(PARQUET):
        return True
    if head.startswith(_TEXT_IMAGES) or (b"\0" in head and head[:2] not in _UTF16):
        return False
    try:
        if head[:2] not in _UTF16:
            head[: head.rfind(b"\n") + 1 or None].decode()
    except UnicodeDecodeError:
        return False
    return not _foreign(head) and any(each in head for each in b"0123456789")


def _foreign(head: bytes) -> tuple[str, str] | None:
    """Return what a file of another kind is by its first bytes, and what to do with it; None if it is not known."""
    start = head.lstrip().lower()
    return next(((what, advice) for known, what, advice in _FOREIGN if start.startswith(known.lower())), None)


def _head(path: Path) -> bytes:
    if path.exists() and not path.is_file() and not path.is_dir():  # a pipe or a device, which may never answer
        raise InputError(f"{path} is not a file: expected one that can be read, check the path")
    try:
        with open(path, "rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}): check the path and its permissions") from None


def _unzipped(path: Path) -> bytes:
    """Return the first bytes of what a gzip file holds."""
    try:
        with gzip.open(path) as stream:
            return stream.read(_HEAD)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is damaged or cut short ({error}): expected a whole file, get it again") from None


def _archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # a damaged archive raises many kinds of errors; the reader of npz files says what is wrong
        return "npz"
    if not names or any(name.endswith(".npy") for name in names):
        return "npz"
    if "[Content_Types].xml" in names:
        raise InputError(f"{path} is an Excel file: {_TABLE}")
    if any(name.endswith("data.pkl") for name in names):
        raise InputError(f"{path} is a PyTorch file: {_ARRAYS}")
    raise InputError(f"{path} is a zip archive: {_UNPACK}")
