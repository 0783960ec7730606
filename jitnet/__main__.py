"""`python -m jitnet` is the same as the `jitnet` command."""

from jitnet.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
