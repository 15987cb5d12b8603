"""Decides: values and a time in, values out. No I/O, clock, randomness or logging, so that every
decision can be explained, tested, compared and repeated."""
