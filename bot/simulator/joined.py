"""Several sequences one after the other, without copying any: what is paged is only cut from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class Joined(Sequence[T]):
    """The parts in their order. A slice looks only at the parts it lies in."""

    def __init__(self, parts: Sequence[Sequence[T]]) -> None:
        self._parts = parts
        self._length = sum(map(len, parts))

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            start, stop, step = index.indices(self._length)
            return [*self._between(start, stop)][::step] if step > 0 else [*self][index]
        (found,) = self._between(range(self._length)[index], range(self._length)[index] + 1)
        return found

    def _between(self, start: int, stop: int) -> Iterator[T]:
        for part in self._parts:
            length = len(part)
            if start < length and stop > 0:
                yield from part[max(start, 0) : max(stop, 0)]
            start, stop = start - length, stop - length
