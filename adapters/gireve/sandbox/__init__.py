"""An IOP of our own, on loopback: `application` says what it can be asked and makes it."""

from adapters.gireve.sandbox.application import SandboxSettings, create

__all__ = ["SandboxSettings", "create"]
