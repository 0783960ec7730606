"""Write the files of an export into a folder."""

from pathlib import Path

from jitnet.errors import InputError
from jitnet.storage.atomic import replace_text


def write_files(out: Path, contents: dict[str, str]) -> None:
    """Make the folder if it is not there, and write texts into it by file name.

    Raises `InputError` if it cannot be written. A file that is there stays until the new one is whole.
    Bytes of names that are not UTF-8 are escaped.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in contents.items():
            replace_text(out / name, text)
    except OSError as error:
        raise InputError(f"cannot write the export to {out}: {error.strerror}; choose another folder") from error


def other_files(out: Path) -> InputError:
    """Return the error of a folder that holds what no export wrote."""
    return InputError(f"--out is {out}, which holds other files: expected a new or empty folder, or an older export")
