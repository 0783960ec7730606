"""The same results sooner. Each file names the page of layers/ that it replaces."""
