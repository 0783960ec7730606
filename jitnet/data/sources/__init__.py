"""Where a data set comes from: this machine, the cache, or a download."""
