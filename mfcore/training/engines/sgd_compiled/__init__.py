"""One rating at a time, compiled."""
