"""Training: losses, samplers, optimizers, schedules, the Trainer. Names load on first use, because they need torch."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
