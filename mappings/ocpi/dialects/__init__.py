"""What peers say beyond, or short of, the OCPI that they name; each over the plain wire models."""
