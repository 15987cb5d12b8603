"""Lets `python -m bot` do what the console script `menwei` does."""

from bot.cli import main

if __name__ == "__main__":
    main()
