"""Runs a hub's contract suite once for each operation that the hub declares."""

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "operation" in metafunc.fixturenames and hasattr(metafunc.cls, "operations"):
        metafunc.parametrize("operation", metafunc.cls.operations)
