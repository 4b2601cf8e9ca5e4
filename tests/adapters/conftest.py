"""Runs a hub's contract suites once for each operation, feed or command that the hub declares."""

import pytest

_DECLARED = {"operation": "operations", "feed": "feeds", "kind": "commands"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, declared in _DECLARED.items():
        if name in metafunc.fixturenames and hasattr(metafunc.cls, declared):
            metafunc.parametrize(name, getattr(metafunc.cls, declared))
