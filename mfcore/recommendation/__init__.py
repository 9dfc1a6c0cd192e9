"""Recommendation: from a trained model to lists for people."""
