"""One page per operation, forward next to backward."""
