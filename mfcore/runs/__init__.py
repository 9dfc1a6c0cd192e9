"""Runs: a folder each, trained by a worker process. Importing this does not import torch."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
