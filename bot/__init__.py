"""Talks: HTTP, WeCom, chat, clock and command line. Knows `storage` and `workflows`."""
