"""Everything that is about numba or LLVM, and nothing about networks."""
