"""One module a command: arguments, one call into the library, rendering."""
