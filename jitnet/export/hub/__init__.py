"""A folder for a model hub: the weights, a description for programs, one for people, and a loader of 40 lines."""
