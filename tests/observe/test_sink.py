# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The sink over real sockets: what it records, what it refuses, and that it loses nothing."""

import asyncio
import errno
import os
import signal
import smtplib
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from io import BufferedRWPair
from pathlib import Path

import pytest
from tests.builders.running_sink import (
    LOCAL,
    MESSAGE,
    SETTINGS,
    Running,
    proxied,
    running,
    with_limits,
)

from wavegate.canonical import digest
from wavegate.errors import InputError, InternalError
from wavegate.observe.sink import _sockets as sockets_of
from wavegate.observe.sink import run_sink
from wavegate.observe.sink_desk import SinkCounts
from wavegate.observe.sink_settings import Door, SinkLimits
from wavegate.record.local_store import LocalStore
from wavegate.record.mail_journal import listening_intervals, read_mails
from wavegate.record.mail_writer import Bounds
from wavegate.record.message import Received


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Running]:
    """A running sink that takes anything on one port of this machine."""
    with running(tmp_path) as found:
        yield found


def test_message_is_recorded_as_received(sink: Running) -> None:
    """Peer, envelope, instants and raw bytes are those of the wire; no header is added."""
    sink.send(source="127.0.0.9")
    (found,) = sink.finish().messages
    assert found == Received(
        source="sink",
        peer="127.0.0.9",
        peer_by="socket",
        helo="client.example",
        mail_from="b@news.acme.example",
        recipients=("x@seed.example",),
        connected=found.connected,
        ended=found.ended,
        tls=False,
        raw=MESSAGE,
        digest=digest(MESSAGE),
        journal=found.journal,
    )
    assert found.connected < found.ended


def test_acknowledged_is_durable(sink: Running) -> None:
    """When the sender hears 250 the message can be read from the disk already."""
    with sink.client() as client:
        for number in range(3):
            client.sendmail("b@x.example", ["x@seed.example"], b"%d\r\n" % number)
            assert [mail.raw for mail in sink.mails()] == [b"%d\r\n" % n for n in range(number + 1)]


def test_each_message_of_a_connection_is_recorded(sink: Running) -> None:
    """Several messages and recipients, a null sender, and a reset between them, are kept apart."""
    with sink.client() as client:
        client.sendmail("", ["x@seed.example", "y@seed.example"], b"bounce\r\n")
        client.mail("lost@x.example")
        client.rset()
        client.sendmail("b@x.example", ["x@seed.example"], b"two\r\n")
    first, second = sink.finish().messages
    assert (first.mail_from, first.recipients) == ("", ("x@seed.example", "y@seed.example"))
    assert (second.mail_from, second.raw) == ("b@x.example", b"two\r\n")
    assert first.connected == second.connected


def test_starttls_is_offered_and_told(sink: Running) -> None:
    """A sender that encrypts is recorded with its real peer and as having encrypted."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with sink.client("127.0.0.7") as client:
        client.starttls(context=context)
        client.ehlo("again.example")
        assert not client.has_extn("auth")
        client.sendmail("b@x.example", ["x@seed.example"], MESSAGE)
    (found,) = sink.finish().messages
    assert (found.tls, found.peer, found.helo) == (True, "127.0.0.7", "again.example")
    assert found.raw == MESSAGE


def test_failed_handshake_harms_nobody(sink: Running) -> None:
    """A sender that breaks off the handshake is forgotten; the next one is served."""
    with sink.client() as client:
        client.ehlo()
        assert client.docmd("STARTTLS")[0] == 220
        client.send(b"no TLS at all\r\n\r\n")
        assert client.sock is not None
        assert b"220" not in client.sock.recv(100)
        client.close()
    sink.send()
    assert len(sink.finish().messages) == 1
    assert sink.counts[-1].problem is None


def test_eight_bit_and_unicode_are_taken(sink: Running) -> None:
    """8BITMIME bodies and SMTPUTF8 addresses come through byte for byte."""
    raw = "Subject: Grüße\r\n\r\nÄ\r\n".encode() + b"\xff\r\n"
    with sink.client() as client:
        client.ehlo()
        client.mail("bü@x.example", ["SMTPUTF8", "BODY=8BITMIME"])
        client.rcpt("ö@seed.example")
        client.data(raw)
    (found,) = sink.finish().messages
    assert (found.mail_from, found.recipients) == ("bü@x.example", ("ö@seed.example",))
    assert found.raw == raw


def test_bytes_that_are_no_text_are_refused_or_shown(sink: Running) -> None:
    """An address that is not UTF-8 is refused; such a HELO is recorded in a printable form."""
    heard = sink.dialogue(
        b"EHLO h\xff\r\nMAIL FROM:<\xff@x.example> SMTPUTF8\r\n",
        b"MAIL FROM:<b@x.example>\r\nRCPT TO:<\xff@seed.example>\r\nRCPT TO:<>\r\n",
        b"RCPT TO:<x@seed.example>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n",
    )
    assert heard.count(b"\r\n553 ") == 3
    (found,) = sink.finish().messages
    assert (found.helo, found.recipients) == ("h\\xff", ("x@seed.example",))


def test_long_lines_are_recorded(sink: Running) -> None:
    """A line longer than the standard allows is what the sender sent: recorded, not refused."""
    raw = b"Subject: x\r\n\r\n" + b"x" * 100_000 + b"\r\n"
    sink.send(raw)
    assert sink.finish().messages[0].raw == raw


def test_unlisted_recipient_gets_550(tmp_path: Path) -> None:
    """Only listed recipients are taken; a message goes on to those among them."""
    door = replace(LOCAL, recipients=("*@seed.example",))
    with running(tmp_path, replace(SETTINGS, doors=(door,))) as sink:
        with sink.client() as client:
            refused = client.sendmail("b@x.example", ["x@seed.example", "y@else.example"], MESSAGE)
            assert refused == {"y@else.example": (550, b"5.1.1 no such recipient here")}
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                client.sendmail("b@x.example", ["y@else.example"], MESSAGE)
        reading = sink.finish()
        assert [mail.recipients for mail in reading.messages] == [("x@seed.example",)]
        assert sink.counts[-1].refused == 2


def test_too_large_gets_552(tmp_path: Path) -> None:
    """A message beyond the bound is refused, announced or not, and nothing of it is kept."""
    with running(tmp_path, with_limits(message=1000)) as sink:
        with sink.client() as client:
            client.ehlo()
            assert client.mail("b@x.example", ["SIZE=1001"])[0] == 552
            client.mail("b@x.example")
            client.rcpt("x@seed.example")
            assert client.data(b"x\r\n" * 400)[0] == 552
            client.sendmail("b@x.example", ["x@seed.example"], b"x\r\n" * 300)
        assert [len(mail.raw) for mail in sink.finish().messages] == [900]


def test_too_many_recipients_get_452(tmp_path: Path) -> None:
    """Recipients beyond the bound are put off; the others get the message."""
    with running(tmp_path, with_limits(recipients=2)) as sink:
        with sink.client() as client:
            refused = client.sendmail("b@x.example", [f"{n}@seed.example" for n in "123"], b"hi")
        assert refused == {"3@seed.example": (452, b"4.5.3 too many recipients")}
        assert sink.finish().messages[0].recipients == ("1@seed.example", "2@seed.example")


def test_connections_are_bounded_per_peer_and_in_all(tmp_path: Path) -> None:
    """One peer cannot take every connection, and all together not more than the bound."""
    with (
        running(tmp_path, with_limits(connections=3, connections_per_peer=2)) as sink,
        sink.client("127.0.0.2") as first,
        sink.client("127.0.0.2"),
    ):
        with pytest.raises(smtplib.SMTPConnectError, match="from your address"):
            sink.client("127.0.0.2")
        with (
            sink.client("127.0.0.3"),
            pytest.raises(smtplib.SMTPConnectError, match="too many connections"),
        ):
            sink.client("127.0.0.4")
        first.quit()
        wait_until(lambda: connects(sink, "127.0.0.2"))


def connects(sink: Running, source: str) -> bool:
    """Whether the sink lets one more in from a source."""
    try:
        sink.client(source).close()
    except smtplib.SMTPConnectError:
        return False
    return True


def wait_until(holds: Callable[[], bool]) -> None:
    """Ask again until something holds; a closed connection takes a moment to be noticed."""
    for _ in range(1000):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never held")


def test_rate_of_a_peer_is_bounded(tmp_path: Path) -> None:
    """A peer that is too fast is put off, while another is served."""
    with running(tmp_path, with_limits(per_minute=2)) as sink:
        sink.send()
        sink.send()
        with pytest.raises(smtplib.SMTPSenderRefused) as caught:
            sink.send()
        assert caught.value.smtp_code == 451
        sink.send(source="127.0.0.2")
        assert len(sink.finish().messages) == 3


def test_idle_connection_is_closed(tmp_path: Path) -> None:
    """A peer that says nothing is sent away after the idle time."""
    with running(tmp_path, with_limits(idle=0.05)) as sink:
        heard = sink.dialogue()
        assert heard.startswith(b"220 wavegate-sink Wavegate sink; 20")
        assert heard.count(b"\r\n") == 1


def test_peer_that_vanishes_leaves_nothing(sink: Running) -> None:
    """A connection broken within the data records nothing and harms nobody."""
    with sink.client() as client:
        client.ehlo()
        client.mail("b@x.example")
        client.rcpt("x@seed.example")
        client.putcmd("data")
        client.getreply()
        client.send(b"half a mess")
        linger = struct.pack("ii", 1, 0)
        assert client.sock is not None
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        client.close()
    sink.send()
    assert [mail.raw for mail in sink.finish().messages] == [MESSAGE]
    assert sink.counts[-1].problem is None


DIALOGUE = (
    b"EHLO r10.x.example\r\nMAIL FROM:<b@x.example>\r\nRCPT TO:<x@seed.example>\r\n"
    b"DATA\r\nhi\r\n.\r\nQUIT\r\n"
)
V2 = b"\r\n\r\n\x00\r\nQUIT\n"


@pytest.mark.parametrize(
    ("header", "peer"),
    [
        (b"PROXY TCP4 192.0.2.10 192.0.2.1 40000 25\r\n", "192.0.2.10"),
        (b"PROXY TCP6 2001:DB8::10 2001:db8::1 40000 25\r\n", "2001:db8::10"),
        (
            V2
            + struct.pack("!BBH", 0x21, 0x11, 12)
            + bytes([192, 0, 2, 11, 192, 0, 2, 1])
            + struct.pack("!HH", 40000, 25),
            "192.0.2.11",
        ),
        (
            V2
            + struct.pack("!BBH", 0x21, 0x21, 36)
            + socket.inet_pton(socket.AF_INET6, "2001:db8::11") * 2
            + struct.pack("!HH", 40000, 25),
            "2001:db8::11",
        ),
    ],
    ids=["v1-ipv4", "v1-ipv6", "v2-ipv4", "v2-ipv6"],
)
def test_named_proxy_is_believed(tmp_path: Path, header: bytes, peer: str) -> None:
    """From a named network the peer is what the PROXY header says, and the record says so."""
    with running(tmp_path, proxied("127.0.0.1/32")) as sink:
        assert b"250 2.0.0 OK" in sink.dialogue(header, DIALOGUE)
        (found,) = sink.finish().messages
        assert (found.peer, found.peer_by, found.helo) == (peer, "proxy", "r10.x.example")


def test_peer_beside_the_proxy_is_seen_by_its_socket(tmp_path: Path) -> None:
    """A door with a proxy still takes direct senders from elsewhere, as their socket shows."""
    with running(tmp_path, proxied("127.0.0.1/32")) as sink:
        sink.send(source="127.0.0.9")
        (found,) = sink.finish().messages
        assert (found.peer, found.peer_by) == ("127.0.0.9", "socket")


@pytest.mark.parametrize(
    "header",
    [b"PROXY TCP4 192.0.2.10 192.0.2.1 40000 25\r\n", V2 + struct.pack("!BBH", 0x21, 0x11, 12)],
)
def test_proxy_header_from_elsewhere_is_refused(sink: Running, header: bytes) -> None:
    """Nobody can lend themselves another address: nothing of such a connection is recorded."""
    assert b"250 2.0.0" not in sink.dialogue(header, DIALOGUE)
    assert sink.finish().messages == ()


@pytest.mark.parametrize(
    "header",
    [b"PROXY UNKNOWN\r\n", V2 + struct.pack("!BBH", 0x20, 0x00, 0)],
    ids=["v1-unknown", "v2-local"],
)
def test_proxy_that_names_nobody_may_only_say_hello(tmp_path: Path, header: bytes) -> None:
    """A proxy's own health check is answered, but no mail is recorded without a peer."""
    with running(tmp_path, proxied("127.0.0.0/8")) as sink:
        heard = sink.dialogue(header, DIALOGUE)
        assert b"250 HELP" in heard
        assert b"554 5.7.1 the proxy did not say who sends" in heard
        assert sink.finish().messages == ()


@pytest.mark.parametrize("header", [b"PROXY TCP4 1.2.3 x\r\n", b"EHLO client.example\r\n", b""])
def test_proxy_without_a_valid_header_is_closed(tmp_path: Path, header: bytes) -> None:
    """From a named proxy no header, or a bad one, is no connection: its address is not the peer."""
    settings = replace(proxied("127.0.0.1/32"), limits=SinkLimits(proxy=0.05))
    with running(tmp_path, settings) as sink:
        assert sink.dialogue(header) == b""
        assert sink.finish().messages == ()


def test_several_doors_have_their_own_rules(tmp_path: Path) -> None:
    """Each address takes the recipients of its own instances; all write one journal."""
    doors = (
        replace(LOCAL, recipients=("*@a.example",)),
        replace(LOCAL, recipients=("*@b.example",)),
    )
    with running(tmp_path, replace(SETTINGS, doors=doors)) as sink:
        first, second = (int(place.rpartition(":")[2]) for place in sink.places)
        for port, mine, other in ((first, "a", "b"), (second, "b", "a")):
            with smtplib.SMTP("127.0.0.1", port, "c.example", 10) as client:
                client.sendmail("x@x.example", [f"x@{mine}.example"], b"hi")
                with pytest.raises(smtplib.SMTPRecipientsRefused):
                    client.sendmail("x@x.example", [f"x@{other}.example"], b"hi")
        reading = sink.finish()
        assert [mail.recipients[0] for mail in reading.messages] == ["x@a.example", "x@b.example"]
        assert reading.listening[0].listener.listen == sink.places


def test_full_disk_puts_mail_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing can be written the sender is told to come again, and later it can."""
    with running(tmp_path) as sink:
        with monkeypatch.context() as full:
            full.setattr("wavegate.record.journal.os.write", fail_with(errno.ENOSPC))
            with pytest.raises(smtplib.SMTPDataError) as caught:
                sink.send(b"lost?\r\n")
        assert caught.value.smtp_code == 452
        assert "disk is full" in (sink.counts[-1].problem or "")
        sink.send()
        reading = sink.finish()
        assert [mail.raw for mail in reading.messages] == [MESSAGE]
        assert (reading.problems, len(reading.gaps)) == ((), 1)


def test_failed_sync_is_not_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the disk did not confirm is put off; the next message goes to a new segment."""
    with running(tmp_path) as sink:
        with monkeypatch.context() as failing:
            failing.setattr("wavegate.record.journal.os.fdatasync", fail_with(errno.EIO))
            with pytest.raises(smtplib.SMTPDataError) as caught:
                sink.send(b"unsure\r\n")
        assert caught.value.smtp_code == 452
        sink.send()
        assert sink.finish().messages[-1].raw == MESSAGE


def fail_with(code: int) -> Callable[..., int]:
    """A system call that fails."""

    def fail(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    return fail


def test_bound_on_the_journals_puts_mail_off(tmp_path: Path) -> None:
    """When the journals may grow no more the sender keeps the message."""
    with running(tmp_path, replace(SETTINGS, bounds=Bounds(total=1500, reserve=0))) as sink:
        with pytest.raises(smtplib.SMTPDataError) as caught:
            sink.send(b"x" * 2000)
        assert caught.value.smtp_code == 452
        reading = sink.finish()
        assert (reading.messages, reading.problems) == ((), ())


def test_disk_reserve_puts_mail_off_at_once(tmp_path: Path) -> None:
    """On a disk that is nearly full the message is not even received."""
    with running(tmp_path, replace(SETTINGS, bounds=Bounds(reserve=1 << 60))) as sink:
        with pytest.raises(smtplib.SMTPSenderRefused) as caught:
            sink.send()
        assert caught.value.smtp_code == 452


def test_fault_of_ours_puts_mail_off_without_details(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unforeseen error keeps the message with its sender and tells no stranger about us."""

    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    with running(tmp_path) as sink:
        with monkeypatch.context() as failing:
            failing.setattr("wavegate.record.mail_writer.to_fields", fail)
            with pytest.raises(smtplib.SMTPDataError) as caught:
                sink.send()
        assert (caught.value.smtp_code, caught.value.smtp_error) == (451, b"4.3.0 local error")
        assert "secret detail" in (sink.counts[-1].problem or "")
        sink.send()
        assert len(sink.finish().messages) == 1


def test_concurrent_senders_are_all_recorded(sink: Running) -> None:
    """Group commit of many sessions answers each of them, and keeps each message once."""

    def send(number: int) -> None:
        sink.send(b"%d\r\n" % number, source=f"127.0.1.{number + 1}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(40)))
    reading = sink.finish()
    found = {mail.raw: mail.peer for mail in reading.messages}
    assert found == {b"%d\r\n" % n: f"127.0.1.{n + 1}" for n in range(40)}
    assert (len(reading.messages), reading.problems) == (40, ())
    assert (sink.counts[-1].messages, sink.counts[-1].put_off) == (40, 0)


def test_ending_lets_a_message_under_way_come_to_its_end(sink: Running) -> None:
    """A sender in the middle of its data is acknowledged; an idle one is told to go."""
    idle = sink.client()
    with sink.client() as busy:
        busy.ehlo()
        busy.mail("b@x.example")
        busy.rcpt("x@seed.example")
        busy.putcmd("data")
        assert busy.getreply()[0] == 354
        with ThreadPoolExecutor(1) as pool:
            ended = pool.submit(sink.end)
            assert idle.getreply() == (421, b"4.3.2 shutting down")
            idle.close()
            busy.send(b"late\r\n.\r\n")
            assert busy.getreply()[0] == 250
            assert ended.result(10).messages == 1
    assert [mail.raw for mail in sink.mails()] == [b"late\r\n"]


def test_ending_does_not_wait_for_ever(tmp_path: Path) -> None:
    """A sender that never finishes its data does not hold the sink up."""
    with running(tmp_path, with_limits(grace=0.05)) as sink, sink.client() as slow:
        slow.ehlo()
        slow.mail("b@x.example")
        slow.rcpt("x@seed.example")
        slow.putcmd("data")
        slow.getreply()
        assert sink.end().messages == 0


def test_heartbeats_prove_that_it_listened(tmp_path: Path) -> None:
    """From start to stop the journal holds signs of life, at the distance that was set."""
    settings = replace(SETTINGS, heartbeat=timedelta(milliseconds=20), vantage="here")
    with running(tmp_path, settings) as sink:
        wait_until(lambda: len(sink.counts) >= 3)
        sink.end()
        (span,) = listening_intervals(sink.store)
        assert span.ended - span.began >= timedelta(milliseconds=60)
        assert (span.clean, span.listener.vantage) == (True, "here")


def test_missed_heartbeats_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes no sign of life is trouble that shows, and the beat goes on."""
    settings = replace(SETTINGS, heartbeat=timedelta(milliseconds=10))
    with running(tmp_path, settings) as sink:
        with monkeypatch.context() as full:
            full.setattr("wavegate.record.journal.os.write", fail_with(errno.ENOSPC))
            wait_until(lambda: bool(sink.counts and sink.counts[-1].problem))
        before = len(sink.counts)
        wait_until(lambda: len(sink.counts) > before + 3)
        assert sink.finish().problems == ()


def run_alone(folder: Path, *doors: Door) -> SinkCounts:
    """A sink that could not start, run to its error."""
    return asyncio.run(run_sink(replace(SETTINGS, doors=doors), folder))


def test_port_in_use_is_an_input_error(sink: Running, tmp_path: Path) -> None:
    """The error names the address, who to look for and the way around; nothing is left behind."""
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(InputError) as caught:
        run_alone(other, LOCAL, replace(LOCAL, port=sink.port))
    assert caught.value.where == f"127.0.0.1:{sink.port}"
    assert f"sport = :{sink.port}" in (caught.value.cure or "")
    assert "--listen" in (caught.value.cure or "")
    assert list(other.iterdir()) == []


@pytest.mark.parametrize(
    ("host", "cure"), [("192.0.2.77", "this machine"), ("no-such-host.invalid", "--listen")]
)
def test_address_that_is_not_ours_is_an_input_error(tmp_path: Path, host: str, cure: str) -> None:
    """An address of another machine, or a name of none, is said to be so."""
    with pytest.raises(InputError) as caught:
        run_alone(tmp_path, Door(host=host, port=0))
    assert cure in (caught.value.cure or "")


def test_privileged_port_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the privilege for port 25 the error says how to do without."""

    class Refusing(socket.socket):
        def bind(self, _address: object) -> None:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("wavegate.observe.sink.socket.socket", Refusing)
    with pytest.raises(InputError, match="Permission denied") as caught:
        sockets_of(replace(LOCAL, port=25))
    assert "2525" in (caught.value.cure or "")


def test_read_only_folder_is_our_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that cannot be written to is told before any mail is taken."""
    monkeypatch.setattr("wavegate.record.journal.os.open", fail_with(errno.EROFS))
    with pytest.raises(InternalError, match="cannot be written") as caught:
        run_alone(tmp_path, LOCAL)
    assert caught.value.cure


CHILD = """
import asyncio, sys
from pathlib import Path
from wavegate.observe.sink import run_sink
from wavegate.observe.sink_settings import Door, SinkSettings
from wavegate.record.local_store import LocalStore
from wavegate.record.mail_writer import Bounds
store = LocalStore.open(Path(sys.argv[1]), create=True)
settings = SinkSettings(doors=(Door(host="127.0.0.1", port=0),), bounds=Bounds(reserve=0))
ready = lambda places: print(*places, flush=True)
counts = asyncio.run(run_sink(settings, store.folder("mail"), ready=ready))
print(counts.messages)
"""


@contextmanager
def child(store: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A sink in a process of its own, and its port; killed on leaving, if it still runs."""
    command = [sys.executable, "-c", CHILD, str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline().rpartition(":")[2])
        finally:
            process.kill()


def send_until_it_ends(port: int, source: str, enough: threading.Event, count: int) -> list[bytes]:
    """Send message after message, and tell after a count; those that were acknowledged."""
    acknowledged: list[bytes] = []
    try:
        with socket.create_connection(("127.0.0.1", port), 10, (source, 0)) as sock:
            wire = sock.makefile("rwb")
            wire.readline()
            talk(wire, b"HELO x")
            for number in range(100_000):
                raw = f"{source} {number}\r\n".encode() + b"x" * 3000 + b"\r\n"
                for line in (b"MAIL FROM:<b@x.example>", b"RCPT TO:<x@seed.example>", b"DATA"):
                    talk(wire, line)
                talk(wire, raw + b".")
                acknowledged.append(raw)
                if number == count:
                    enough.set()
    except (OSError, EOFError):
        pass
    return acknowledged


def talk(wire: BufferedRWPair, line: bytes) -> None:
    """Say a line and insist on a good reply."""
    wire.write(line + b"\r\n")
    wire.flush()
    if wire.readline()[:1] not in (b"2", b"3"):
        raise EOFError


@pytest.mark.parametrize("round_", range(2))
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_acknowledged_is_lost(tmp_path: Path, how: signal.Signals, round_: int) -> None:
    """Ended or killed under load, every acknowledged message is in the journal, whole and once."""
    sources = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]
    flags = [threading.Event() for _ in sources]
    with child(tmp_path / "store") as (process, port), ThreadPoolExecutor(3) as pool:
        sending = [
            pool.submit(send_until_it_ends, port, source, flag, 5 + 20 * round_)
            for source, flag in zip(sources, flags, strict=True)
        ]
        assert all(flag.wait(20) for flag in flags)
        process.send_signal(how)
        acknowledged = [raw for one in sending for raw in one.result(20)]
        code = process.wait(20)
        said = process.stdout.read() if process.stdout else ""
    reading = read_mails(LocalStore.open(tmp_path / "store", create=False))
    recorded = [mail.raw for mail in reading.messages]
    assert len(acknowledged) >= 18
    assert set(acknowledged) <= set(recorded)
    assert len(recorded) == len(set(recorded))
    assert {problem.kind for problem in reading.problems} <= {"torn"}
    if how is signal.SIGKILL:
        assert code == -signal.SIGKILL
    else:
        assert (code, said, reading.problems) == (0, f"{len(recorded)}\n", ())
        assert reading.listening[0].clean
