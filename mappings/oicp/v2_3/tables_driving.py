"""What becomes of the fields of an EMSP's side, and of prices, in OICP 2.3; `tables` holds it with the rest."""

from typing import Any

from mappings.canonical.sessions import SessionNews
from mappings.canonical.tariffs import (
    ClockSpan,
    EvsePrices,
    Money,
    PriceComponent,
    PriceRounding,
    Tariff,
    TariffElement,
    TariffHours,
    TariffRestrictions,
    Tax,
)
from mappings.canonical.tokens import EnergyContract, Token
from mappings.oicp.v2_3.enums_pricing import CONDITIONS, REFERENCE_UNITS
from mappings.tables import EnumTable, FieldRule, FieldTable

_NOT_TOLD = "OICP does not tell it"
_NO_PLACE = "OICP has no place for it"

_APPROXIMATED = "refused, unless the operator lets the dearest price be said for all of them"
_LEFT_OUT = "refused, unless the operator lets it be left out"

PRODUCTS = FieldTable(
    "OICP 2.3 PricingProductData and EVSEPricing",
    (
        *(Tariff, TariffElement, TariffRestrictions, TariffHours, ClockSpan, PriceComponent, PriceRounding, Money, Tax),
        EvsePrices,
    ),
    (
        FieldRule("Tariff.party", "OperatorID", "of the message"),
        FieldRule("Tariff.id", "ProductID", "read: refused above 36 characters, since one cut short may be another's"),
        FieldRule("Tariff.target", "ProviderID", "`*` is for all"),
        FieldRule("Tariff.currency", "ProductPriceCurrency", "read: refused where it is no currency"),
        FieldRule("Tariff.type", "", "", "REGULAR is not said; the others are refused"),
        FieldRule("Tariff.texts", "", "", _NO_PLACE),
        FieldRule("Tariff.url", "", "", _NO_PLACE),
        FieldRule("Tariff.min_price", "AdditionalReferences", "the MINIMUM FEE, without VAT", "VAT"),
        FieldRule("Tariff.max_price", "AdditionalReferences", "the MAXIMUM FEE, without VAT", "VAT"),
        FieldRule(
            "Tariff.elements",
            "IsValid24hours, ProductAvailabilityTimes",
            "read: one for each span of time, all with the same prices; refused where it is not said when the product "
            "holds",
            "how prices are told apart in elements; several prices: " + _APPROXIMATED,
        ),
        FieldRule("Tariff.hours", "", "", "refused"),
        FieldRule("Tariff.start", "", "", "a product holds as long as an EVSE names it"),
        FieldRule("Tariff.end", "", "", "a product holds as long as an EVSE names it"),
        FieldRule("Tariff.energy_mix", "", "", _NO_PLACE),
        FieldRule("Tariff.last_updated", "", "read: its arrival", _NOT_TOLD),
        FieldRule(
            "Tariff.unknown",
            "MaximumProductChargingPower, PricingDefaultPrice, PricingDefaultPriceCurrency, "
            "PricingDefaultReferenceUnit",
            "read: what the product is meant for, what charging costs at EVSEs without a product, and fields that OICP "
            "2.3 does not have",
            "the defaults are the operator's settings",
        ),
        FieldRule(
            "TariffElement.price_components",
            "ReferenceUnit, PricePerReferenceUnit, AdditionalReferences",
            "read: refused where a fee is not OICP's, comes twice, or is a FIXED FEE beside a price; one base price: "
            "ENERGY beside TIME or SESSION_TIME is refused",
            "prices of zero beside another base price",
        ),
        FieldRule(
            "TariffElement.restrictions", "ProductAvailabilityTimes", "", "what makes several prices: " + _APPROXIMATED
        ),
        FieldRule(
            "TariffRestrictions.start_time",
            "Periods.begin",
            "none for a whole day; read: past midnight on some days only is two spans",
            "which of several spans it begins, where they meet or overlap",
        ),
        FieldRule("TariffRestrictions.end_time", "Periods.end", "24:00 ends a day", "as start_time"),
        FieldRule("TariffRestrictions.day_of_week", "on", "none for every day", "as start_time"),
        FieldRule(
            "TariffRestrictions.max_power",
            "MaximumProductChargingPower",
            "kW; what all elements have alike, else the operator's default",
            "read as unknown, since it is what the product is meant for; where elements differ: " + _APPROXIMATED,
        ),
        FieldRule("TariffRestrictions.reservation", "", "", "the element: " + _LEFT_OUT),
        *(FieldRule(f"TariffRestrictions.{name}", "", "", _APPROXIMATED) for name in CONDITIONS if name != "max_power"),
        FieldRule("TariffHours.spans", "", "", "refused"),
        FieldRule("TariffHours.days", "", "", "refused"),
        FieldRule("ClockSpan.start", "", "", "refused"),
        FieldRule("ClockSpan.end", "", "", "refused"),
        FieldRule(
            "PriceComponent.type",
            "ReferenceUnit, AdditionalReference",
            "FLAT is a START FEE, a FIXED FEE where there is no other price; PARKING_TIME is the PARKING FEE, and when "
            "parking counts is in the offer",
            "SESSION_TIME is said as TIME and PARKING_TIME",
        ),
        FieldRule(
            "PriceComponent.price",
            "PricePerReferenceUnit, PricePerAdditionalReferenceUnit",
            "per hour, or per minute where whole ones are billed; read: START FEE and FIXED FEE are added up",
            "digits from the sixteenth on",
        ),
        FieldRule("PriceComponent.vat", "", "", "OICP's prices are without VAT"),
        FieldRule(
            "PriceComponent.step_size",
            "",
            "read: 1, since OICP tells no steps",
            _LEFT_OUT + "; above an hour or a kWh: refused",
        ),
        FieldRule("PriceComponent.price_rounding", "", "", _LEFT_OUT),
        FieldRule("PriceComponent.step_rounding", "", "", "as the step"),
        FieldRule("PriceComponent.exact", "", "", _NO_PLACE),
        FieldRule("PriceComponent.unknown", "", "", _LEFT_OUT),
        FieldRule("PriceRounding.places", "", "", _LEFT_OUT),
        FieldRule("PriceRounding.rule", "", "", _LEFT_OUT),
        FieldRule("Money.net", "PricePerAdditionalReferenceUnit", "", "digits from the sixteenth on"),
        FieldRule("Money.taxes", "", "", "OICP's prices are without VAT"),
        FieldRule("Tax.name", "", "", "OICP's prices are without VAT"),
        FieldRule("Tax.percentage", "", "", "OICP's prices are without VAT"),
        FieldRule("Tax.amount", "", "", "OICP's prices are without VAT"),
        FieldRule(
            "EvsePrices.party", "OperatorID", "whose products they are; of a sub-operator's EVSE the hub operator"
        ),
        FieldRule("EvsePrices.evse_id", "EvseID", "mandatory, ISO or DIN"),
        FieldRule("EvsePrices.tariff_ids", "EvseIDProductList", "at least one; read: refused above 36 characters"),
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
