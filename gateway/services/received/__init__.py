"""Sessions and CDRs of our drivers that come home from partners."""
