"""Lets ``python -m sopor`` be the `sopor` command."""

from sopor.cli import main

main()
