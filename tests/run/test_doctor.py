# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
import socket
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import pytest
from tests.builders.estates import END, START, estate, instance
from tests.builders.snapshots import snapshot, zone
from tests.builders.stores import HOUR, Desk
from tests.builders.tiny_dns import TinyDns

from wavegate import clock
from wavegate.cli.entry import run
from wavegate.evidence.keys import default_signer
from wavegate.evidence.trust import Trust, dump, everything
from wavegate.observe import machine as observe_machine
from wavegate.run import doctor_machine


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and a folder without settings."""
    home = tmp_path / "home"
    monkeypatch.setenv("WAVEGATE_HOME", str(home))
    monkeypatch.delenv("WAVEGATE_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A small store with a plan and two captures, and the keys of it at home."""
    found = Desk(tmp_path, estate(instance("acme-prod1")))
    found.plan("spf")
    found.capture(snapshot("before", zone(START - HOUR)), snapshot("after", zone(END + HOUR)))
    return found


def said(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, Any]:
    """Exit code and the one object of --json."""
    code = run(["doctor", *args, "--json"])
    return code, json.loads(capsys.readouterr().out)


def states(found: Any) -> dict[str, str]:
    """How each thing stands."""
    return {check["what"]: check["state"] for check in found["checks"]}


def answer(query: dns.message.Message, _transport: str) -> bytes:
    """Any answer at all."""
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.RA
    return reply.to_wire()


def with_resolvers(tmp_path: Path, *ports: int) -> str:
    """An estate file that names resolvers on loopback."""
    path = tmp_path / "asked.json"
    resolvers = [f"127.0.0.1:{port}" for port in ports]
    path.write_text(
        json.dumps(
            {"version": 1, "resolvers": resolvers, "customers": [], "instances": [], "waves": []}
        )
    )
    return str(path)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def test_whole_store(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """A store in which all is well is fit, with its counts."""
    code, found = said(capsys, "--store", str(desk.folder / "store"))
    assert (0, True, 2, 3) == (
        code,
        found["fit"],
        found["store"]["objects"],
        found["store"]["signed"],
    )
    assert "ok" == states(found)["store"]


def test_damaged_store(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Damage is exit 3 and names the record; the same again, for nothing was repaired."""
    path = next(p for p in (desk.folder / "store/objects").rglob("*") if p.is_file())
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    for _ in range(2):
        code, found = said(capsys, "--store", str(desk.folder / "store"))
        (one,) = [d for d in found["store"]["diagnoses"] if d["grade"] == "damaged"]
        assert (3, False, True) == (code, found["fit"], one["name"].endswith(path.name))
        assert "of acme-prod1 in wave" in one["about"]
    assert 3 == run(["doctor", "--store", str(desk.folder / "store")])
    assert capsys.readouterr().out.startswith(f"damaged  {one['name']}")


def test_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without a store is missing, and none is made there."""
    code, found = said(capsys, "--store", str(tmp_path / "none"))
    assert (3, "missing") == (code, found["error"]["kind"])
    assert not (tmp_path / "none").exists()


def test_broken_format(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """A store whose FORMAT was edited is told to be damaged, at that file."""
    path = desk.folder / "store/FORMAT"
    path.chmod(0o644)
    path.write_text("something else")
    code, found = said(capsys, "--store", str(desk.folder / "store"))
    assert (3, "damaged", str(path)) == (code, found["error"]["kind"], found["error"]["where"])


def test_signatures_need_a_trust_file(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where nobody is trusted that is said, and no key is made for it."""
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("WAVEGATE_HOME", str(elsewhere))
    code, found = said(capsys, "--store", str(desk.folder / "store"))
    assert (0, "note", False) == (code, states(found)["trust file"], elsewhere.exists())


def test_store_of_the_future(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records later than now tell of a clock that is wrong, here or where they were taken."""
    long_ago = START - timedelta(days=99)
    monkeypatch.setattr("wavegate.clock.now", lambda: long_ago)
    _, found = said(capsys, "--store", str(desk.folder / "store"))
    assert "note" == states(found)["clock"]


def test_resolver_that_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A resolver of the estate is asked one question, and its answer is told."""
    with TinyDns(answer) as server:
        code, found = said(capsys, "--estate", with_resolvers(tmp_path, server.port))
        assert [". NS udp"] == server.asked
    assert "ok" == states(found)[f"resolver 127.0.0.1:{server.port}"]
    assert (0, None) == (code, found["store"])


def test_resolver_that_is_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A resolver without an answer is missing, with the cure; the one beside it is still told."""
    dead = free_port()
    with TinyDns(answer) as server:
        estate_file = with_resolvers(tmp_path, dead, server.port)
        code, found = said(capsys, "--estate", estate_file)
    told = states(found)
    assert (3, "missing", "ok") == (
        code,
        told[f"resolver 127.0.0.1:{dead}"],
        told[f"resolver 127.0.0.1:{server.port}"],
    )


def machine_only(
    monkeypatch: pytest.MonkeyPatch, *, routes: dict[str, str | None], kept: bool | None
) -> None:
    """Let the machine be as a test wants it, and ask nobody."""
    monkeypatch.setattr(doctor_machine, "routes", lambda: routes)
    monkeypatch.setattr(doctor_machine, "clock_is_kept", lambda: kept)
    monkeypatch.setattr(doctor_machine, "reach", lambda _: ())
    monkeypatch.setattr(doctor_machine, "system_resolvers", lambda: ("127.0.0.1:53",))


@pytest.mark.parametrize(
    ("routes", "code", "told"),
    [
        ({"IPv4": None, "IPv6": None}, 0, ("ok", "ok")),
        ({"IPv4": None, "IPv6": "Network is unreachable"}, 0, ("ok", "note")),
        ({"IPv4": "unreachable", "IPv6": "unreachable"}, 3, ("missing", "missing")),
    ],
)
def test_routes(
    routes: dict[str, str | None],
    code: int,
    told: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One family without a route is to be known; none at all stops everything."""
    machine_only(monkeypatch, routes=routes, kept=True)
    found_code, found = said(capsys)
    stands = states(found)
    assert (code, told) == (found_code, (stands["route IPv4"], stands["route IPv6"]))


@pytest.mark.parametrize(("kept", "state"), [(True, "ok"), (False, "note"), (None, "note")])
def test_clock(
    kept: bool | None,
    state: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A clock that nothing keeps is told, and so is a system that does not say."""
    machine_only(monkeypatch, routes={"IPv4": None}, kept=kept)
    assert state == states(said(capsys)[1])["clock"]


def test_no_resolver_known(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that knows no resolver cannot look at anything by name."""
    machine_only(monkeypatch, routes={"IPv4": None}, kept=True)
    monkeypatch.setattr(doctor_machine, "system_resolvers", tuple)
    code, found = said(capsys)
    assert (3, "missing") == (code, states(found)["resolvers"])


def test_keys(
    at_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key yet is fine and makes none; a key that others can read, or no trust in it, is not."""
    machine_only(monkeypatch, routes={"IPv4": None}, kept=True)
    code, found = said(capsys)
    assert (0, "note", False) == (code, states(found)["keys"], at_home.exists())
    default_signer(at_home)
    code, found = said(capsys)
    assert (0, "ok", "ok") == (code, states(found)["private key"], states(found)["trust file"])
    (at_home / "keys/default.pem").chmod(0o644)
    (at_home / "trust.json").write_text("[]")
    code, found = said(capsys)
    stands = states(found)
    assert (3, "missing", "missing") == (code, stands["private key"], stands["trust file"])


@pytest.mark.parametrize(
    ("bounds", "code", "state"),
    [
        ({"valid_until": timedelta(days=99)}, 0, "ok"),
        ({"valid_until": timedelta(days=9)}, 0, "note"),
        ({"valid_until": timedelta(days=-1)}, 3, "missing"),
        ({"valid_from": timedelta(days=1)}, 3, "missing"),
        ({"revoked_at": timedelta(days=-1)}, 3, "missing"),
    ],
)
def test_a_key_that_ends(
    bounds: dict[str, timedelta],
    code: int,
    state: str,
    at_home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key that has ended is found out before the wave, and one that soon will is told."""
    machine_only(monkeypatch, routes={"IPv4": None}, kept=True)
    found = everything(default_signer(at_home).public)
    changed = {name: clock.now() + away for name, away in bounds.items()}
    key = replace(found, **changed)  # type: ignore[arg-type] # only instants here
    (at_home / "trust.json").write_bytes(dump(Trust(keys=(key,))))
    got, said_now = said(capsys)
    assert (code, state) == (got, states(said_now)["trust file"])


def test_extras_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which extras are there, by what was installed; one that is not is no fault."""
    machine_only(monkeypatch, routes={"IPv4": None}, kept=True)
    wanted = ["click>=8", "pytest>=9; extra == 'there'", 'no-such-package>=1; extra == "gone"']
    monkeypatch.setattr("importlib.metadata.requires", lambda _: wanted)
    code, found = said(capsys)
    stands = states(found)
    assert (0, "ok", "note") == (code, stands["extra there"], stands["extra gone"])


def test_routes_and_clock_of_this_machine() -> None:
    """What the system says is told without an error, whatever it says; nothing is sent."""
    assert {"IPv4", "IPv6"} == set(observe_machine.routes())
    assert observe_machine.clock_is_kept() in {True, False, None}


def test_settings_do_not_hide_the_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store named in wavegate.toml is for the other verbs: doctor alone looks at the machine."""
    machine_only(monkeypatch, routes={"IPv4": None}, kept=True)
    (tmp_path / "wavegate.toml").write_text('store = "store"\n')
    code, found = said(capsys)
    assert (0, None) == (code, found["store"])
