"""The commands of `menwei`, a module for each subject; `bot.cli` puts them together."""
