"""The orders of the axes in which files have weights. A leaf."""

LAYOUTS = ("torch", "keras", "jitnet")  # jitnet: as `jitnet export weights` writes them
AUTO = "auto"  # what the file states, or the only one that its shapes allow
