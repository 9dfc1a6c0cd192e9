"""How fast training is, beside native libraries and plain loops, on this machine: python -m bench.speed"""
