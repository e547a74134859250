"""Reads news text and tells its named entities and who said what.

    >>> from onrecord import Extractor
    >>> extractor = Extractor()
    >>> result = extractor.extract("“The pier is beyond repair,” said Claire Moreau.")
    >>> result["statements"][0]["speaker"]["name"]
    'Claire Moreau'
"""

from ._onrecord import Extractor, __version__

__all__ = ["Extractor", "__version__"]
