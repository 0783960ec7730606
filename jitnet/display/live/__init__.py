"""The dashboard of a run in a terminal."""
