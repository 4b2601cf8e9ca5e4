"""What the operator's settings add where a source lacks what OCPI demands of a connector."""

from collections.abc import Mapping

from mappings.canonical.base import Model
from mappings.canonical.locations import ConnectorFormat, ConnectorStandard, PowerType


class ConnectorDefault(Model):
    """Values for connectors of one standard; a value that is None is not defaulted.

    Attributes:
        max_voltage: Volt.
        max_amperage: Ampere.
    """

    format: ConnectorFormat | None = None
    power_type: PowerType | None = None
    max_voltage: int | None = None
    max_amperage: int | None = None


class ConnectorDefaults(Model):
    """The operator's values by standard, and those for standards that it does not name."""

    by_standard: Mapping[ConnectorStandard, ConnectorDefault] = {}
    otherwise: ConnectorDefault = ConnectorDefault()

    def of(self, standard: ConnectorStandard) -> ConnectorDefault:
        """Gives the values for a standard."""
        return self.by_standard.get(standard, self.otherwise)


NO_DEFAULTS = ConnectorDefaults()
