"""The two ways in which the pretend WeCom says no: to a program and to a person."""

from __future__ import annotations


class ApiError(Exception):
    """An API call is refused with one of WeCom's codes (doc 90313)."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(f"{errcode} {errmsg}")
        self.errcode = errcode
        self.errmsg = errmsg


class ImpossibleError(Exception):
    """Somebody tried on a phone what WeCom's client would not let them do."""
