# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The store interface: immutable objects under their digest, and names written once.

Implementations: `local_store` (a folder), `object_store` (S3). A bundle's `records/` is a folder
of the same format.
"""

from typing import BinaryIO, Protocol


class Store(Protocol):
    """Where records live. Everything is written once; nothing is ever changed or deleted."""

    @property
    def place(self) -> str:
        """The path or URL, for messages."""

    def put(self, data: bytes) -> str:
        """Store bytes under their SHA-256 and return it; durable on return; idempotent.

        Raises InternalError (disk full, read-only).
        """

    def get(self, digest: str) -> bytes:
        """The bytes of a digest, hashed again on reading.

        Raises MissingError (no such object) or DamagedError (bytes do not match).
        """

    def create(self, name: str, data: bytes) -> None:
        """Write a name exclusively, durably and atomically.

        Raises FileExistsError if the name is taken, InternalError (disk full, read-only).
        """

    def read(self, name: str) -> bytes:
        """The bytes of a name. Raises MissingError."""

    def names(self, prefix: str) -> tuple[str, ...]:
        """All names under a folder prefix such as `signed/`, sorted."""

    def stream(self, name: str) -> BinaryIO:
        """The bytes of a name as a stream, for journals; the caller closes it.

        Raises MissingError.
        """
