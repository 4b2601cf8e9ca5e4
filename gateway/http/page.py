"""The page at `/docs`: a file of our own that reads `/v1/openapi.json`, and headers that let it do nothing else."""

import base64
import hashlib
import re
from importlib.resources import files
from typing import Final

_TEXT: Final = files("gateway.http").joinpath("docs.html").read_text("utf-8")


def _source_of(tag: str) -> str:
    """Names the one inline script or style that may apply, by its hash (CSP level 3, section 2.3.1)."""
    match = re.search(rf"<{tag}>(.*?)</{tag}>", _TEXT, re.DOTALL)
    if match is None:
        raise ValueError(f"docs.html has no {tag}")
    digest = base64.b64encode(hashlib.sha256(match[1].encode()).digest()).decode()
    return f"'sha256-{digest}'"


HTML: Final = _TEXT.encode()

HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src {_source_of('script')}; style-src {_source_of('style')}; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}
