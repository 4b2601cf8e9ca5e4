"""What hubs are told of offers, what they hold instead, and where the two disagree."""
