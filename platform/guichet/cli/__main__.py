"""`python -m guichet.cli`: the command, where its script is not on the path."""

from guichet.cli import main

main()
