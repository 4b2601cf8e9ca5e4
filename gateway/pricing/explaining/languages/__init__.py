"""The languages in which a tariff is said: a module of phrases each, none of which may lack one."""

from gateway.pricing.explaining.languages.de import GERMAN
from gateway.pricing.explaining.languages.en import ENGLISH
from gateway.pricing.explaining.languages.fr import FRENCH
from gateway.pricing.explaining.languages.nl import DUTCH
from gateway.pricing.explaining.languages.speech import Speech

LANGUAGES = {speech.tag: speech for speech in (ENGLISH, FRENCH, GERMAN, DUTCH)}
"""By their ISO 639-1 codes; the first is spoken to whoever asks for another."""


def speech_of(language: str) -> Speech:
    """Gives the phrases of a language.

    Args:
        language: A BCP 47 tag; its first part counts (`fr-CA` is spoken as `fr`). English stands in for all others.
    """
    return LANGUAGES.get(primary(language), ENGLISH)


def primary(language: str) -> str:
    """Gives the first part of a BCP 47 tag, in small letters."""
    return language.replace("_", "-").partition("-")[0].strip().casefold()
