"""What every part of a log asks of its store: statements, and values as the store has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any


class StoreCalls(ABC):
    """The statements and values of a store, for the parts that a log is put together from."""

    @abstractmethod
    def _record(self, sql: str, params: dict[str, Any]) -> None:
        """Run a statement that adds rows."""

    @abstractmethod
    def _ask(self, sql: str, params: dict[str, Any]) -> list[Any]:
        """The rows of a query."""

    @abstractmethod
    def _to_stored(self, instant: datetime) -> Any: ...

    @abstractmethod
    def _from_stored(self, instant: Any) -> datetime: ...

    @abstractmethod
    def _to_array(self, values: Sequence[str]) -> Any: ...
