"""What the gateway does for the backend, the hubs and the command line, without a word of any wire."""
