"""What becomes of the canonical fields of an EMSP's side in OICP 2.3; `tables` holds it with the rest."""

from typing import Any

from mappings.canonical.sessions import SessionNews
from mappings.canonical.tariffs import EvsePrices, Money, PriceComponent, Tariff, TariffElement, TariffRestrictions, Tax
from mappings.canonical.tokens import EnergyContract, Token
from mappings.oicp.v2_3.enums_pricing import REFERENCE_UNITS
from mappings.tables import EnumTable, FieldRule, FieldTable

_NOT_TOLD = "OICP does not tell it"
_NO_PLACE = "OICP has no place for it"

PRODUCTS = FieldTable(
    "OICP 2.3 PricingProductData and EVSEPricing, which are only read",
    (Tariff, TariffElement, TariffRestrictions, PriceComponent, Money, Tax, EvsePrices),
    (
        FieldRule("Tariff.party", "OperatorID"),
        FieldRule("Tariff.id", "ProductID", "refused above 36 characters, since one cut short may be another's"),
        FieldRule("Tariff.target", "ProviderID", "`*` is for all"),
        FieldRule("Tariff.currency", "ProductPriceCurrency", "refused where it is no currency"),
        FieldRule("Tariff.type", "", _NOT_TOLD),
        FieldRule("Tariff.texts", "", _NOT_TOLD),
        FieldRule("Tariff.url", "", _NOT_TOLD),
        FieldRule("Tariff.min_price", "AdditionalReferences", "the MINIMUM FEE, without VAT"),
        FieldRule("Tariff.max_price", "AdditionalReferences", "the MAXIMUM FEE, without VAT"),
        FieldRule(
            "Tariff.elements",
            "IsValid24hours, ProductAvailabilityTimes",
            "one for each span of time, all with the same prices; refused where it is not said when the product holds",
        ),
        FieldRule("Tariff.start", "", _NOT_TOLD),
        FieldRule("Tariff.end", "", _NOT_TOLD),
        FieldRule("Tariff.energy_mix", "", _NOT_TOLD),
        FieldRule("Tariff.last_updated", "", "its arrival, since OICP does not tell it"),
        FieldRule(
            "Tariff.unknown",
            "PricingDefaultPrice, PricingDefaultPriceCurrency, PricingDefaultReferenceUnit",
            "what charging costs at EVSEs without a product, and fields that OICP 2.3 does not have",
        ),
        FieldRule(
            "TariffElement.price_components",
            "ReferenceUnit, PricePerReferenceUnit, AdditionalReferences",
            "refused where a fee is not OICP's, comes twice, or is a FIXED FEE beside a price",
        ),
        FieldRule("TariffElement.restrictions", "ProductAvailabilityTimes, MaximumProductChargingPower"),
        FieldRule(
            "TariffRestrictions.start_time",
            "Periods.begin",
            "past midnight on some days only is read as two spans; none for a whole day",
        ),
        FieldRule("TariffRestrictions.end_time", "Periods.end", "00:00 ends a day"),
        FieldRule("TariffRestrictions.day_of_week", "on", "none for every day"),
        FieldRule("TariffRestrictions.max_power", "MaximumProductChargingPower", "kW; none where it is no power"),
        *(
            FieldRule(f"TariffRestrictions.{name}", "", _NOT_TOLD)
            for name in (
                *("start_date", "end_date", "min_kwh", "max_kwh", "min_current", "max_current", "min_power"),
                *("min_duration", "max_duration", "reservation", "unknown"),
            )
        ),
        FieldRule(
            "PriceComponent.type",
            "ReferenceUnit, AdditionalReference",
            "START FEE and FIXED FEE are FLAT, PARKING FEE is PARKING_TIME; when parking counts is in the offer",
        ),
        FieldRule(
            "PriceComponent.price",
            "PricePerReferenceUnit, PricePerAdditionalReferenceUnit",
            "per minute is read per hour; START FEE and FIXED FEE are added up",
        ),
        FieldRule("PriceComponent.vat", "", "OICP's prices are without VAT"),
        FieldRule("PriceComponent.step_size", "", "1, since OICP tells no steps"),
        FieldRule("PriceComponent.unknown", "", _NOT_TOLD),
        FieldRule("Money.net", "PricePerAdditionalReferenceUnit"),
        FieldRule("Money.taxes", "", "OICP's prices are without VAT"),
        FieldRule("Tax.name", "", _NOT_TOLD),
        FieldRule("Tax.percentage", "", _NOT_TOLD),
        FieldRule("Tax.amount", "", _NOT_TOLD),
        FieldRule(
            "EvsePrices.party", "OperatorID", "whose products they are; of a sub-operator's EVSE the hub operator"
        ),
        FieldRule("EvsePrices.evse_id", "EvseID"),
        FieldRule("EvsePrices.tariff_ids", "EvseIDProductList", "refused where one is above 36 characters"),
        FieldRule("EvsePrices.target", "ProviderID", "`*` is for all; prices for one EMP go before those for all"),
    ),
)

AUTHENTICATION = FieldTable(
    "OICP 2.3 AuthenticationDataRecord, which is only written",
    (Token, EnergyContract),
    (
        FieldRule("Token.party", "ProviderID", "of the message: the connection's", "where the token's is another"),
        FieldRule(
            "Token.uid",
            "UID",
            "mandatory with a card: 8, 14 or 20 hexadecimal digits, capitals",
            "case and separators; of anything but a card",
        ),
        FieldRule(
            "Token.type",
            "RFIDMifareFamilyIdentification, RFIDIdentification, QRCodeIdentification, PlugAndChargeIdentification, "
            "RemoteIdentification",
            "RFIDIdentification where the card's technology is known; a QR code needs its PIN or a hash of it",
            "AD_HOC_USER and OTHER are refused",
        ),
        FieldRule(
            "Token.contract_id",
            "EvcoID",
            "mandatory with all but a card: ISO or DIN, capitals, with its check digit",
            "of a card whose technology is not known",
        ),
        FieldRule(
            "Token.visual_number",
            "PrintedNumber",
            "of an RFIDIdentification",
            "of anything else; cut to 150 characters",
        ),
        FieldRule("Token.issuer", "", "", _NO_PLACE),
        FieldRule("Token.group_id", "", "", _NO_PLACE),
        FieldRule("Token.valid", "ActionType", "a token that is not is deleted"),
        FieldRule(
            "Token.whitelist", "ActionType", "ALLOWED_OFFLINE and NEVER are deleted, since Hubject would not ask", ""
        ),
        FieldRule("Token.language", "", "", _NO_PLACE),
        FieldRule("Token.default_profile", "", "", _NO_PLACE),
        FieldRule("Token.energy_contract", "", "", _NO_PLACE),
        FieldRule("Token.last_updated", "", "", _NO_PLACE),
        FieldRule("Token.unknown", "", "", _NO_PLACE),
        FieldRule("EnergyContract.supplier_name", "", "", _NO_PLACE),
        FieldRule("EnergyContract.contract_id", "", "", _NO_PLACE),
    ),
)

NEWS = FieldTable(
    "OICP 2.3 eRoamingChargingNotification, as an EMP reads it",
    (SessionNews,),
    (
        FieldRule("SessionNews.cpo", "EvseID", "its operator, as in the CDR"),
        FieldRule(
            "SessionNews.leg",
            "SessionID, CPOPartnerSessionID, EMPPartnerSessionID, Identification, PartnerProductID",
            "a driver who is not told is OTHER, without a number or contract",
        ),
        FieldRule("SessionNews.evse_id", "EvseID"),
        FieldRule("SessionNews.status", "Type", "COMPLETED from SessionEnd on, else ACTIVE; none of an Error"),
        FieldRule(
            "SessionNews.at",
            "ChargingStart, EventOccurred, ChargingDuration, ChargingEnd",
            "of a Start, of a Progress (where it is missing the duration's end), of an End (or SessionEnd, where it is "
            "later); an Error's arrival",
        ),
        FieldRule("SessionNews.start", "SessionStart"),
        FieldRule("SessionNews.end", "SessionEnd"),
        FieldRule("SessionNews.charging_start", "ChargingStart"),
        FieldRule("SessionNews.charging_end", "ChargingEnd"),
        FieldRule(
            "SessionNews.energy",
            "ConsumedEnergyProgress, ConsumedEnergy",
            "of an End without it the difference of the readings; refused where negative",
        ),
        FieldRule("SessionNews.metering", "MeterValueStart, MeterValueEnd, MeterValueInBetween"),
        FieldRule("SessionNews.penalty_start", "PenaltyTimeStart"),
        FieldRule("SessionNews.error", "ErrorType, ErrorAdditionalInfo", "of an Error; refused where OICP has no such"),
    ),
)

FIELDS: list[FieldTable] = [PRODUCTS, AUTHENTICATION, NEWS]

ENUMS: list[tuple[str, EnumTable[Any, Any]]] = [("ReferenceUnit", REFERENCE_UNITS)]
