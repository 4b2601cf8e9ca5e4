"""Who sees what of networks by agreement, and keeping those who see in step with it."""
