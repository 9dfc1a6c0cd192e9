"""What the Embeddings page draws."""
