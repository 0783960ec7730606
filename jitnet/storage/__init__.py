"""Tensors in files: checkpoints, saved models, weights of other frameworks, and crash-safe writing."""
