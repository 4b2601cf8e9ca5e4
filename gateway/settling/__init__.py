"""Settlement: from settled CDRs to who owes whom. Pure: it knows canonical models and nothing else of the gateway."""
