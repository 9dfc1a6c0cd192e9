"""What computes the steps of a training."""
