"""What a command's error becomes: its exit code, one sentence, and its details line by line."""

import pytest

from jitnet import errors
from jitnet.cli import main
from jitnet.commands import runs

CODES = {  # as docs/commands.md has them
    errors.JitnetError: 1,
    errors.InputError: 2,
    errors.DivergedError: 3,
    MemoryError: 2,
    KeyboardInterrupt: 130,
}


@pytest.mark.parametrize("kind", CODES)
def test_an_error_has_its_exit_code_and_no_traceback(monkeypatch, capsys, kind):
    def fail(args):
        raise kind("it is so", "the first detail")

    monkeypatch.setattr(runs, "run", fail)
    assert main(["runs", "list"]) == CODES[kind]
    out, err = capsys.readouterr()
    assert out == "" and "Traceback" not in err
    if issubclass(kind, errors.JitnetError):
        assert err == "jitnet: it is so\nthe first detail\n" and str(kind("it is so", "x")) == "it is so\nx"


def test_every_error_of_jitnet_has_a_code():
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.JitnetError)]
    assert set(kinds) <= set(CODES)
