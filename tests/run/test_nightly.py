# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.builders import judged_here
from tests.builders.estates import estate, instance, wave
from tests.builders.nights import DAY, Nights, agreed, dev, news, night, verdict, zone
from tests.builders.rates import rate_answers, side, steady
from tests.builders.snapshots import NS
from tests.builders.worlds import DOMAIN, World, Zone

from wavegate.cli.entry import run
from wavegate.compare import trend
from wavegate.errors import InputError, InvalidError
from wavegate.evidence.night_file import read_night
from wavegate.record.observation import Unreachable
from wavegate.record.snapshot import Snapshot
from wavegate.run.nightly import alone

pytestmark = pytest.mark.timeout(600)
HEALTHY = World(phase="after")
POLICY = replace(HEALTHY, zone=zone(f"_dmarc.{DOMAIN}", "TXT", '"v=DMARC1; p=none"'))


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """A store without any night."""
    judged_here.use(monkeypatch)
    return Nights(tmp_path)


@pytest.fixture
def accepted(nights: Nights) -> Nights:
    """A store in which one healthy night was looked at and accepted."""
    nights.play(night(1))
    nights.accept(night(1, hours=7))
    return nights


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """The one JSON object on stdout."""
    return json.loads(capsys.readouterr().out)


def test_from_no_baseline_to_a_quiet_night_that_verifies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a baseline the look is kept; once accepted, a like night is GO, judged again too."""
    nights = Nights(tmp_path)
    first = nights.play(night(1))
    assert (3, None) == (first.exit_code, first.gated)
    assert ["acme-dev1"] == [row.instance for row in first.taken]
    assert 1 == nights.accept(night(1, hours=7)).version
    second = nights.play(night(2))
    assert second.gated is not None
    assert (0, False) == (second.exit_code, second.night.changed if second.night else None)
    cells = second.gated.verdicts.cells
    assert {"PASSED"} == {str(cell.verdict) for cell in cells}
    assert (None, 8, {None}) == (second.gated.verdicts.wave, len(cells), {c.due for c in cells})
    key = str(nights.home / "keys" / "default.pub")
    assert 0 == run(["verify", str(second.gated.bundle), "--key", key, "--rejudge", "--json"])
    assert told(capsys)["rejudged"]


def test_a_changed_night_names_before_and_after_and_the_next_is_unchanged(
    accepted: Nights,
) -> None:
    """NO-GO stands until somebody acts, `changed` and the notification only in the first night."""
    accepted.worlds["acme-dev1"] = POLICY
    first, second = accepted.play(night(2)), accepted.play(night(3))
    assert first.gated is not None
    (cause,) = first.gated.verdicts.causes
    assert ("dmarc", ("acme-dev1",)) == (cause.promise, cause.instances)
    assert ("reject", "none") == (str(cause.before)[:6], str(cause.after)[:4])
    assert [1, 1] == [first.exit_code, second.exit_code]
    assert [True, False] == [found.to_json()["changed"] for found in (first, second)]
    assert [("broke", "dmarc", "acme")] == news(first)
    assert [] == news(second)


def test_a_second_look_in_one_night_cannot_make_it_green(accepted: Nights) -> None:
    """The worst look of a night counts, and it is told once; the next night may be green."""
    accepted.worlds["acme-dev1"] = POLICY
    assert [("broke", "dmarc", "acme")] == news(accepted.play(night(2)))
    accepted.worlds["acme-dev1"] = HEALTHY
    again = accepted.play(night(2, hours=2))
    assert again.night is not None
    assert ("FAILED", 2, []) == (verdict(again, "dmarc"), again.night.looks, news(again))
    assert again.gated is not None
    remarks = [remark for cell in again.gated.verdicts.cells for remark in cell.remarks]
    assert "2 looks in this night were judged; the worst counts" in remarks
    green = accepted.play(night(3))
    assert (0, [("recovered", "dmarc", "acme")]) == (green.exit_code, news(green))


def test_a_bad_second_look_counts_too(accepted: Nights) -> None:
    """A further look is a look: what it finds is told, though the first one was green."""
    assert 0 == accepted.play(night(2)).exit_code
    accepted.worlds["acme-dev1"] = POLICY
    again = accepted.play(night(2, hours=2))
    assert (1, [("broke", "dmarc", "acme")]) == (again.exit_code, news(again))


def test_only_the_cause_that_is_accepted_moves_the_baseline(accepted: Nights) -> None:
    """Of two differences one is accepted by its cause; the other stands as before."""
    both = {**POLICY.zone, (DOMAIN, "MX"): (f"20 other.{DOMAIN}.",)}
    accepted.worlds["acme-dev1"] = replace(HEALTHY, zone=both)
    found = accepted.play(night(2))
    assert found.gated is not None
    dmarc, mx = found.gated.verdicts.causes
    assert ("dmarc", "nothing_else_changed") == (dmarc.promise, mx.promise)
    signed = accepted.accept(night(2, hours=7), causes=(dmarc.cause,), ticket="CHG-9")
    (row,) = signed.rows
    assert [dmarc.cause] == [one.cause for one in row.accepted]
    assert [mx.cause] == [one.cause for one in row.left]
    after = accepted.play(night(3))
    assert after.gated is not None
    assert [mx.cause] == [cause.cause for cause in after.gated.verdicts.causes]
    assert [] == news(after)
    accepted.worlds["acme-dev1"] = HEALTHY
    back = accepted.play(night(4))
    assert ("FAILED", "PASSED") == (verdict(back, "dmarc"), verdict(back, "nothing_else_changed"))


def test_accepting_one_instance_leaves_the_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --instance only that one's baseline moves; the version before stays in the store."""
    judged_here.use(monkeypatch)
    nights = Nights(tmp_path, estate=agreed(dev(), dev("globex-stage1")))
    nights.play(night(1))
    nights.accept(night(1, hours=7))
    nights.worlds = {"acme-dev1": POLICY, "globex-stage1": POLICY}
    nights.play(night(2))
    signed = nights.accept(night(2, hours=7), instances=("acme-dev1",)).signed
    assert {"acme-dev1": 2, "globex-stage1": 1} == {e.instance: e.version for e in signed.accepted}
    found = nights.play(night(3))
    assert "PASSED" == verdict(found, "dmarc")
    assert "FAILED" == verdict(found, "dmarc", "globex-stage1")
    assert 2 == len(nights.store.names("baselines/"))


@pytest.mark.parametrize(
    ("request_of", "says"),
    [
        ({"causes": ("0" * 64,)}, "no difference of cause"),
        ({"instances": ("nobody",)}, "no instance nobody"),
        ({"causes": ("0" * 64,), "instances": ("acme-dev1",)}, "both"),
        ({"why": " "}, "empty"),
    ],
)
def test_what_cannot_be_accepted_signs_nothing(
    accepted: Nights, request_of: dict[str, Any], says: str
) -> None:
    """Each slip has its cure, and the baseline is where it was."""
    with pytest.raises(InputError, match=says) as caught:
        accepted.accept(night(1, hours=8), **request_of)
    assert caught.value.cure
    assert 1 == len(accepted.store.names("baselines/"))


def test_an_address_that_nobody_listed_cannot_be_accepted(accepted: Nights) -> None:
    """What rests on the estate is changed there: accepting would clear nothing."""
    accepted.peer = "198.51.100.9"
    found = accepted.play(night(2))
    assert found.gated is not None
    cause = next(c for c in found.gated.verdicts.causes if c.rule == "unlisted-ip")
    with pytest.raises(InputError, match="accepting cannot clear") as caught:
        accepted.accept(night(2, hours=7), causes=(cause.cause,))
    assert "change the estate" in str(caught.value.cure)


def test_a_baseline_keeps_an_answer_where_the_accepted_look_was_silent(accepted: Nights) -> None:
    """A server that was silent in the accepted night is still held against its old answer."""
    accepted.worlds["acme-dev1"] = replace(HEALTHY, silent=(NS[1],))
    accepted.play(night(2))
    (row,) = accepted.accept(night(2, hours=7)).rows
    assert row.filled > 0
    odd: Zone = {(f"_dmarc.{DOMAIN}", "TXT"): ('"v=DMARC1; p=none"',)}
    accepted.worlds["acme-dev1"] = replace(HEALTHY, odd={NS[1]: odd})
    assert "FAILED" == verdict(accepted.play(night(3)), "dmarc")


# Asleep, expected, undecided


def without_server(taken: Snapshot) -> Snapshot:
    """The same look while the Campaign server is stopped."""
    seen = tuple(
        o if o.kind == "dns" else replace(o, outcome=Unreachable("refused"))
        for o in taken.observations
    )
    return replace(taken, observations=seen)


@pytest.mark.parametrize(
    ("hours", "word"), [("01:00", "NOT_APPLICABLE"), ("03:00", "INCONCLUSIVE")]
)
def test_a_stopped_sandbox_is_no_alarm_only_in_its_hours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: str, word: str
) -> None:
    """Silence in the declared hours is excused with the reason; its DNS is judged all the same."""
    judged_here.use(monkeypatch)
    sandbox = dev(asleep=[{"from": hours, "to": "06:00"}])
    nights = Nights(tmp_path, estate=agreed(sandbox))
    nights.play(night(1))
    nights.accept(night(1, hours=7))
    nights.wanted = without_server
    found = nights.play(night(2))
    assert (word, "PASSED") == (verdict(found, "build_version"), verdict(found, "spf"))
    assert (0 if word == "NOT_APPLICABLE" else 3) == found.exit_code
    nights.worlds["acme-dev1"] = POLICY
    assert "FAILED" == verdict(nights.play(night(3)), "dmarc")


def test_an_expected_change_is_used_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waives its own difference, is shown as consumed, and covers no second time."""
    judged_here.use(monkeypatch)
    nights = Nights(tmp_path)
    nights.play(night(1))
    nights.accept(night(1, hours=7))
    nights.worlds["acme-dev1"] = POLICY
    probe = Nights(tmp_path / "probe", worlds=dict(nights.worlds))
    probe.worlds["acme-dev1"] = HEALTHY
    probe.play(night(1))
    probe.accept(night(1, hours=7))
    probe.worlds["acme-dev1"] = POLICY
    shown = probe.play(night(2))
    assert shown.gated is not None
    (cause,) = shown.gated.verdicts.causes
    change = {
        "instances": ["acme-dev1"],
        "promise": "dmarc",
        "from": cause.before,
        "to": cause.after,
        "ticket": "CHG-5",
        "between": {"from": night(2, hours=-1), "to": night(6)},
    }
    nights.estate = agreed(expected_changes=(change,))
    found = nights.play(night(2))
    assert ("FAILED", 0, []) == (verdict(found, "dmarc"), found.exit_code, news(found))
    assert found.gated is not None
    (waived,) = (c for c in found.gated.verdicts.cells if c.promise == "dmarc")
    assert waived.waiver is not None
    assert "expected change CHG-5" == waived.waiver.reason
    nights.worlds["acme-dev1"] = HEALTHY
    assert (0, []) == ((back := nights.play(night(3))).exit_code, news(back))
    nights.worlds["acme-dev1"] = POLICY
    second = nights.play(night(4))
    assert (1, [("broke", "dmarc", "acme")]) == (second.exit_code, news(second))
    assert second.night is not None
    assert ["spent"] == [entry.state for entry in second.night.expected_changes]
    key = str(nights.home / "keys" / "default.pub")
    for one in (found, second):
        assert one.gated is not None
        assert 0 == run(["verify", str(one.gated.bundle), "--key", key, "--rejudge"])


def test_an_expected_change_that_never_came_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time it is reported as expired in one night, and stays so in the record."""
    judged_here.use(monkeypatch)
    change = {
        "instances": ["acme-dev1"],
        "promise": "build_version",
        "from": "9282",
        "to": "9283",
        "ticket": "CHG-6",
        "between": {"from": night(1), "to": night(2, hours=1)},
    }
    nights = Nights(tmp_path, estate=agreed(expected_changes=(change,)))
    nights.play(night(1))
    nights.accept(night(1, hours=7))
    found = [nights.play(night(n)).night for n in (2, 3, 4)]
    late = "expected change CHG-6 of build_version never came: it has expired"
    assert [(), (late,), ()] == [one.notes for one in found if one]
    assert ["waiting", "expired", "expired"] == [
        one.expected_changes[0].state for one in found if one
    ]


def test_what_stays_undecided_is_told_once_after_three_nights(accepted: Nights) -> None:
    """An INCONCLUSIVE is no news for three nights; in the fourth it is, with its age, and once."""
    accepted.worlds["acme-dev1"] = replace(HEALTHY, silent=(NS[1],))
    found = [accepted.play(night(n)) for n in range(2, 8)]
    assert [3] * 6 == [one.exit_code for one in found]
    assert [0, 0, 0, 5, 0, 0] == [len(news(one)) for one in found]
    (told_of, *_) = found[3].transitions
    assert ("undecided", night(2, seconds=20)) == (told_of.kind, told_of.since)
    assert 3 * DAY == found[3].at - told_of.since


# Trend


def test_a_rate_that_falls_is_a_note_and_no_verdict(
    accepted: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the instance sent since the night before is kept; a fall is told, and all stays GO."""
    monkeypatch.setattr(trend, "BASELINE", 5)
    rates = {8: 600.0, 9: 600.0}

    def with_rates(taken: Snapshot) -> Snapshot:
        rate = rates.get((taken.began - night(1)).days + 1, 1200.0)
        hours = side(taken.began - DAY, 1, steady(rate), noise=0.02, seed=taken.began.day)
        others = [o for o in taken.observations if "series" not in o.asked]
        seen = (*others, *rate_answers({"1": hours}, taken.began))
        return replace(taken, observations=tuple(seen))

    accepted.wanted = with_rates
    found = [accepted.play(night(n)) for n in range(2, 10)]
    assert [0] * 8 == [one.exit_code for one in found]
    assert 1200 == pytest.approx(float(found[0].night.rates["acme-dev1"]), rel=0.02)  # type: ignore[union-attr] # judged
    told_of = [one.night.trend for one in found if one.night]
    assert [()] * 6 == told_of[:6]
    (note,) = told_of[-1]
    assert "acme-dev1: sending is slower since" in note
    assert "(a note, no verdict)" in note


def test_a_night_without_mail_says_so_without_a_window(accepted: Nights) -> None:
    """What is missing is mail of this night, not of a window that never was."""
    accepted.silent = True
    found = accepted.play(night(2))
    assert found.gated is not None
    gaps = [gap for cell in found.gated.verdicts.cells for gap in cell.missing]
    assert {"no-mail-after"} == {gap.rule for gap in gaps}
    assert all("this night" in gap.what and "window" not in gap.what for gap in gaps)
    assert not [gap.command for gap in gaps if "capture" in (gap.command or "")]


# Bad input


def test_two_nights_at_once_are_refused(accepted: Nights) -> None:
    """The second says that another is running, and leaves the store as it is."""
    before = accepted.store.names("signed/")
    with alone(accepted.opened), pytest.raises(InputError, match="another nightly is running"):
        accepted.play(night(2))
    assert before == accepted.store.names("signed/")


def test_a_clock_that_went_back_is_refused(accepted: Nights) -> None:
    """A night before the last look would be filed in the wrong order."""
    before = accepted.store.names("signed/")
    with pytest.raises(InputError, match="the clock went back") as caught:
        accepted.play(night(1, minutes=-5))
    assert "clock of this machine" in str(caught.value.cure)
    assert before == accepted.store.names("signed/")


def test_a_store_of_another_estate_is_refused(accepted: Nights) -> None:
    """Neither looks nor a baseline of strangers are mixed with ours."""
    accepted.estate = agreed(dev("initech-dev1"))
    with pytest.raises(InputError, match="of another estate: it knows acme-dev1"):
        accepted.play(night(2))
    assert ["acme-dev1"] == sorted({n.split("/")[2] for n in accepted.store.names("signed/")})


def test_a_baseline_with_a_broken_signature_is_refused(accepted: Nights) -> None:
    """An earlier version is no substitute; all can be accepted anew, as a new version."""
    place = accepted.folder / "store" / "baselines" / "000001.dsse.json"
    place.chmod(0o644)
    place.write_bytes(place.read_bytes().replace(b'"payload":"e', b'"payload":"f'))
    with pytest.raises(InvalidError, match="baseline does not hold") as caught:
        accepted.play(night(2))
    assert "--all" in str(caught.value.cure)
    with pytest.raises(InvalidError, match="baseline does not hold"):
        accepted.accept(night(2, hours=7))
    assert 2 == accepted.accept(night(2, hours=7), anew=True).version
    assert 0 == accepted.play(night(3)).exit_code


def test_an_accepted_record_that_was_changed_fails_the_evidence(accepted: Nights) -> None:
    """The baseline names the digest of what was accepted: another record is none of it."""
    (name,) = accepted.store.names("accepted/")
    place = accepted.folder / "store" / name
    place.chmod(0o644)
    other = accepted.store.names("signed/")[0]
    place.write_bytes(accepted.store.read(other))
    found = accepted.play(night(2))
    assert (1, "FAILED") == (found.exit_code, verdict(found, "sound_evidence"))


def test_an_instance_that_left_the_estate_is_named_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot drop out of the grid unseen: HOLD until somebody drops it by a signed act."""
    judged_here.use(monkeypatch)
    nights = Nights(tmp_path, estate=agreed(dev(), dev("globex-stage1")))
    nights.play(night(1))
    nights.accept(night(1, hours=7))
    nights.estate = agreed(dev())
    found = nights.play(night(2))
    assert found.gated is not None
    (held,) = found.gated.verdicts.holds["globex-stage1"]
    assert "nightly accept --instance globex-stage1" in held
    assert (3, "HOLD") == (found.exit_code, str(found.gated.verdicts.instances["globex-stage1"]))
    key = str(nights.home / "keys" / "default.pub")
    assert 0 == run(["verify", str(found.gated.bundle), "--key", key, "--rejudge"])
    (row,) = nights.accept(night(2, hours=7), instances=("globex-stage1",)).rows
    assert ("globex-stage1", "dropped") == (row.instance, row.what)
    after = nights.play(night(3))
    assert (0, []) == (after.exit_code, news(after))


def test_a_new_instance_without_a_baseline_is_named_with_its_cure(accepted: Nights) -> None:
    """A new server is looked at, and holds the night until it is accepted by itself."""
    accepted.estate = agreed(dev(), dev("acme-stage1"))
    found = accepted.play(night(2))
    assert found.gated is not None
    held = " ".join(found.gated.verdicts.holds["acme-stage1"])
    assert "nothing of it was accepted yet: wavegate nightly accept --instance acme-stage1" in held
    assert (3, "GO") == (found.exit_code, str(found.gated.verdicts.instances["acme-dev1"]))
    (row,) = accepted.accept(night(2, hours=7), instances=("acme-stage1",)).rows
    assert ("acme-stage1", "new") == (row.instance, row.what)
    assert 0 == accepted.play(night(3)).exit_code


def test_a_wave_of_the_kept_name_and_an_estate_without_dev_are_refused(tmp_path: Path) -> None:
    """Both are told before anything is opened."""
    named = estate(dev(), waves=(wave("nightly", "acme-dev1"),))
    for whole, says in ((named, "kept"), (estate(instance()), "no dev or stage")):
        nights = Nights(tmp_path / says.split()[0], estate=whole)
        with pytest.raises(InputError, match=says):
            nights.play(night(1))


def test_a_bundle_whose_baseline_was_exchanged_is_refused(
    accepted: Nights, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a night was held against is sealed in its bundle."""
    found = accepted.play(night(2))
    assert found.gated is not None
    place = found.gated.bundle / "baseline.dsse.json"
    place.write_bytes(place.read_bytes() + b" ")
    key = str(accepted.home / "keys" / "default.pub")
    capsys.readouterr()
    assert 1 == run(["verify", str(found.gated.bundle), "--key", key, "--json"])
    assert "baseline.dsse.json" in str(told(capsys)["error"])


def test_a_broken_seal_of_the_night_before_is_passed_over_and_told(accepted: Nights) -> None:
    """A night whose seal does not hold is no ground for what turned; the one before it is."""
    accepted.worlds["acme-dev1"] = POLICY
    accepted.play(night(2))
    accepted.play(night(3))
    (run_name,) = {n.split("/")[2] for n in accepted.store.names("gates/nightly/") if "0107" in n}
    place = accepted.folder / "store" / "gates" / "nightly" / run_name / "night.json"
    place.chmod(0o644)
    place.write_bytes(place.read_bytes().replace(b'"changed":false', b'"changed":true'))
    found = accepted.play(night(4))
    assert found.night is not None
    assert run_name in found.night.notes[0]
    assert found.night.previous is not None
    assert "0106" in found.night.previous
    assert [] == news(found)


def test_night_json_says_what_the_json_of_the_verb_says(accepted: Nights) -> None:
    """`nightly --json` is verdicts.json and night.json in one, `changed` beside the decision."""
    found = accepted.play(night(2))
    assert found.gated is not None
    assert found.night == read_night(found.gated.bundle)
    told_of = found.to_json()
    assert ("GO", False, None) == tuple(told_of[key] for key in ("decision", "changed", "wave"))
    assert timedelta() < found.at - night(2)
