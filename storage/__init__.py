"""Remembers: the only package that speaks SQL and Redis.

SQL holds what is true, Redis what may be lost.
"""
