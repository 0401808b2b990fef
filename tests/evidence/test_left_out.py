# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""An extract that is not the sealed one tells which instances it lacks, if it can be seen."""

import base64
import json
from pathlib import Path

import pytest

from wavegate.evidence.left_out import left_out
from wavegate.evidence.tree import open_tree


def write(folder: Path, planned: object, judged: object) -> None:
    """A folder with a plan and verdicts of some instances."""
    payload = json.dumps({"predicate": {"cells": planned}}).encode()
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"keyid": "", "sig": ""}],
    }
    (folder / "plan.dsse.json").write_text(json.dumps(envelope))
    (folder / "verdicts.json").write_text(json.dumps({"cells": judged}))


def cells(*names: str) -> list[dict[str, str]]:
    """A cell of each instance."""
    return [{"instance": name} for name in names]


@pytest.mark.parametrize(
    ("planned", "judged", "gone"),
    [
        (cells("acme-mkt1", "acme-prod1"), cells("acme-prod1"), ("acme-mkt1",)),
        (cells("acme-prod1"), cells("acme-prod1"), ()),
        (cells("acme-prod1"), "nonsense", ("acme-prod1",)),
        ("nonsense", cells("acme-prod1"), ()),
        ([{"instance": 7}, 8], [], ()),
    ],
)
def test_what_is_missing(
    tmp_path: Path, planned: object, judged: object, gone: tuple[str, ...]
) -> None:
    """What the plan has and the verdicts have not."""
    write(tmp_path, planned, judged)
    with open_tree(tmp_path) as tree:
        assert gone == left_out(tree)


def test_what_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    """A hint is never an error of its own."""
    write(tmp_path, cells("acme-mkt1"), [])
    (tmp_path / "plan.dsse.json").write_text("{")
    with open_tree(tmp_path) as tree:
        assert () == left_out(tree)
    (tmp_path / "plan.dsse.json").unlink()
    with open_tree(tmp_path) as tree:
        assert () == left_out(tree)
