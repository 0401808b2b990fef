# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Makes a bundle that is then read for ever: `python -m tests.builders.old_bundle FOLDER`.

Two made-up customers in one wave, a few promises, no PDF so that it stays small; captures and seal
stamped by an authority of openssl. The folder gets `bundle`, `signer.pub`, `tsa-root.pem` and
`says.json`; the private keys go with the temporary folder that they were made in.
"""

import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

from tests.builders.estates import END, START
from tests.builders.pair import OTHER, SECRETS, both, capture, gating, mail
from tests.builders.stores import HOUR, Desk
from tests.builders.tiny_tsa import Tsa
from tests.builders.worlds import UNIT

from wavegate.cli.entry import run
from wavegate.estate.model import Estate
from wavegate.estate.policy import Policy
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.stamp_shelf import token_name
from wavegate.evidence.verdicts import parse
from wavegate.report import pdf


def main(folder: Path) -> int:
    """Make it. Exits 1 where something is in the way or the gate did not end as it should."""
    folder.mkdir(parents=True)
    for name, secret in SECRETS.items():
        os.environ[f"{name.upper()}_SECRET"] = secret
    with tempfile.TemporaryDirectory() as work:
        tsa = Tsa.make(Path(work, "tsa"))
        with tsa.serve() as server:
            policy = Policy(throughput_unit=UNIT, timestamps="required", tsa=(server.url,))
            desk = _desk(Path(work, "desk"), both(policy=policy))
            _stamp(desk, tsa)
            command = gating(desk, folder / "bundle")
            with mock.patch.object(pdf, "available", return_value=False):
                code = run([*command, "--tsa-root", str(tsa.root), "--language", "en"])
        (folder / "signer.pub").write_bytes((desk.folder / "home/keys/default.pub").read_bytes())
        (folder / "tsa-root.pem").write_bytes(tsa.root.read_bytes())
    (folder / "says.json").write_text(json.dumps(_says(folder), indent=2, sort_keys=True) + "\n")
    return code


def _desk(folder: Path, estate: Estate) -> Desk:
    """A store with a plan, two captures of each instance, and mails of one."""
    desk = Desk(folder, estate)
    desk.plan("scope", "schedule", "spf", "reverse_dns", "dmarc", "sound_evidence")
    desk.hear([mail("before"), mail("after")], START - 24 * HOUR, END + 80 * HOUR)
    for name in ("acme-prod1", OTHER):
        desk.capture(*(capture(name, phase) for phase in ("before", "after")))
    return desk


def _stamp(desk: Desk, tsa: Tsa) -> None:
    """Put a token beside every capture, on its side of the window."""
    for place in desk.store.names(f"signed/{desk.wave}/"):
        at = START - HOUR / 2 if place.endswith("000001.dsse.json") else END + 2 * HOUR
        token = tsa.stamp_at(read_unverified(desk.store.read(place)), at)
        desk.store.create(token_name(place, 1), token)


def _says(folder: Path) -> dict[str, object]:
    """What the bundle says in short, and what its customers know."""
    verdicts = parse((folder / "bundle/verdicts.json").read_bytes())
    return {
        "run": verdicts.run,
        "wave": verdicts.wave,
        "decision": str(verdicts.decision),
        "cells": dict(Counter(str(cell.verdict) for cell in verdicts.cells)),
        "causes": len(verdicts.causes),
        "secrets": SECRETS,
    }


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
