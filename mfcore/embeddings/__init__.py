"""Embeddings: the vectors a model learned, kept, projected, named and exported."""
