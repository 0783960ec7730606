"""One file per format: each turns files into checked arrays."""
