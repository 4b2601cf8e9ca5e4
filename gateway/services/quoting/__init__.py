"""What a charge will cost: every way to an EVSE with its tariff, or one tariff, priced for what a driver needs."""
