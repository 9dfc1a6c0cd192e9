"""What a server asks of its runs: start, watch, steer, queue."""
