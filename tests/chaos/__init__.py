"""A storm over three nodes: `python -m tests.chaos`, or `make chaos`.

People work while nodes are killed, Redis dies, connections to PostgreSQL are cut and WeCom answers
in every wrong way it knows. Afterwards a checker that imports nothing of the program says whether
anything was lost or happened twice.
"""
