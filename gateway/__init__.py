"""The gateway itself: the API to the backend, the services behind it, the outbox, the store and the command line."""
