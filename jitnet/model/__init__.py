"""A network: its layers, its parameters, its update rule, and the memory that the kernels work in."""
