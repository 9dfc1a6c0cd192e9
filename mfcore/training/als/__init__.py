"""Alternating least squares: every user's vector solved exactly while the items' rest, then the other way round."""
