"""Stories of the working copy, on real folders."""
