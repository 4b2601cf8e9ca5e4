"""The faces over HTTP: the backend's API, the routes that hubs call, figures and health."""
