"""The network in another language: what `jitnet export cpp` writes."""
