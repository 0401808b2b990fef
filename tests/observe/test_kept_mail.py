# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What is left of a mail: no address of a reader, no body, and every signature still verifies."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dns.name import Name
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from tests.builders.estates import instance
from tests.builders.mails import mail
from tests.compare.signed import NEW, OLD, key_text, signed
from tests.mailauth.zones import Table

from wavegate.canonical import digest, dumps, loads
from wavegate.compare.dkim_mail import judge_mail
from wavegate.compare.signatures import Signed
from wavegate.compare.verifying import verify_received
from wavegate.mailauth.dkim import Outcome
from wavegate.mailauth.dkim_key import Key, effective_key
from wavegate.observe.header_mask import masked_header, masked_text, readers
from wavegate.observe.kept_mail import MailKeeper
from wavegate.record.content_key import content_hash, named_recipients, tracking_ids
from wavegate.record.mail_fields import from_fields, to_fields
from wavegate.record.message import Received
from wavegate.record.recipient import expression, hidden_at

SECRET = b"k" * 32
ANNA = "anna.smith@people.example"
ANNA_HIDDEN = hidden_at(ANNA, SECRET)
FEEDBACK = base64.b64encode(json.dumps({"r": ANNA, "rcpt_meta": {"d": "1", "r": ANNA}}).encode())
HEADERS = {
    "To": f'"Anna Smith" <{ANNA}>, seed@seed.example',
    "Delivered-To": ANNA,
    "List-Unsubscribe": "<mailto:u-anna.smith=people.example@b.example>,"
    " <https://t.example/u?a=anna.smith%40people.example>",
    "X-MSFBL": f"c2ln|{FEEDBACK.decode()}",
    "Received": f"from a by mta.example for <{ANNA}>; Tue, 16 Jan 2024 20:00:00 +0000",
    "Subject": "Hello",
}
COVERS = ("from", "to", "subject", "list-unsubscribe", "message-id")


def hide(address: str) -> str:
    """Seeds in plain, all others hidden."""
    ours = expression(["*@seed.example"])
    return address if ours.fullmatch(address) else hidden_at(address, SECRET)


def keeper(*, bodies: bool = False, plain: bool = False) -> MailKeeper:
    """A policy."""
    return MailKeeper(hide=None if plain else lambda _: hide, bodies=bodies)


def personal(**other: Any) -> Received:
    """A signed mail to a person."""
    one = signed(headers=HEADERS, covers=COVERS, **other)
    bounce = "bounce-anna.smith=people.example@b.example"
    return replace(one, recipients=(ANNA,), mail_from=bounce)


def keys(which: str = OLD) -> Callable[[Name], Key]:
    """The one key that is published, under the selector that signs."""
    table = Table({"acc1._domainkey.news.acme.example": [{"TXT": key_text(which)}]})
    return lambda name: effective_key(table(name, "TXT"))


def again(mail: Received) -> Received:
    """A mail written down and read back."""
    return from_fields(loads(dumps(to_fields(mail)), where="here"), journal=mail.journal)  # type: ignore[arg-type] # an object


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("form", [b"simple", b"relaxed"])
def test_signature_verifies_without_the_body(form: bytes, plain: bool) -> None:
    """What was received verifies from header and hashes alone, hidden readers or not."""
    one = personal(form=form)
    kept = again(keeper(plain=plain).keep(one))
    assert not kept.raw.endswith(b"hello\r\n")
    assert kept.gist is not None
    expected = (False, len(one.raw), one.digest)
    assert expected == (kept.gist.whole, kept.size, kept.digest)
    assert verify_received(one, keys()) == verify_received(kept, keys())
    assert [Outcome.PASS] == [found.outcome for found in verify_received(kept, keys())]


def test_forgery_is_still_told() -> None:
    """A changed body, a changed header and another key fail from the hashes as from the mail."""
    one = personal()
    body = replace(one, raw=one.raw.replace(b"hello\r\n", b"help\r\n"))
    head = replace(one, raw=one.raw.replace(b"Subject: Hello", b"Subject: Hullo"))
    for bad, which in ((body, OLD), (head, OLD), (one, NEW)):
        kept = keeper().keep(replace(bad, digest=digest(bad.raw)))
        expected = [found.reason for found in verify_received(bad, keys(which))]
        found = verify_received(kept, keys(which))
        assert (expected, [Outcome.FAIL]) == ([one.reason for one in found], [found[0].outcome])


def test_no_reader_is_legible_in_what_is_kept() -> None:
    """Without bodies an address stands nowhere: envelope, header, packed fields, the gist."""
    kept = keeper().keep(personal())
    feedback = base64.b64decode((kept.header("X-MSFBL") or "").rpartition("|")[2])
    text = dumps(to_fields(kept)) + kept.raw + feedback
    for word in (b"anna", b"Anna", b"smith", b"Smith"):
        assert word not in text
    hidden = ANNA_HIDDEN.replace(":", "-")
    assert (ANNA_HIDDEN,) == kept.recipients
    assert f"{hidden}, seed@seed.example" == kept.header("To")
    assert f"u-{hidden.replace('@', '=')}@b.example" in (kept.header("List-Unsubscribe") or "")
    assert f"bounce-{hidden.replace('@', '=')}@b.example" == kept.mail_from
    assert "acme <hello@news.acme.example>" == kept.header("From")


def test_readers_in_plain_stay_by_policy() -> None:
    """With `recipients: plain` only the body goes, and the header is what was received."""
    one = personal()
    kept = keeper(plain=True).keep(one)
    assert one.raw == kept.raw + b"hello\r\n"
    assert (one.recipients, one.mail_from) == (kept.recipients, kept.mail_from)
    assert [None] == [part and part.head for part in (kept.gist.signed if kept.gist else ())]


def test_whole_mail_keeps_its_header_as_it_came() -> None:
    """With bodies the message stays whole, for its signatures; the envelope is hidden."""
    one = personal()
    kept = again(keeper(bodies=True).keep(one))
    assert (one.raw, (ANNA_HIDDEN,)) == (kept.raw, kept.recipients)
    assert content_hash(one) == content_hash(kept)


def test_mail_to_seeds_is_kept_as_it_came() -> None:
    """A seed is no person: nothing is hidden, so the mail needs no gist."""
    one = signed()
    assert one is keeper(bodies=True).keep(one)
    kept = keeper().keep(one)
    assert (one.recipients, one.headers("Message-ID")) == (
        kept.recipients,
        kept.headers("Message-ID"),
    )


def test_gist_is_what_the_whole_mail_says() -> None:
    """Content key, ids in links and named readers are the same as of the whole mail."""
    one = mail(headers={"To": "seed@seed.example", "Content-Type": "text/plain"})
    text = b"see https://t.example/r/?id=h1f,2a,1 for other@seed.example\r\n"
    one = replace(one, raw=one.raw + text, digest=digest(one.raw + text))
    kept = again(keeper().keep(one))
    assert (content_hash(one), tracking_ids(one)) == (content_hash(kept), tracking_ids(kept))
    assert {(0x1F, 0x2A)} == set(tracking_ids(kept))
    assert named_recipients(one) == named_recipients(kept)


def test_signature_nobody_hashed_is_not_told() -> None:
    """A signature without hashes is neither right nor wrong, and the policy is named."""
    kept = keeper().keep(personal())
    assert kept.gist is not None
    bare = replace(kept, gist=replace(kept.gist, signed=()))
    (found,) = verify_received(bare, keys())
    assert Outcome.TEMPERROR is found.outcome
    assert "policy keep.bodies" in found.reason
    sides = [(Signed(mail=bare, author="news.acme.example", results=(found,)),)] * 2
    side = judge_mail(instance(), *sides)
    assert () == side.findings
    assert ["mail-not-verifiable"] == [one.rule for one in side.missing]
    assert "policy keep.bodies" in side.missing[0].what


@pytest.mark.parametrize(
    "field",
    [{"size": -1.5}, {"signed": [{"octets": 1, "body": "zz", "head": None}]}, {"links": ["x"]}],
)
def test_broken_gist_is_refused(field: dict[str, object]) -> None:
    """A gist that cannot be read is a damaged line, never half a mail."""
    fields = to_fields(keeper().keep(personal()))
    gist = fields["gist"]
    assert isinstance(gist, dict)
    with pytest.raises((ValueError, TypeError)):
        from_fields({**fields, "gist": {**gist, **field}}, journal="")


def test_corpus_verifies_alike() -> None:
    """Real messages: each signature is judged from header and hashes as from the whole."""
    folder = Path(__file__).parents[3] / "shared" / "corpora" / "dkim"
    if not folder.exists():
        pytest.skip("the corpora are not beside the repository")
    cases = YAML(typ="safe", pure=True).load((folder / "messages.yml").read_text("utf-8"))
    judged = []
    for case in cases:
        raw = (folder / case["message"]).read_bytes()
        table = Table({name: [{"TXT": text}] for name, text in case["txt"].items()})
        one = replace(personal(), raw=raw, digest=digest(raw))
        kept = again(keeper().keep(one))
        whole, header = (
            verify_received(found, lambda name, t=table: effective_key(t(name, "TXT")))  # type: ignore[misc] # the default binds the loop's table
            for found in (one, kept)
        )
        assert whole == header
        judged.append(len(whole))
    assert 11 == len(judged)


@given(st.binary(max_size=300), st.sampled_from(["To: ", "DKIM-Signature: ", "X-MSFBL: a|", ""]))
def test_any_bytes_are_kept_or_masked(data: bytes, start: str) -> None:
    """Hostile bytes never stop the recording, and are read alike from what is kept."""
    raw = start.encode() + data
    one = replace(mail(recipient=ANNA), raw=raw, digest=digest(raw))
    kept = again(keeper().keep(one))
    assert verify_received(one, keys()) == verify_received(kept, keys())
    assert (len(raw), (ANNA_HIDDEN,)) == (kept.size, kept.recipients)


def test_header_without_such_addresses_is_the_same_bytes() -> None:
    """Masking changes no byte of a header that names nobody who is hidden."""
    header = b"To:  seed@seed.example\r\nSubject: x\r\n y\r\n\r\n"
    assert {"seed@seed.example"} == readers(header)
    assert header == masked_header(header, {ANNA: ANNA_HIDDEN})
    assert "x" == masked_text("x", {})
