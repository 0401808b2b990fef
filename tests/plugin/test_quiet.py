# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A suite reads records and opens nothing: proven by trying."""

import pytest
from tests.plugin.conftest import PASS, Bench

from wavegate.plugin.quiet import NotQuietError, watching
from wavegate.verdict import Verdict

ONE = ("acme-prod1", "greeting")
LOUD = {
    "socket": "import socket; socket.socket()",
    "name": "import socket; socket.getaddrinfo('localhost', 1)",
    "process": "import subprocess, sys; subprocess.run([sys.executable, '-c', ''])",
    "system": "import os; os.system('true')",
}


@pytest.mark.parametrize("way", LOUD)
def test_suite_that_opens_something_cannot_tell(bench: Bench, way: str) -> None:
    """Whatever it judged."""
    bench.desk.plan("greeting")
    bench.suite("greeting", f"judge({PASS})\n{LOUD[way]}")
    assert bench.run().ret == 1
    assert bench.cells[ONE].judgement.missing[0].rule == "suite-not-quiet"


def test_catching_the_error_does_not_help(bench: Bench) -> None:
    """What was tried is known."""
    bench.desk.plan("greeting")
    body = f"try:\n    import socket; socket.socket()\nexcept Exception:\n    pass\njudge({PASS})"
    bench.suite("greeting", body)
    bench.run()
    assert bench.cells[ONE].judgement.verdict is Verdict.INCONCLUSIVE


def test_nothing_is_refused_outside_of_a_body() -> None:
    """Our own tests, other plugins and xdist keep their sockets."""
    import socket

    with watching() as heard, pytest.raises(NotQuietError):
        socket.socket()
    assert heard
    socket.socket().close()
