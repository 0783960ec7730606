"""Recipes: the settings that a name stands for, and the rules that choose those which depend on the data."""
