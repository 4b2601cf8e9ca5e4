"""Partners' stations, as hubs tell of them: copies, entries with their ways, search and the feed of changes."""
