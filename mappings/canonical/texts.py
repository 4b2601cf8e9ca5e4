"""Texts in a language, links to images, and who runs or owns a place."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from mappings.canonical.base import Model, Unknown


class LocalText(Model):
    """A text in one language.

    Attributes:
        language: ISO 639-1 (`fr`), or a longer BCP 47 tag where the peer gave one.
    """

    language: str
    text: str


class ImageCategory(StrEnum):
    """What an image shows (OCPI 2.2.1, mod_locations, ImageCategory)."""

    CHARGER = "CHARGER"
    ENTRANCE = "ENTRANCE"
    LOCATION = "LOCATION"
    NETWORK = "NETWORK"
    OPERATOR = "OPERATOR"
    OTHER = "OTHER"
    OWNER = "OWNER"


class Image(Model):
    """A link to an image; width and height in pixels."""

    url: str
    category: ImageCategory
    type: str
    thumbnail: str | None = None
    width: Annotated[int, Field(ge=0, le=99999)] | None = None
    height: Annotated[int, Field(ge=0, le=99999)] | None = None


class Business(Model):
    """An operator, sub-operator or owner."""

    name: str
    website: str | None = None
    logo: Image | None = None
    unknown: Unknown = {}


def shortened(text: str, length: int) -> str:
    """Cuts a text that is only read by people to a length, its end marked by an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
