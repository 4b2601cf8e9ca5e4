"""Commands from hubs: taken up once, carried to the backend, answered in time."""
