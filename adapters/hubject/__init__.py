"""Hubject, by OICP 2.3: a CPO's EVSE data and EVSE statuses."""

from adapters.core.hub import Hub
from adapters.hubject.adapter import make_adapter
from adapters.hubject.settings import Settings

HUB = Hub(name="hubject", settings=Settings, adapter=make_adapter)
"""What the gateway's composition root takes."""
