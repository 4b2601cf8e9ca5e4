"""A Hubject of our own, on loopback: `application` makes it, `certificates` the TLS that it wants, `run` starts it."""

from adapters.hubject.sandbox.application import application
from adapters.hubject.sandbox.certificates import Certificates, Pair, write_certificates
from adapters.hubject.sandbox.drivers import Driver, Says
from adapters.hubject.sandbox.ngp.rules_offers import OfferRules
from adapters.hubject.sandbox.partners import Contract, Partner, Provider, Service
from adapters.hubject.sandbox.run import Running, run
from adapters.hubject.sandbox.state import HubjectSandbox

__all__ = [
    "Certificates",
    "Contract",
    "Driver",
    "HubjectSandbox",
    "OfferRules",
    "Pair",
    "Partner",
    "Provider",
    "Running",
    "Says",
    "Service",
    "application",
    "run",
    "write_certificates",
]
