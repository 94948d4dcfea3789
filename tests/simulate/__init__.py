"""Random commands of three devices behind a bad network, and a model to compare with."""
