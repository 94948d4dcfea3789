"""Makes the vectors by an independent reading of the specification: imports nothing of Sopor."""
