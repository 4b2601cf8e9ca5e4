"""The French national records: static (schema IRVE statique 2.3) and dynamic (schema IRVE dynamique 2.3), in only."""
