# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""An S3 service on a free port of this machine, by moto, with buckets to put stores into."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

REGION = "us-east-1"
HOST = "127.0.0.1"


@dataclass
class TinyS3:
    """A running service, and the environment that finds it."""

    endpoint: str

    @cached_property
    def client(self) -> "boto3.client":
        """A client that goes past Wavegate, as anybody with rights on the bucket can."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )

    def bucket(self, **more: object) -> str:
        """A new bucket."""
        name = f"bucket-{secrets.token_hex(6)}"
        self.client.create_bucket(Bucket=name, **more)
        return name

    def lead(self, patch: pytest.MonkeyPatch) -> None:
        """Let the environment name it, and nothing of this machine's own."""
        patch.setenv("AWS_ENDPOINT_URL", self.endpoint)
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_ACCESS_KEY_ID", "any")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", str(Path("/nonexistent")))


@contextmanager
def tiny_s3() -> Iterator[TinyS3]:
    """The service, until the end of the block."""
    server = ThreadedMotoServer(ip_address=HOST, port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        yield TinyS3(endpoint=f"http://{HOST}:{port}")
    finally:
        server.stop()
