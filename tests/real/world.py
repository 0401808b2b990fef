# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A whole migration on real servers: NSD, Unbound, Postfix, OpenDKIM, nginx; Campaign is the lab's.

Before the window mail flows; in it Postfix holds what still comes; after it, Campaign hands over
what it had queued, and Postfix lets everything go. A broken world differs in three things.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from tests.real.daemons import await_that, free_port, greets
from tests.real.front import Front, front
from tests.real.judging import DOMAIN, IPS, SELECTORS
from tests.real.mail import Letter, Postfix, opendkim, postfix
from tests.real.names import Nsd, pair, unbound
from tests.real.zones import PARENT, REVERSE, SENDER, Version, private_key

from wavegate.clock import format_duration
from wavegate.lab.backlog import Row
from wavegate.lab.campaign_ims import TOKEN_PATH
from wavegate.lab.commands import Commands, Step
from wavegate.lab.estate_functions import functions
from wavegate.lab.live import Live
from wavegate.lab.running import Lab
from wavegate.lab.serve import running
from wavegate.record.local_store import LocalStore
from wavegate.record.mail_journal import read_mails

NAME, WAVE, CUSTOMER = "acme-prod1", "2024-01-w1", "acme"
OPENS_IN, WINDOW = timedelta(seconds=28), timedelta(seconds=14)
SETTLE = timedelta(seconds=9)
WATCH_BEFORE = timedelta(seconds=8)
GUARD = timedelta(seconds=4)
"""How long before the opening Postfix is told to hold its mail: it may take its time."""
PACE = 0.4
BURST = 25
SEED = "seed@seed.example"
OLD, NEW = "momentum06.lon7.mta.example", "irl1-lab1-mta-i-0f68260768887617a"
HELOS = {ip: f"r{ip.rpartition('.')[2]}.{DOMAIN}" for ip in IPS}
HEALTHY = Version(serial=5)
REPUBLISHED = replace(
    HEALTHY, serial=6, policy="v=spf1 ip4:127.10.3.8/30 ip4:127.10.3.12/30 ip4:192.0.2.0/28 -all"
)
"""What the operator publishes with the move: the same in other words."""


@dataclass(frozen=True, kw_only=True)
class Broken:
    """What goes wrong.

    stale: what the second NSD serves after. leaks: an address that is not held in the window.
    loses: whether Postfix loses the first queued message.
    """

    stale: Version | None = None
    leaks: str | None = None
    loses: bool = False


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Everything that runs."""

    folder: Path
    names: tuple[Nsd, Nsd]
    resolver: str
    postfix: Postfix
    front: Front
    lab: Lab
    sink: int

    @property
    def live(self) -> Live:
        """The moving side of the Campaign."""
        return self.lab.lives[NAME]

    def show(self, phase: str) -> None:
        """Let the Campaign go on to another phase; what its own senders would do, Postfix does."""
        assert phase in ("window", "after")
        scene = self.lab.world.window if phase == "window" else self.lab.world.after
        self.live.show(phase, scene.instance(NAME), datetime.now(UTC))  # type: ignore[arg-type] # one of the two


@contextmanager
def servers(folder: Path, opens_in: timedelta) -> Iterator[Servers]:
    """All servers of one world; the sink is the harness's, and comes later."""
    with ExitStack() as stack:
        enter = stack.enter_context
        names = enter(pair(folder / "names", HEALTHY.zones()))
        resolver = enter(unbound(folder / "names", names, (PARENT, REVERSE)))
        keys = {(DOMAIN, SELECTORS[0]): private_key("the first")}
        milter, sink = enter(opendkim(folder / "opendkim", keys)), free_port()
        sender = enter(postfix(folder, milter, sink, HELOS, host=OLD))
        lab = enter(running("single", folder / "lab", opens_in=opens_in, window=WINDOW))
        place = front(folder / "nginx", lab.campaigns[NAME].url)
        enter(place.serving(place.authority.issue_cert("localhost")))
        yield Servers(
            folder=folder,
            names=names,
            resolver=resolver,
            postfix=sender,
            front=place,
            lab=lab,
            sink=sink,
        )


def write_estate(found: Servers) -> Path:
    """The estate of the one instance that moves, and of two that did before."""
    ims = found.lab.campaigns[NAME].sessions.ims
    for name, text in (("client-id", ims.client_id), ("client-secret", ims.client_secret)):
        (found.folder / name).write_text(text)
    path = found.folder / "estate.yaml"
    path.write_text(json.dumps(_estate(found), indent=1))  # JSON is YAML too
    return path


def _estate(found: Servers) -> dict[str, object]:
    names = [f"ns{n}.mailer.example:{found.names[0].port}" for n in (1, 2)]
    opens, closes = found.lab.place.opens, found.lab.place.closes
    earlier = opens - timedelta(days=20)
    closed = {"at": _text(earlier), "approved_by": "R. Lab", "reference": "CHG-1"}
    return {
        "version": 1,
        "policy": _policy(),
        "resolvers": [found.resolver],
        "authoritative": {SENDER: names, REVERSE: names},
        "customers": [{"name": CUSTOMER}],
        "instances": [_moving(found), _moved("dev"), _moved("stage")],
        "waves": [
            {
                "name": WAVE,
                "window": {"start": _text(opens), "end": _text(closes)},
                "announced_duration": format_duration(WINDOW),
                "instances": [NAME],
                "notices": [
                    {"customer": CUSTOMER, "sent": _text(earlier), "reference": "mail-4711"}
                ],
            },
            *(
                {"name": f"2023-{kind}", "closed": closed, "instances": [f"acme-{kind}1"]}
                for kind in ("dev", "stage")
            ),
        ],
        "limits": [
            {
                "promise": promise,
                "instances": [NAME],
                "reason": "these servers play no load and no stop of a host",
                "approved_by": "R. Lab",
            }
            for promise in ("throughput", "availability_after")
        ],
    }


def _policy() -> dict[str, object]:
    return {
        "due": {"sending_window": "1s", "only_sending_disrupted": "1s", "queued_mail": "1s"},
        "probe_interval": format_duration(WINDOW / 20),
        "settle": format_duration(SETTLE),
        "queue_deadline": format_duration(SETTLE),
        "resume_within": format_duration(WINDOW / 2),
        "clock_tolerance": "2s",
        "too_slow": format_duration(WINDOW / 2),
        "options": ["NmsServer_LastPostUpgrade"],
        "reachable_private": ["127.0.0.0/24"],
        "timestamps": "optional",
    }


def _moving(found: Servers) -> dict[str, object]:
    return {
        "name": NAME,
        "customer": CUSTOMER,
        "product": "campaign-v8",
        "hosting": "managed",
        "environment": "prod",
        "url": found.front.url,
        "tls": {"ca": f"file:{found.front.folder}/ca.pem"},
        "credentials": {
            "ims": {
                "client_id": "file:client-id",
                "client_secret": "file:client-secret",
                "url": found.lab.campaigns[NAME].url + TOKEN_PATH,
            }
        },
        "sending_ips": list(IPS),
        "domains": [{"name": DOMAIN, "selectors": list(SELECTORS), "primary": True}],
        "mail": [
            {
                "sink": True,
                "listen": f"127.0.0.1:{found.sink}",
                "recipients": ["*@seed.example"],
            }
        ],
        "moved_when": {"received_by": "-mta-i-0[0-9a-f]{16}$"},
        "functions": functions(
            found.lab.world.agreed.instance(NAME),
            WINDOW,
            seed="event@seed.example",
            exchanger=found.lab.greeters[NAME].address,
            sftp=found.lab.sftp[NAME].address,
        ),
    }


def _moved(kind: str) -> dict[str, object]:
    return {
        "name": f"acme-{kind}1",
        "customer": CUSTOMER,
        "product": "campaign-v8",
        "hosting": "managed",
        "environment": kind,
    }


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


class Feeder:
    """Hands Postfix a message for each address again and again, as a Campaign does all day."""

    def __init__(self, postfix: Postfix) -> None:
        self._postfix = postfix
        self._numbers = count(0x1200)
        self._ended = threading.Event()

    def send(self, how_many: int) -> None:
        """So many messages by each address, at once."""
        for ip in IPS:
            letters = [
                Letter(number=next(self._numbers), domain=DOMAIN, recipient=SEED)
                for _ in range(how_many)
            ]
            self._postfix.submit(ip, *letters)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Messages at a steady pace while the block lasts."""
        thread = threading.Thread(target=self._flow)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _flow(self) -> None:
        while not self._ended.wait(PACE):
            self.send(1)


@dataclass(frozen=True, kw_only=True)
class Played:
    """What the gate decided, whether its bundle verifies, and the Message-ID that was lost."""

    gate: Step
    verify: Step
    lost: str | None

    def told(self) -> str:
        """What is bad, in words."""
        return "\n".join(
            f"{cell['promise']} {cell['verdict']}: {row}"
            for cell in self.gate.data["cells"]
            for row in (*cell["findings"], *cell["missing"])
        )

    def cells(self, verdict: str) -> dict[str, list[str]]:
        """The promises with a verdict, and the witnesses of their findings."""
        return {
            cell["promise"]: [w for row in cell["findings"] for w in row["witness"]]
            for cell in self.gate.data["cells"]
            if cell["verdict"] == verdict
        }


def play(folder: Path, broken: Broken) -> Played:
    """A wave from the plan to the verified bundle; each verb is a process of its own.

    A machine that is too busy to be ready before the opening gets three times the time.
    """
    try:
        return _play(folder, broken, OPENS_IN)
    except _TooLateError:
        return _play(folder.with_name(f"{folder.name}-again"), broken, 3 * OPENS_IN)


class _TooLateError(Exception):
    """The steps before the window took until its opening."""


def _play(folder: Path, broken: Broken, opens_in: timedelta) -> Played:
    folder.mkdir()
    env = {**os.environ, "WAVEGATE_HOME": str(folder / "home")}
    commands = Commands(folder=folder, env=env, say=lambda _: None)
    with servers(folder, opens_in) as found:
        estate = write_estate(found)
        where = ("--estate", str(estate), "--store", str(folder / "store"))
        with commands.started("sink", "sink", *where):
            await_that(lambda: greets("127.0.0.1", found.sink), "the sink greets")
            feeder = Feeder(found.postfix)
            feeder.send(BURST)
            with feeder.flowing():
                return _walk(commands, found, broken, (*where, "--wave", WAVE))


def _walk(commands: Commands, found: Servers, broken: Broken, where: tuple[str, ...]) -> Played:
    place, bundle = found.lab.place, commands.folder / "bundle"
    commands.run("plan", 0, "plan", *where)
    commands.run("capture before", 0, "capture", *where, "--phase", "before")
    if datetime.now(UTC) >= place.opens - WATCH_BEFORE:
        raise _TooLateError
    with commands.started("watch", "watch", *where) as watch:
        lost = _window(found, broken)
        commands.awaited("watch", watch)
    commands.run("capture after", 0, "capture", *where, "--phase", "after")
    gate = commands.run("gate", None, "gate", *where, "--out", str(bundle))
    key = str(commands.folder / "home" / "keys" / "default.pub")
    verify = commands.run("verify", None, "verify", str(bundle), "--key", key)
    return Played(gate=gate, verify=verify, lost=lost)


def _until(at: datetime) -> None:
    threading.Event().wait(max((at - datetime.now(UTC)).total_seconds(), 0))


def _window(found: Servers, broken: Broken) -> str | None:
    """Postfix holds its mail, takes what Campaign had queued, and lets all go at the close.

    It is another host from then on, and the names are published anew. The Message-ID of what it
    lost, if anything.
    """
    place = found.lab.place
    _until(place.opens - GUARD)
    found.postfix.defer(ip for ip in IPS if ip != broken.leaks)
    await_that(lambda: bool(found.postfix.queue()), "Postfix holds its mail")
    _until(place.opens)
    found.show("window")
    rows = _hand_over(found)
    lost = rows[0] if broken.loses else None
    if lost:
        found.postfix.lose(lost.recipient)
    _until(place.closes)
    found.postfix.release(f"myhostname={NEW}")
    found.show("after")
    list(_waiting(found))  # Postfix has them already
    found.names[0].publish(REPUBLISHED.zones())
    found.names[1].publish((broken.stale or REPUBLISHED).zones())
    _report(found, [row for row in rows if row is not lost])
    return _letter(lost).message_id if lost else None


def _hand_over(found: Servers) -> list[Row]:
    """In the window, Campaign hands Postfix all that it had queued before."""
    state = found.lab.world.after.instance(NAME)
    found.live.backlog.release(state.queue, datetime.now(UTC))
    rows = list(_waiting(found))
    for place, ip in enumerate(IPS):
        found.postfix.submit(ip, *map(_letter, rows[place :: len(IPS)]))
    return rows


def _waiting(found: Servers) -> Iterator[Row]:
    """The rows that Campaign would send now, each once."""
    return iter(lambda: found.live.backlog.next(datetime.now(UTC)), None)


def _letter(row: Row) -> Letter:
    return Letter(
        number=row.id,
        delivery=row.delivery,
        domain=DOMAIN,
        recipient=row.recipient,
        subject=row.subject,
    )


def _report(found: Servers, rows: list[Row]) -> None:
    """Campaign hears of each queued message that was delivered."""
    store = LocalStore.open(found.folder / "store", create=False)
    wanted = {_letter(row).message_id for row in rows}

    def arrived() -> bool:
        return wanted <= {mail.message_id for mail in read_mails(store).messages}

    await_that(arrived, "the queued messages arrive")
    for row in rows:
        found.live.backlog.done(row, datetime.now(UTC))
