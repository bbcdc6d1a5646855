"""Let ``python -m giftpad.cli`` be the command line."""

from giftpad.cli import main

main()
