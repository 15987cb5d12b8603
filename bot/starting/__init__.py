"""Makes a first config file out of a dozen answers: `questions` reads them, `writing` writes it.

Nothing here asks, prints or touches a disk; `bot.console.beginning` does.
"""
