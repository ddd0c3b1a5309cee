"""The command line: `vitrine --help`."""

from core.commands.app import main

main()
