"""Measuring a model: rating error, sampled and full ranking, and the baselines to hold them against.

Names load on first use: ``Protocol`` needs no torch, so configs stay cheap to import.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
