"""The training loop, and its parts: schedule, order of the images, early stopping, compilation."""
