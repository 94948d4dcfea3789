"""What holds on Google Cloud beyond the contracts: costs, bad weather, limits, whole processes."""
