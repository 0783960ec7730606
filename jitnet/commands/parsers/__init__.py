"""The options of the commands, one file each: what `--help` reads, without NumPy and what else a command needs."""
