"""Synthetic digits, the augmentation of images, and the measurement of the machine's peak."""
