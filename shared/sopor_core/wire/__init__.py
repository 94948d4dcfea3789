"""What crosses the network: parts, JSON bodies, routes and problem codes (SPEC section 10)."""
