"""Synthetic digits, and the measurement of the machine's peak."""
