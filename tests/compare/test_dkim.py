# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
from tests.builders.estates import instance
from tests.compare.signed import NEW, OLD, key_text, signed, some, twice_signed
from tests.compare.views import SERVERS, TableView, alike

from wavegate.compare.dkim import compare_dkim, gather
from wavegate.record.message import Received
from wavegate.verdict import Judgement, Verdict

NEWS = "news.acme.example"
OWNER = f"acc1._domainkey.{NEWS}"
SPARE = f"acc2._domainkey.{NEWS}"
DOMAINS = [{"name": NEWS, "selectors": ["acc1", "acc2"], "primary": True}]
ZONE: dict[str, Any] = {
    OWNER: [{"TXT": key_text(OLD)}],
    SPARE: [{"TXT": key_text("spare")}],
}
BEFORE = some()
AFTER = some(after=True)


def key(text: Any, owner: str = OWNER) -> dict[str, Any]:
    """The zone with another text at a selector."""
    return {**ZONE, owner: [{"TXT": text}]}


def judged(
    after: TableView | None = None,
    before: TableView | None = None,
    *,
    mails: tuple[Received, ...] = AFTER,
    earlier: tuple[Received, ...] = BEFORE,
    **other: Any,
) -> Judgement:
    """The judgement over two views of the DNS."""
    subject = instance(**{"domains": DOMAINS, **other})
    return compare_dkim(
        gather(subject, before or alike(ZONE), earlier),
        gather(subject, after or alike(ZONE), mails),
    )


def test_nothing_changed() -> None:
    """The same keys, and mail that verifies: PASSED, with what was shown."""
    found = judged()
    assert Verdict.PASSED is found.verdict, found.reason
    assert "4 of 4 messages after are signed as before and verify" in str(found.shown)


KEYS: dict[str, tuple[Any, str, str, set[str]]] = {
    "another key": (key_text(NEW), OWNER, "other-key", {"acc1", NEWS}),
    "testing": (key_text(OLD, "v=DKIM1; t=y; "), OWNER, "other-flags", {"acc1", "t=y"}),
    "strict": (key_text(OLD, "v=DKIM1; t=s; "), OWNER, "other-flags", {"acc1", NEWS, "t=s"}),
    "sha1 only": (key_text(OLD, "v=DKIM1; h=sha1; "), OWNER, "other-flags", {"acc1", "h=sha1"}),
    "cut": (key_text(OLD)[:255], OWNER, "key-invalid", {"acc1", "255"}),
    "quote and space": (
        key_text(OLD).replace("p=MIIB", 'p=MI" "IB'),
        OWNER,
        "key-invalid",
        {"acc1"},
    ),
    "spare revoked": ("v=DKIM1; p=", SPARE, "key-revoked", {"acc2", NEWS, "revoked"}),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys(name: str) -> None:
    """Each other key record convicts, by its rule, at its owner, with its witness."""
    text, owner, rule, witness = KEYS[name]
    found = judged(alike(key(text, owner)))
    finding = found.findings[0]
    assert (Verdict.FAILED, rule, f"{owner} TXT") == (found.verdict, finding.rule, finding.subject)
    assert witness <= set(finding.witness), finding.witness


def test_a_rotated_key_names_both_fingerprints() -> None:
    """Mail that verifies under the new key does not excuse another key."""
    found = judged(alike(key(key_text(NEW))), mails=some(after=True, which=NEW))
    (finding,) = found.findings
    prints = [text for text in finding.witness if text.startswith("sha256:")]
    assert 2 == len(set(prints))
    assert prints[0] in str(finding.before)
    assert prints[1] in str(finding.after)


REWRITES = {
    "rewrapped": (
        [key_text(OLD)[:80], key_text(OLD)[80:200] + " " + key_text(OLD)[200:]],
        "same-key-rewrapped",
    ),
    "split": ([key_text(OLD)[:80], key_text(OLD)[80:]], "txt-split"),
    "defaults": (key_text(OLD, "v=DKIM1; k=rsa; s=*; t=; "), "defaults-explicit"),
}


@pytest.mark.parametrize("name", REWRITES)
def test_benign_rewrites_are_cleared_by_name(name: str) -> None:
    """The same numbers and flags, told with the rule that cleared the other text."""
    text, rule = REWRITES[name]
    found = judged(alike(key(text)))
    assert Verdict.PASSED is found.verdict, found.reason
    assert [(f"{OWNER} TXT", rule)] == [(c.subject, c.rule) for c in found.cleared]


def test_a_flattened_cname_is_cleared() -> None:
    """The way to the key is the operator's choice."""
    chained = {**ZONE, OWNER: [{"CNAME": "k.provider.example"}]}
    chained["k.provider.example"] = ZONE[OWNER]
    found = judged(before=alike(chained))
    assert Verdict.PASSED is found.verdict, found.reason
    assert ["cname-flattened"] == [cleared.rule for cleared in found.cleared]


def test_the_odd_server_is_named() -> None:
    """NXDOMAIN at one server of four."""
    odd = {owner: rows for owner, rows in ZONE.items() if owner != OWNER}
    found = judged(alike(ZONE, ns4=odd))
    (finding,) = found.findings
    assert "key-absent" == finding.rule
    assert {SERVERS[3], "acc1", NEWS} <= set(finding.witness)
    assert SERVERS[0] not in finding.witness


def test_servfail_is_not_an_absence() -> None:
    """All servers SERVFAIL for one selector: inconclusive, with selector and reason."""
    silent = TableView({server: {**ZONE, OWNER: ["TIMEOUT"]} for server in SERVERS})
    found = judged(silent)
    assert Verdict.INCONCLUSIVE is found.verdict
    assert OWNER in found.missing[0].what
    assert "timeout" in found.missing[0].what


def test_a_selector_that_was_never_published_is_inconclusive() -> None:
    """A spelling mistake in the estate must not look like a promise kept."""
    domains = [{"name": NEWS, "selectors": ["acc1", "typo"], "primary": True}]
    found = judged(domains=domains)
    assert Verdict.INCONCLUSIVE is found.verdict
    assert "typo" in found.missing[0].what


def test_half_of_the_mail_signed_with_another_key() -> None:
    """The selector, a failing message and the host that it came through are named."""
    hosts = ("new-a.acme.example", "new-b.acme.example")
    mails = tuple(
        signed(
            n,
            after=True,
            which=NEW if n % 2 else OLD,
            headers={"Received": f"from app by {hosts[(n + 1) % 2]} with SMTP; x"},
        )
        for n in range(6)
    )
    (finding,) = judged(mails=mails).findings
    assert ("signature-does-not-verify", f"{OWNER} TXT") == (finding.rule, finding.subject)
    assert {"acc1", mails[1].message_id, hosts[0]} <= set(finding.witness)
    assert f"3 of 3 through {hosts[0]}" in finding.observed
    assert ("verifies", "fail: the signature is not of this key") == (finding.before, finding.after)


def test_strict_identity_breaks_the_mail_too() -> None:
    """i= below d= under t=s."""
    mails = some(after=True, identity=f"@mail.{NEWS}")
    found = judged(alike(key(key_text(OLD, "v=DKIM1; t=s; "))), mails=mails)
    rules = [finding.rule for finding in found.findings]
    assert ["other-flags", "signature-does-not-verify"] == rules


def test_one_unsigned_message_in_twenty() -> None:
    """A message id and its size."""
    big = signed(19, after=True, which=None)
    found = judged(mails=(*some(19, after=True), big))
    (finding,) = found.findings
    assert ("unsigned-mail", NEWS) == (finding.rule, finding.subject)
    assert {big.message_id, str(len(big.raw))} <= set(finding.witness)
    assert "1 of 20" in finding.explanation


def test_mail_signed_in_another_name() -> None:
    """It verifies, but by no d= and s= used before."""
    zone = {**ZONE, "s1._domainkey.mta.example": [{"TXT": key_text(NEW)}]}
    mails = some(after=True, which=NEW, d="mta.example", selector="s1")
    found = judged(alike(zone), mails=mails)
    (finding,) = found.findings
    assert "other-signer" == finding.rule
    assert {"mta.example", "s1", mails[0].message_id} <= set(finding.witness)


MAILER = {**ZONE, "m1._domainkey.mailer.example": [{"TXT": key_text(NEW)}]}


def test_a_second_signer_that_is_gone() -> None:
    """Mail bore two verifying signatures before, and bears one after: the one is named."""
    both = tuple(twice_signed(n) for n in range(4))
    found = judged(alike(MAILER), alike(MAILER), earlier=both)
    (finding,) = found.findings
    assert "signer-gone" == finding.rule
    assert {"mailer.example", "m1", NEWS, AFTER[0].message_id} <= set(finding.witness)


@pytest.mark.parametrize("second", [0, 3])
def test_a_signer_of_a_part_of_the_mail_is_none_that_is_missed(second: int) -> None:
    """Only what signed all mail before must sign on; a further signer is nothing lost."""
    mixed = tuple(twice_signed(n) if n < second else signed(n) for n in range(4))
    twice = tuple(twice_signed(n, after=True) for n in range(4))
    for mails in (AFTER, twice):
        found = judged(alike(MAILER), alike(MAILER), earlier=mixed, mails=mails)
        assert Verdict.PASSED is found.verdict, found.reason


UNSUBSCRIBE = {"List-Unsubscribe": "<https://u.news.acme.example/x>", "Subject": "hello"}
COVERED = ("from", "from", "subject", "list-unsubscribe")


@pytest.mark.parametrize(
    ("covers", "lost"),
    [
        (("from", "from", "subject"), "List-Unsubscribe"),
        (("from", "subject", "list-unsubscribe"), "From"),
    ],
)
def test_fewer_signed_headers_convict(covers: tuple[str, ...], lost: str) -> None:
    """It verifies, and covers less than each signature of that d= and s= did before."""
    old = some(headers=UNSUBSCRIBE, covers=COVERED)
    new = some(headers=UNSUBSCRIBE, covers=covers, after=True)
    found = judged(earlier=old, mails=new)
    (finding,) = found.findings
    assert "fewer-signed-headers" == finding.rule
    assert {lost, NEWS, "acc1", new[0].message_id} <= set(finding.witness)


def test_more_signed_headers_or_a_field_that_is_not_there_are_none_fewer() -> None:
    """A signer may cover more; what a message does not bear need not be covered."""
    old = some(headers=UNSUBSCRIBE, covers=COVERED)
    more = some(headers=UNSUBSCRIBE, covers=(*COVERED, "message-id", "date"), after=True)
    bare = some(headers={"Subject": "no list"}, covers=("from", "from", "subject"), after=True)
    for mails in (more, bare):
        assert Verdict.PASSED is judged(earlier=old, mails=mails).verdict


def test_a_header_that_was_not_always_signed_is_not_missed() -> None:
    """Two kinds of mail, one without the field in h=: it was never promised."""
    old = (*some(headers=UNSUBSCRIBE, covers=COVERED), signed(9, headers=UNSUBSCRIBE))
    assert (
        Verdict.PASSED is judged(earlier=old, mails=some(headers=UNSUBSCRIBE, after=True)).verdict
    )


def test_another_canonical_form_is_information() -> None:
    """Seen and cleared."""
    found = judged(earlier=some(form=b"simple"))
    assert Verdict.PASSED is found.verdict, found.reason
    (cleared,) = found.cleared
    assert ("c=simple/simple", "c=relaxed/relaxed") == (cleared.before, cleared.after)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"mails": ()}, "no-mail-after"),
        ({"earlier": ()}, "no-mail-before"),
        ({"mail": []}, "no-mail-source"),
    ],
)
def test_without_mail_it_is_inconclusive(given: Any, rule: str) -> None:
    """Keys alone do not keep the promise."""
    found = judged(**given)
    assert Verdict.INCONCLUSIVE is found.verdict
    assert rule in [gap.rule for gap in found.missing]


def test_a_domain_whose_mail_is_still_to_come() -> None:
    """Mail of one domain does not speak for the other."""
    domains = [*DOMAINS, {"name": "shop.acme.example", "selectors": ["acc1"]}]
    zone = {**ZONE, "acc1._domainkey.shop.acme.example": [{"TXT": key_text(OLD)}]}
    earlier = (*BEFORE, *some(domain="shop.acme.example"))
    found = judged(alike(zone), alike(zone), earlier=earlier, domains=domains)
    assert [("no-mail-after", "shop.acme.example", 1)] == [
        (gap.rule, gap.subject, gap.count) for gap in found.missing
    ]


def test_anyone_can_write_to_a_sink() -> None:
    """Unsigned mail from an address that is not agreed convicts nobody."""
    stranger = signed(9, after=True, which=None, peer="203.0.113.99")
    assert Verdict.PASSED is judged(mails=(*AFTER, stranger)).verdict


def test_the_same_keys_are_not_needed_at_the_instant_of_judging() -> None:
    """Mail before is verified with the keys recorded before."""
    found = judged(before=alike(key(key_text(NEW))), earlier=some(which=NEW))
    assert {"other-key"} == {finding.rule for finding in found.findings}
