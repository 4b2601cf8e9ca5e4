"""Words of a text, as they are stored and searched for: without case and accents."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_LONGEST = 60
"""Characters of a word that count."""
_MOST = 200
"""Words of one location that count."""


def words(*texts: str | None) -> list[str]:
    """Gives the words of some texts, each once."""
    text = " ".join(filter(None, texts))
    if not text.isascii():
        text = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return list(dict.fromkeys(word[:_LONGEST] for word in _WORD.findall(text.casefold())))[:_MOST]


def query(text: str) -> str | None:
    """Gives what to search for as PostgreSQL's `tsquery`: every word, as the beginning of one; None without words."""
    found = words(text)
    # A word is letters and digits only, so that nothing in it needs an escape.
    return " & ".join(f"'{word}':*" for word in found) if found else None
