"""`price` and `tariff explain`: what a tariff asks for, without a gateway and without a database."""
