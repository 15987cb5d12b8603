"""What Menwei does. Every door (webhook, clock, command line) ends in one of these actions.

An action runs inside one transaction: it reads, asks `workflows` what follows, and writes the new
state, its audit record and the messages to send, all together. It sends nothing itself.
"""
