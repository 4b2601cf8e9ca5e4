"""What every hub's adapter shares: the contract with the gateway, outcomes, and the one HTTP client."""
