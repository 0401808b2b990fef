# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What several tests of the estate share: the example of the repo, and the model's keys."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from wavegate.estate import model, policy
from wavegate.estate.load import load
from wavegate.estate.model import Estate

FULL = Path(__file__).parents[2] / "fixtures" / "estates" / "full.yaml"


@pytest.fixture(scope="session")
def full() -> Estate:
    """The estate that uses every key."""
    return load(FULL).estate


@pytest.fixture(scope="session")
def estate_keys() -> Callable[[], set[str]]:
    """Every key of every model, as it is written in a file."""
    kinds = [kind for room in (model, policy) for kind in vars(room).values()]
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return lambda: {
        field.alias or name for kind in models for name, field in kind.model_fields.items()
    }
