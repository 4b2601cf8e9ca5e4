"""Who may charge at an own station, what is known of drivers, and what was answered."""
