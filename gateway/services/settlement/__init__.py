"""Settlement reports: reading what is settled, and who is billed."""
