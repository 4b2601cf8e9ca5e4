"""Texts in OICP 2.3: InfoTextType in both directions, and texts cut to the protocol's lengths."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings.canonical import phones
from mappings.canonical.texts import LocalText, shortened
from mappings.oicp.v2_3.wire import LANGUAGE_PATTERN, PHONE_PATTERN, Record
from mappings.report import IssueKind, Report
from mappings.trusted import build

INFO_TEXT_LENGTH = 150
_LANGUAGE = re.compile(LANGUAGE_PATTERN)
_PHONE = re.compile(PHONE_PATTERN)


def cut(text: str, length: int, field: str, report: Report) -> str:
    """Shortens a text to a protocol's length, with an issue where that was needed."""
    if len(text) <= length:
        return text
    report.add(IssueKind.NARROWED, field, f"shortened to the {length} characters that OICP allows", text)
    return shortened(text, length)


def write_info_texts(texts: Iterable[LocalText], field: str, fallback: str, report: Report) -> list[Record]:
    """Writes texts as InfoTextType; a language that OICP's pattern excludes becomes the fallback, with an issue."""
    written: list[Record] = []
    for n, text in enumerate(texts):
        path = f"{field}[{n}]"
        if not text.text.strip():
            report.add(IssueKind.LEFT_OUT, path, "an empty text")
            continue
        language = _language(text.language, fallback, path, report)
        written.append({"lang": language, "value": cut(text.text, INFO_TEXT_LENGTH, path, report)})
    return written


def _language(language: str, fallback: str, field: str, report: Report) -> str:
    if _LANGUAGE.fullmatch(language):
        return language
    first, _, rest = language.strip().replace("_", "-").partition("-")
    mended = f"{first.lower()}-{rest.upper()}" if rest else first.lower()
    if not _LANGUAGE.fullmatch(mended):
        mended = fallback
    report.add(IssueKind.MENDED, field, f"language given to OICP as {mended}", language)
    return mended


def read_info_texts(value: Any, field: str, report: Report) -> tuple[LocalText, ...]:
    """Reads a list of InfoTextType, or one alone, or a bare text in no stated language (`und`)."""
    items = value if isinstance(value, list) else [] if value is None else [value]
    texts: list[LocalText] = []
    for n, item in enumerate(items):
        if isinstance(item, Mapping) and isinstance(item.get("value"), str):
            language = item.get("lang")
            known = isinstance(language, str) and bool(language.strip())
            if item["value"].strip():
                texts.append(build(LocalText, {"language": str(language) if known else "und", "text": item["value"]}))
        elif isinstance(item, str) and item.strip():
            texts.append(LocalText(language="und", text=item))
            report.add(IssueKind.MENDED, f"{field}[{n}]", "a text without its language", item)
        else:
            report.add(IssueKind.LEFT_OUT, f"{field}[{n}]", "not a text with a language", item)
    return tuple(texts)


def phone(text: str) -> str | None:
    """Gives a phone number as OICP wants it, `+` and digits; None where it has no international form."""
    digits = phones.international(phones.bare(text))
    return digits if _PHONE.fullmatch(digits) else None
