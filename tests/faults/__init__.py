"""Faults, done to real runs and servers: what one sees of each, and what it costs."""
