"""OICP, the language of Hubject: what its versions share; `v2_3` holds the messages of OICP 2.3."""
