"""`python -m jitnet` is the same as the `jitnet` command."""

from jitnet.cli import process

if __name__ == "__main__":
    process()
