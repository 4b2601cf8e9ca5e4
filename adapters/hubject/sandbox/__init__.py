"""A Hubject of our own, on loopback: `application` makes it, `certificates` the TLS that it wants, `run` starts it."""

from adapters.hubject.sandbox.application import HubjectSandbox, Partner, application
from adapters.hubject.sandbox.certificates import Certificates, write_certificates
from adapters.hubject.sandbox.run import Running, run

__all__ = ["Certificates", "HubjectSandbox", "Partner", "Running", "application", "run", "write_certificates"]
