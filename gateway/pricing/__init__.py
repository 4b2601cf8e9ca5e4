"""What a charge costs: the tariff engine, and what is built upon it. Pure: no I/O, no clock, no asyncio, no logging."""
