"""The backend's API, one class a kind of resource: each names its operations and serves them."""
