"""CDRs: accepted once, told to the hub that authorised, corrected as it can take it, and missed aloud."""
