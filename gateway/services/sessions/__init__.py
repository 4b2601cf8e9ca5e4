"""Sessions: taken from the backend, put to whoever admitted their drivers, told and pulled."""
