# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema of the estate file: `python -m wavegate.estate.schema` prints it."""

import json
import sys

from wavegate.estate.model import Estate

ID = "https://wavegate.dev/schema/estate.schema.json"


def json_schema() -> dict[str, object]:
    """The schema (2020-12) that editors and CI use; loading checks more than it can say."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        **Estate.model_json_schema(by_alias=True, mode="validation"),
    }


def text() -> str:
    """The schema as the checked-in file holds it."""
    return json.dumps(json_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
