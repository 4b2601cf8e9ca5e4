"""Phone numbers without the ornaments that people write them with."""

import re

_ORNAMENTS = re.compile(r"^tel:|\(0\)|[\s().\-/_]", re.IGNORECASE)


def bare(text: str) -> str:
    """Gives a number's digits and its `+`: without `tel:`, a bracketed trunk zero, blanks and punctuation."""
    return _ORNAMENTS.sub("", text.strip())


def international(text: str) -> str:
    """Gives a bare number with `+` for the international prefix `00`."""
    return "+" + text[2:] if text.startswith("00") else text
