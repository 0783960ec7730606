"""Other tools, each imported by its own module here and by nothing else: PyTorch, and programs that track runs."""
