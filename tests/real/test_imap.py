# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A real IMAP server, Dovecot, begun and ended by the test as an ordinary process."""

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from tests.builders.mailboxes import RECEIVER, message

from wavegate.observe.imap_connection import ImapPlace
from wavegate.observe.imap_mailbox import ImapMailbox, Login
from wavegate.observe.mailbox_item import MailboxError, RawMessage, Unread
from wavegate.observe.mailbox_message import MAX_MESSAGE, Reader

AT = datetime(2024, 1, 16, 20, tzinfo=UTC)
CONFIG = """
base_dir = {run}
log_path = {log}
protocols = imap
listen = 127.0.0.1
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 0
disable_plaintext_auth = yes
ssl = required
ssl_cert = <{cert}
ssl_key = <{key}
mail_location = maildir:{mail}
namespace inbox {{
  inbox = yes
}}
passdb {{
  driver = static
  args = password=s3cret
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {plain}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls}
    ssl = yes
  }}
}}
"""


@dataclass(frozen=True)
class Server:
    """A running server. mail: its Maildir. base: where password and ca lie as files."""

    plain: int
    tls: int
    mail: Path
    base: Path
    uid: int
    gid: int

    def mailbox(self, *, start: str = "imaps", **other: object) -> ImapMailbox:
        """The mailbox as Wavegate reads it."""
        port = self.tls if start == "imaps" else self.plain
        login = Login(user=None, password="file:password", ca="file:ca.pem", base=self.base)
        place = ImapPlace.parse(f"{start}://seed@localhost:{port}/INBOX")
        return ImapMailbox(place=place, login=login, **other)  # type: ignore[arg-type] # of the test

    def deliver(self, name: str, data: bytes) -> None:
        """Put a message into the mailbox, as a delivery agent would."""
        for part in ("tmp", "new", "cur"):
            (self.mail / part).mkdir(parents=True, exist_ok=True)
        (self.mail / "new" / name).write_bytes(data)
        for path in (self.mail, *self.mail.rglob("*")):
            os.chown(path, self.uid, self.gid)


def _free() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _users() -> dict[str, object]:
    """Who Dovecot's parts run as: its own users if we are root, which it refuses, or we."""
    root = os.geteuid() == 0
    internal = pwd.getpwnam("dovecot") if root else pwd.getpwuid(os.getuid())
    return {
        "internal": internal.pw_name,
        "login": "dovenull" if root else internal.pw_name,
        "group": grp.getgrgid(internal.pw_gid).gr_name,
        "uid": internal.pw_uid,
        "gid": internal.pw_gid,
    }


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Dovecot on two free ports; skips with the reason where it is not installed."""
    binary = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
    if binary is None:
        pytest.skip("dovecot is not installed (Debian: dovecot-imapd)")
    with tempfile.TemporaryDirectory(prefix="wavegate-dovecot-") as folder:
        base = Path(folder)
        base.chmod(0o755)  # its parts run as users of their own
        yield from _running(binary, base)


def _running(binary: str, base: Path) -> Iterator[Server]:
    issuer = trustme.CA()
    issued = issuer.issue_cert("localhost")
    issuer.cert_pem.write_to_path(base / "ca.pem")
    issued.private_key_pem.write_to_path(base / "key.pem")
    issued.cert_chain_pems[0].write_to_path(base / "cert.pem")
    (base / "password").write_text("s3cret\n")
    users = _users()
    uid, gid = int(str(users["uid"])), int(str(users["gid"]))
    found = Server(plain=_free(), tls=_free(), mail=base / "mail", base=base, uid=uid, gid=gid)
    text = CONFIG.format(
        run=base / "run",
        log=base / "log",
        cert=base / "cert.pem",
        key=base / "key.pem",
        mail=found.mail,
        home=base,
        plain=found.plain,
        tls=found.tls,
        **users,
    )
    (base / "dovecot.conf").write_text(text)
    process = subprocess.Popen([binary, "-F", "-c", str(base / "dovecot.conf")])
    try:
        _await(process, found.tls, base / "log")
        yield found
    finally:
        process.terminate()
        process.wait(20)


def _await(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = datetime.now(UTC) + timedelta(seconds=20)
    while datetime.now(UTC) < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        else:
            return
    pytest.fail(f"dovecot did not come up: {log.read_text() if log.exists() else 'no log'}")


@pytest.mark.parametrize("start", ["imaps", "imap"])
def test_reads_every_message_and_marks_none(server: Server, start: str) -> None:
    """By TLS and by STARTTLS each message comes whole, and stays new in the Maildir."""
    sent = [message(n=n, peer=f"192.0.2.{10 + n}") for n in range(3)]
    for n, data in enumerate(sent):
        server.deliver(f"{n}.one", data)
    items = list(server.mailbox(start=start).items())
    found = [item.data for item in items if isinstance(item, RawMessage)]
    assert sorted(sent) == sorted(data.replace(b"\r\n", b"\n") for data in found)
    assert all(item.stored for item in items if isinstance(item, RawMessage))
    flags = [path.name for path in (server.mail / "cur").iterdir() if path.name.endswith("S")]
    assert [] == flags


def test_goes_on_behind_the_last_mark(server: Server) -> None:
    """What was read is not asked for again; what came since is."""
    server.deliver("9.one", message(n=9, peer="192.0.2.19"))
    first = list(server.mailbox().items())
    server.deliver("10.one", message(n=10, peer="192.0.2.20"))
    second = list(server.mailbox(after=first[-1].mark).items())
    assert [message(n=10, peer="192.0.2.20")] == [
        item.data.replace(b"\r\n", b"\n") for item in second if isinstance(item, RawMessage)
    ]


def test_message_becomes_mail_of_the_trusted_peer(server: Server) -> None:
    """The peer is the one that the receiver's own line names, through a real server too."""
    server.deliver("11.one", message(n=11, peer="192.0.2.31"))
    reader = Reader(
        kind="imap", receiver=RECEIVER, at=datetime.now(UTC), tolerance=timedelta(seconds=5)
    )
    items = [item for item in server.mailbox().items() if isinstance(item, RawMessage)]
    found = [reader.read(item.data, stored=item.stored) for item in items]
    assert "192.0.2.31" in {getattr(mail, "peer", "") for mail in found}


def test_too_large_a_message_is_left_out_without_being_fetched(server: Server) -> None:
    """A message beyond the bound is named, and the others are read all the same."""
    server.deliver("12.big", message(n=12, peer="192.0.2.10") + b"x" * (MAX_MESSAGE + 1))
    left_out = [item for item in server.mailbox().items() if isinstance(item, Unread)]
    assert [f"larger than {MAX_MESSAGE} bytes"] == [item.reason for item in left_out]
    for path in server.mail.glob("*/12.big*"):
        path.unlink()


def test_wrong_password_is_told_without_any_secret(server: Server, tmp_path: Path) -> None:
    """A refused login says what to check, and holds neither password nor the server's text."""
    (tmp_path / "password").write_text("wr0ng")
    shutil.copy(server.base / "ca.pem", tmp_path)
    login = Login(user=None, password="file:password", ca="file:ca.pem", base=tmp_path)
    place = ImapPlace.parse(f"imaps://seed@localhost:{server.tls}/INBOX")
    with pytest.raises(MailboxError, match="refused the login") as caught:
        list(ImapMailbox(place=place, login=login).items())
    assert "wr0ng" not in str(caught.value)


def test_unknown_certificate_is_refused(server: Server) -> None:
    """Without the authority that signed it, no password is sent to the server."""
    login = Login(user=None, password="file:password", ca=None, base=server.base)
    place = ImapPlace.parse(f"imaps://seed@localhost:{server.tls}/INBOX")
    with pytest.raises(MailboxError, match="certificate is not trusted"):
        list(ImapMailbox(place=place, login=login).items())


def test_missing_folder_is_told(server: Server) -> None:
    """A folder that is not there is no empty mailbox."""
    login = Login(user=None, password="file:password", ca="file:ca.pem", base=server.base)
    place = ImapPlace.parse(f"imaps://seed@localhost:{server.tls}/Nowhere")
    with pytest.raises(MailboxError, match="cannot be read"):
        list(ImapMailbox(place=place, login=login).items())
