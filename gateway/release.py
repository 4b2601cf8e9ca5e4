"""Which release of roamgate runs."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final


def _release() -> str:
    try:
        return version("roamgate")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "source"


RELEASE: Final = _release()
"""The version of the installed distribution; `source` where there is none."""
