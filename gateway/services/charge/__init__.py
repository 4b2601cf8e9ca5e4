"""What taps, commands, sessions and CDRs share: drivers, places, checks, and what each connection is told."""
