"""Laws on generated input."""
