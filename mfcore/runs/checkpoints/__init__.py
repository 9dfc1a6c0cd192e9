"""Checkpoints of a run: their files, which are kept, and who writes them."""
