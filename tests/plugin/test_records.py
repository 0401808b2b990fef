# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the fixtures give: sides, mail, case; missing snapshots, fixes, limits."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders.estates import estate, instance, wave
from tests.builders.mails import cohort
from tests.builders.snapshots import AFTER, snapshot
from tests.builders.stores import Desk
from tests.plugin.conftest import PASS, Bench

from wavegate.estate.model import Estate
from wavegate.verdict import Verdict

ONE = ("acme-prod1", "greeting")


def desk(pytester: pytest.Pytester, folder: Path, found: Estate | None = None) -> Bench:
    """A desk with one instance and no snapshot yet."""
    bench = Bench(pytester=pytester, desk=Desk(folder / "desk", found or estate()))
    bench.desk.plan("greeting")
    return bench


def test_missing_snapshot_cannot_be_told_and_names_the_command(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """The fixture says it, the suite need not."""
    bench = desk(pytester, tmp_path)
    bench.desk.capture(snapshot("before"))
    bench.suite(
        "greeting", f"before.snapshot\nafter.snapshot\njudge({PASS})", "before, after, judge"
    )
    assert bench.run().ret == 1
    missing = bench.cells[ONE].judgement.missing[0]
    assert missing.rule == "no-after"
    assert missing.command == "wavegate capture --wave 2024-01-w1 --phase after"


def test_records_are_loaded_once_per_instance(bench: Bench) -> None:
    """Two promises, two instances: two dossiers."""
    bench.desk.plan("greeting", "parting")
    body = (
        "import wavegate.evidence.shelf as shelf\n"
        "if not hasattr(shelf, 'counted'):\n"
        "    shelf.counted = []\n"
        "if not shelf.counted or shelf.counted[-1] is not case.dossier:\n"
        "    shelf.counted.append(case.dossier)\n"
        f"judge({PASS})"
    )
    bench.suite("greeting", body, "case, judge")
    bench.suite("parting", body, "case, judge")
    bench.run().assert_outcomes(passed=4)
    from wavegate.evidence import shelf

    counted = shelf.__dict__.pop("counted")
    assert [found.instance.name for found in counted] == ["acme-prod1", "acme-prod2"]


def test_mail_and_case_are_given(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """By phase, from the journals of the store."""
    bench = desk(pytester, tmp_path)
    bench.desk.capture(snapshot("before"), snapshot("after"))
    bench.desk.deliver((*cohort(("192.0.2.10",), 3), *cohort(("192.0.2.10",), 2, after=True)))
    bench.suite(
        "greeting",
        "assert (len(mail.before), len(mail.after), mail.during) == (3, 2, None)\n"
        "assert (len(before.mails), len(after.mails)) == (3, 2)\n"
        "assert case.instance.name == 'acme-prod1'\n"
        f"judge({PASS})",
        "before, after, mail, case, judge",
    )
    bench.run().assert_outcomes(passed=1)


def test_fix_is_remedied_and_says_after_how_long(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """The last capture counts, the attempt before it is judged too."""
    bench = desk(pytester, tmp_path)
    later = AFTER + timedelta(minutes=31)
    bench.desk.capture(
        snapshot("before"),
        snapshot("after", []),
        snapshot("after", because="fix:CHG-123", began=later, ended=later + timedelta(seconds=10)),
    )
    bench.suite(
        "greeting",
        "if after.snapshot.observations:\n"
        f"    judge({PASS})\n"
        "else:\n"
        "    judge(inconclusive(Missing(what='w', on=On.US, rule='r', subject='s')))",
        "after, judge",
    )
    result = bench.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["greeting*: PASSED, remedied after 31 min"])
    found = bench.cells[ONE]
    assert found.judgement.verdict is Verdict.PASSED
    assert found.superseded is not None
    assert found.superseded.verdict is Verdict.INCONCLUSIVE
    assert found.remedied == "remedied after 31 min"


def test_limited_cell_is_not_run(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """The signed grid decides it; its body would raise."""
    limit = {
        "promise": "greeting",
        "instances": ("acme-prod1",),
        "reason": "no load",
        "approved_by": "J. Doe",
    }
    bench = desk(pytester, tmp_path, estate(limits=(limit,)))
    bench.suite("greeting", "raise RuntimeError")
    bench.run("-rs").stdout.fnmatch_lines(["*no load*"])
    assert bench.cells[ONE].judgement.verdict is Verdict.NOT_APPLICABLE


def test_cells_of_instances_outside_the_wave_are_run(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """Scope has a cell for each affected instance that the wave leaves out."""
    others = estate(
        instance(),
        instance("globex-prod1"),
        waves=(wave(), wave("2024-01-w2", "globex-prod1")),
    )
    bench = Bench(pytester=pytester, desk=Desk(tmp_path / "desk", others))
    bench.desk.plan("scope")
    bench.desk.capture(snapshot("before"), snapshot("after"))
    bench.suite("scope", "judge(compare_scope(case.scope))", "case, judge")
    result = bench.run()
    result.assert_outcomes(passed=1, skipped=1)
    assert bench.cells["globex-prod1", "scope"].judgement.verdict is Verdict.NOT_APPLICABLE
    assert result.ret == 0


def test_hostile_text_does_no_harm_to_a_terminal(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Control and bidirectional characters from records are spelled out."""
    bench = desk(pytester, tmp_path)
    bench.desk.capture(snapshot("before"), snapshot("after"))
    bench.suite(
        "greeting",
        r"judge(inconclusive(Missing(what='a\x1b[31mb\u202ec', on=On.US, rule='r', subject='s')))",
    )
    text = bench.run().stdout.str()
    assert "a" + "U+001B" + "[31mb" + "U+202E" + "c" in text
    assert "\x1b[31mb" not in text
