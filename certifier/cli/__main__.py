"""``python -m certifier.cli``."""

from certifier.cli.main import main

main()
