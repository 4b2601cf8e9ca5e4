"""The words of Hubject's NGP API. States of offers and subscriptions are plain texts: the OpenAPI lists one of each."""

from enum import StrEnum


class ComponentType(StrEnum):
    """What a pricing component charges for."""

    CHARGING_ENERGY = "CHARGING_ENERGY"
    CHARGING_TIME = "CHARGING_TIME"
    PARKING = "PARKING"
    SESSION = "SESSION"
    BLOCKING_FEE = "BLOCKING_FEE"


class ReferenceUnit(StrEnum):
    """What a cost is for; the asciidoc has no HOUR, the OpenAPI has."""

    MINUTE = "MINUTE"
    HOUR = "HOUR"
    KILOWATT_HOUR = "KILOWATT_HOUR"
    NONE = "NONE"


class FeeInitiated(StrEnum):
    """From when a fee counts; told by what is read, and no part of what is sent."""

    SESSION_START = "SESSION_START"
    CHARGING_END = "CHARGING_END"


class Weekday(StrEnum):
    """Days of a time plan."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class ServiceType(StrEnum):
    """What an offer is for, by its name."""

    AUTHORIZATION = "Authorization"
    RESERVATION = "Reservation"


class MasterData(StrEnum):
    """What an EMP has to state when it asks for an offer that needs approval (TwoStepRequiredMasterDataFields)."""

    TAX_ID = "taxId"
    BRAND_NAME = "brandName"
    BILLING_CONTACT_EMAIL = "billingContactEmail"
    BILLING_CONTACT_PHONE = "billingContactPhone"
    BILLING_CONTACT_FIRST_NAME = "billingContactFirstName"
    BILLING_CONTACT_LAST_NAME = "billingContactLastName"
    BILLING_ADDRESS_CITY = "billingAddressCity"
    BILLING_ADDRESS_COUNTRY = "billingAddressCountry"
    BILLING_ADDRESS_POSTAL_CODE = "billingAddressPostalCode"
    BILLING_ADDRESS_STREET = "billingAddressStreet"
