"""The gateway: the store, the outbox, the services and the HTTP faces over the adapters."""
