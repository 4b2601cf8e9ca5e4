"""Offers by Hubject's NGP API, a CPO's part: told step by step, and read back; the EMP's is `provider.contracts`."""
