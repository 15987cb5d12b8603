"""Strict reading of a request's JSON: every wrong type or length is WeCom's 40058."""

from __future__ import annotations

from typing import Any

from bot.simulator.errors import ApiError

BAD = 40058  # 'invalid parameter': bad JSON, too long, empty although required


def byte_length(text: str) -> int:
    """WeCom counts most limits in UTF-8 bytes; a Chinese character has three."""
    return len(text.encode())


class Body:
    """A JSON object and its place in the request, for messages that say what is wrong."""

    def __init__(self, values: dict[str, Any], place: str = "") -> None:
        self.values = values
        self._place = place

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def path(self, name: str) -> str:
        """'template_card.main_title.title'."""
        return f"{self._place}.{name}" if self._place else name

    def text(
        self,
        name: str,
        *,
        required: bool = False,
        most_bytes: int | None = None,
        most_chars: int | None = None,
        code: int = BAD,
    ) -> str:
        """A string, '' when absent and not required."""
        value: str = self._typed(name, str, "")
        if required and not value:
            raise ApiError(code, f"{self.path(name)} is required")
        if most_bytes is not None and byte_length(value) > most_bytes:
            raise ApiError(code, f"{self.path(name)} exceeds {most_bytes} bytes")
        if most_chars is not None and len(value) > most_chars:
            raise ApiError(code, f"{self.path(name)} exceeds {most_chars} characters")
        return value

    def number(
        self,
        name: str,
        default: int | None = None,
        *,
        low: int = 0,
        high: int = 2**32 - 1,
        code: int = BAD,
    ) -> int:
        """A whole number within bounds. Without a default it is required."""
        value = self.values.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            raise ApiError(code, f"{self.path(name)} must be a number, Warning: wrong json format.")
        if not low <= value <= high:
            raise ApiError(code, f"{self.path(name)} must be between {low} and {high}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A JSON true or false."""
        return bool(self._typed(name, bool, default))

    def texts(self, name: str, *, least: int = 0, most: int = 10_000, code: int = BAD) -> list[str]:
        """A list of non-empty strings."""
        values = self._list(name, least, most, code)
        if not all(isinstance(value, str) and value for value in values):
            raise ApiError(BAD, f"{self.path(name)} must be a list of strings")
        return list(values)

    def numbers(self, name: str, *, most: int = 10_000) -> list[int]:
        """A list of whole numbers."""
        values = self._list(name, 0, most, BAD)
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            raise ApiError(BAD, f"{self.path(name)} must be a list of numbers")
        return list(values)

    def thing(self, name: str) -> Body | None:
        """An object, or None when absent."""
        value = self._typed(name, dict, None)
        return None if value is None else Body(value, self.path(name))

    def things(
        self, name: str, *, least: int = 0, most: int = 10_000, code: int = BAD
    ) -> list[Body]:
        """A list of objects."""
        values = self._list(name, least, most, code)
        if not all(isinstance(value, dict) for value in values):
            raise ApiError(BAD, f"{self.path(name)} must be a list of objects")
        return [Body(value, f"{self.path(name)}[{at}]") for at, value in enumerate(values)]

    def _list(self, name: str, least: int, most: int, code: int) -> list[Any]:
        values: list[Any] = self._typed(name, list, [])
        if not least <= len(values) <= most:
            raise ApiError(code, f"{self.path(name)} must have {least} to {most} items")
        return values

    def _typed(self, name: str, kind: type, default: Any) -> Any:
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, kind):
            raise ApiError(
                BAD, f"{self.path(name)} has the wrong type, Warning: wrong json format."
            )
        return value
