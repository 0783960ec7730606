"""The training loop, and what it is made of: schedule, order of the images, early stopping, compilation."""
