"""Plain HTML for the portal: every text is escaped, nothing is fetched from elsewhere, it works without scripts."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

from aiohttp import web

_STYLE: Final = """
body{font:1rem/1.5 system-ui,sans-serif;max-width:70rem;margin:0 auto;padding:1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;width:100%;margin:.5rem 0}caption{text-align:left;font-weight:600}
th,td{border:1px solid #767676;padding:.3rem .6rem;text-align:left;vertical-align:top}
article{border:1px solid #767676;padding:0 1rem 1rem;margin:1rem 0}
label{display:block;margin:.4rem 0}input,select{font:inherit;padding:.2rem}input[type=text]{min-width:20rem}
button{font:inherit;padding:.3rem .8rem;margin:.4rem 0}
:focus-visible{outline:3px solid #0b57d0;outline-offset:2px}
[role=alert]{border:2px solid #b00020;padding:.5rem 1rem}[role=status]{border:2px solid #1b6e20;padding:.5rem 1rem}
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"


class Html(NamedTuple):
    """A text that is HTML already."""

    text: str


Part = Html | str


def markup(*parts: Part) -> Html:
    """Puts parts together, and escapes what is text."""
    return Html("".join(part.text if isinstance(part, Html) else escape(part) for part in parts))


def element(name: str, /, *parts: Part, **attributes: str | None) -> Html:
    """Writes an element; an attribute that is None is left out, a trailing `_` of its name as well."""
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    written = "".join(f' {key}="{escape(value)}"' for key, value in given.items())
    return Html(f"<{name}{written}>{markup(*parts).text}</{name}>")


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Part]]) -> Html:
    """Writes a table whose first column names the row."""
    header = element("tr", *(element("th", each, scope="col") for each in head))
    body = [
        element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])) for row in rows
    ]
    return element("table", element("caption", caption), element("thead", header), element("tbody", *body))


def listed(items: Iterable[Part]) -> Html:
    """Writes a list."""
    return element("ul", *(element("li", each) for each in items))


def text_field(name: str, label: str, value: str = "") -> Html:
    """Writes a field for a line of text, which has to be filled in."""
    given = escape(value)
    box = Html(f'<input type="text" name="{escape(name)}" value="{given}" maxlength="255" required>')
    return element("label", f"{label} ", box)


def check_box(name: str, label: str) -> Html:
    """Writes a box that has to be ticked."""
    return element("label", Html(f'<input type="checkbox" name="{escape(name)}" value="yes" required> '), label)


def choice(name: str, label: str, options: Mapping[str, str]) -> Html:
    """Writes a choice; the options' values with their texts."""
    written = [element("option", text, value=value) for value, text in options.items()]
    return element("label", f"{label} ", element("select", *written, name=name))


def form(action: str, button: str, *parts: Part, about: str) -> Html:
    """Writes a form.

    Args:
        about: What the button is for, for whoever does not see what stands around it.
    """
    submit = element("button", button, type="submit", aria_label=f"{button}: {about}")
    return element("form", *parts, submit, method="post", action=action)


def page(title: str, *parts: Part, status: int = 200) -> web.Response:
    """Answers with a page."""
    head = markup(
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", title),
        Html(f"<style>{_STYLE}</style>"),
    )
    body = element("main", element("h1", title), *parts)
    whole = element("html", element("head", head), element("body", body), lang="en")
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(text=f"<!DOCTYPE html>{whole.text}", content_type="text/html", status=status, headers=headers)
