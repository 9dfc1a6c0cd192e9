"""mfcore: matrix-factorization recommenders, from ratings to recommendations.

Names load on first use, so that importing mfcore is instant and pulls in torch only where torch is needed.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
