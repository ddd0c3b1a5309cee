"""The command line: `python -m core --help`."""

from core.commands import main

main()
