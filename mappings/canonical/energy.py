"""Where the energy of a location or tariff comes from (OCPI 2.2.1, mod_locations, EnergyMix)."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from mappings.canonical.base import Model, Number, Unknown


class EnergySourceCategory(StrEnum):
    """OCPI's categories, then those that only OICP 2.3 distinguishes (EnergyType)."""

    NUCLEAR = "NUCLEAR"
    GENERAL_FOSSIL = "GENERAL_FOSSIL"
    COAL = "COAL"
    GAS = "GAS"
    GENERAL_GREEN = "GENERAL_GREEN"
    SOLAR = "SOLAR"
    WIND = "WIND"
    WATER = "WATER"
    GEOTHERMAL = "GEOTHERMAL"
    BIOMASS = "BIOMASS"
    PETROLEUM = "PETROLEUM"


class ImpactCategory(StrEnum):
    """What the production leaves behind."""

    NUCLEAR_WASTE = "NUCLEAR_WASTE"
    CARBON_DIOXIDE = "CARBON_DIOXIDE"


class EnergySource(Model):
    """One source and its share in per cent; None where the share is not given."""

    source: EnergySourceCategory
    percentage: Annotated[Number, Field(ge=0, le=100)] | None = None


class EnvironmentalImpact(Model):
    """One impact, in g/kWh."""

    category: ImpactCategory
    amount: Number


class EnergyMix(Model):
    """The mix; `is_green_energy` only where all of it is renewable."""

    is_green_energy: bool
    sources: tuple[EnergySource, ...] = ()
    impacts: tuple[EnvironmentalImpact, ...] = ()
    supplier_name: str | None = None
    product_name: str | None = None
    unknown: Unknown = {}
