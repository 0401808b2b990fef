# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What `nothing_else_changed` holds of signatures, hosts, policies and blocklists."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rrset
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.builders.estates import IPS, instance
from tests.builders.snapshots import (
    AFTER,
    BEFORE,
    NS,
    answered,
    campaign,
    dns_seen,
    everywhere,
    no_name,
    snapshot,
    zone,
)

from wavegate.compare import residue_blocklists
from wavegate.compare.nothing_else_changed import Residue, compare_nothing_else_changed, gather
from wavegate.compare.residue_rules import RULES
from wavegate.observe import dns_names
from wavegate.record.campaign_view import CampaignView
from wavegate.record.dns_view import SIGNED, DnsView
from wavegate.record.host_view import HostView
from wavegate.record.observation import Absent, Kind, Observation, Outcome, Seen, Unreachable
from wavegate.record.snapshot import Phase
from wavegate.verdict import Judgement, Verdict

D = "news.acme.example"
LIST = "dnsbl.example"
PARENT = "192.0.2.60:53"


def side(phase: Phase, more: Sequence[Observation]) -> Residue:
    """The healthy world with more in it."""
    when = BEFORE if phase == "before" else AFTER
    asked = {found.identity for found in more}
    rest = [o for o in (*zone(when), *campaign(when)) if o.identity not in asked]
    taken = snapshot(phase, (*rest, *more))
    views = DnsView(taken), CampaignView(taken)
    return gather(instance(), *views, hosts=HostView(taken), blocklists=(LIST,))


def judged(before: Sequence[Observation], after: Sequence[Observation]) -> Judgement:
    """The judgement on what was added to both sides."""
    moved = [replace(found, at=AFTER) for found in after]
    return compare_nothing_else_changed(side("before", before), side("after", moved))


def convicts(found: Judgement, *witness: str) -> None:
    """One finding that names all of these."""
    assert Verdict.FAILED == found.verdict
    assert 1 == len(found.findings), [f.subject for f in found.findings]
    assert set(witness) <= set(found.findings[0].witness)


def cleared(found: Judgement, *rules: str) -> None:
    """A pass in which these rules and no others cleared something."""
    assert Verdict.PASSED == found.verdict, [f.explanation for f in found.findings]
    assert set(rules) == {c.rule for c in found.cleared}


# signatures


@cache
def private(name: str) -> Ed25519PrivateKey:
    """A key of that name."""
    return Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"."))


def signed_zone(
    at: datetime, *, key: str = "one", life: float = 90_000, vouched: bool = True
) -> tuple[Observation, ...]:
    """The zone with DNSKEY and SOA signed at an instant for so many seconds, and its DS."""
    name = dns.name.from_text(D)
    public = dns.dnssec.make_dnskey(private(key).public_key(), "ED25519", flags=257)
    soa = "ns1.acme.example. host.acme.example. 7 3600 600 86400 300"
    begin = at.timestamp() - 100_000
    found = []
    for rdtype, text in (("DNSKEY", public.to_text()), ("SOA", soa)):
        rrset = dns.rrset.from_text(name, 300, "IN", rdtype, text)
        made = dns.dnssec.sign(
            rrset, private(key), name, public, inception=begin, expiration=at.timestamp() + life
        )
        wire = signed_wire(rdtype, rrset, dns.rrset.from_rdata(name, 300, made))
        found += [signed_seen(rdtype, Seen(wire), at, server) for server in NS]
    ds = dns.dnssec.make_ds(name, public, "SHA256")
    wire = signed_wire("DS", *([dns.rrset.from_rdata(name, 300, ds)] if vouched else []))
    outcome = Seen(wire) if vouched else Absent("NODATA", wire)
    return (*found, signed_seen("DS", outcome, at, PARENT))


def signed_wire(rdtype: str, *rrsets: dns.rrset.RRset) -> bytes:
    """An authoritative response."""
    message = dns.message.make_response(dns.message.make_query(D, rdtype))
    message.flags |= dns.flags.AA
    message.answer.extend(rrsets)
    return message.to_wire()


def signed_seen(rdtype: str, outcome: Outcome, at: datetime, server: str) -> Observation:
    """An answer to a question that asked for signatures."""
    made = dns_seen(D, rdtype, outcome, at=at, server=server)
    return replace(made, asked={**made.asked, SIGNED: "1"})


def unsigned_zone(at: datetime) -> tuple[Observation, ...]:
    """No DNSKEY, no DS."""
    rows = [("DNSKEY", server) for server in NS] + [("DS", PARENT)]
    return tuple(
        signed_seen(rdtype, Absent("NODATA", signed_wire(rdtype)), at, server)
        for rdtype, server in rows
    )


def test_signatures_that_went_stale_are_one_finding() -> None:
    """The state before and after, the set and the reason; never an instant."""
    found = judged(signed_zone(BEFORE), signed_zone(AFTER, life=-10))
    convicts(found, D, "bogus", f"RRSIG of {D} SOA: expired")
    assert f"{D} DNSSEC" == found.findings[0].subject


def test_a_zone_that_lost_its_signatures_or_its_ds() -> None:
    """Less protection is a difference, even where nothing is refused."""
    convicts(judged(signed_zone(BEFORE), unsigned_zone(AFTER)), "unsigned")
    convicts(judged(signed_zone(BEFORE), signed_zone(AFTER, vouched=False)), D)


def test_one_server_without_valid_signatures_is_named() -> None:
    """Each server signs, or is given, its own copy."""
    stale = [o for o in signed_zone(AFTER, life=-10) if o.asked["server"] == NS[1]]
    good = [o for o in signed_zone(AFTER) if o.asked["server"] != NS[1]]
    convicts(judged(signed_zone(BEFORE), [*good, *stale]), NS[1], "bogus")


def test_keys_may_roll_while_the_chain_holds() -> None:
    """Another key, vouched for by another DS, is routine."""
    found = judged(signed_zone(BEFORE), signed_zone(AFTER, key="two"))
    cleared(found, "dnssec-keys-roll")


def test_an_unsigned_zone_stays_unsigned() -> None:
    """Nothing to clear, nothing to find."""
    cleared(judged(unsigned_zone(BEFORE), unsigned_zone(AFTER)))


def test_what_nobody_answers_about_signatures_is_not_told() -> None:
    """Servers silent to DNSKEY after: cannot tell, and no word of unsigned."""
    silent = [replace(o, outcome=Unreachable("timeout")) for o in signed_zone(AFTER)]
    assert Verdict.INCONCLUSIVE == judged(signed_zone(BEFORE), silent).verdict
    parent = [o for o in unsigned_zone(AFTER) if o.asked["server"] != PARENT]
    mute = signed_seen("DS", Unreachable("timeout"), AFTER, PARENT)
    assert Verdict.INCONCLUSIVE == judged(signed_zone(BEFORE), [*parent, mute]).verdict


def test_a_capture_of_before_this_was_asked_is_listed() -> None:
    """Older records hold no signatures: not compared, and said so."""
    found = judged((), unsigned_zone(AFTER))
    assert Verdict.PASSED == found.verdict
    assert (f"{D} DNSSEC at {NS[0]}", "not asked before") in {
        (n.what, n.reason) for n in found.not_compared
    }


# hosts


def observed(kind: Kind, subject: str, outcome: Outcome, **more: str) -> Observation:
    """One observation of a host."""
    trusted = {"trusted": more.pop("trusted")} if "trusted" in more else {}
    return Observation(
        kind=kind,
        subject=subject,
        asked={"host": subject.partition(" ")[0], **more},
        heard=trusted,
        outcome=outcome,
        at=BEFORE,
        took_us=1,
        vantage="here",
    )


@cache
def authority(name: str) -> trustme.CA:
    """An authority of that name."""
    return trustme.CA(organization_name=name)


@cache
def der(host: str, year: int, issuer: str) -> bytes:
    """The DER form of a certificate."""
    leaf = authority(issuer).issue_cert(host, not_after=datetime(year, 1, 1))  # noqa: DTZ001 - trustme wants it so
    return ssl_der(leaf.cert_chain_pems[0].bytes())


def ssl_der(pem: bytes) -> bytes:
    """PEM to DER."""
    from ssl import PEM_cert_to_DER_cert

    return PEM_cert_to_DER_cert(pem.decode())


HOST = f"t.{D}"


def tls(
    host: str = HOST,
    year: int = 2090,
    issuer: str = "Good CA",
    trusted: str = "yes",
    **versions: Outcome,
) -> tuple[Observation, ...]:
    """Handshakes in both versions. versions: `v12`, `v13` other outcomes."""
    shown = Seen(der(host, year, issuer))
    return tuple(
        observed(
            "tls", f"{HOST} {version}", versions.get(key, shown), version=version, trusted=trusted
        )
        for key, version in (("v12", "TLS 1.2"), ("v13", "TLS 1.3"))
    )


HOST_FAULTS = {
    "tls12-dropped": (tls(v12=Absent("refused")), ["TLS 1.2", HOST]),
    "wrong name": (tls("t.globex.example"), ["t.globex.example", HOST]),
    "other issuer": (tls(issuer="Other CA"), [HOST]),
    "not trusted": (
        tls(trusted="unable to get local issuer certificate (a missing intermediate?)"),
        ["not trusted: unable to get local issuer certificate (a missing intermediate?)"],
    ),
    "earlier end": (tls(year=2080), [HOST]),
}


@pytest.mark.parametrize("fault", HOST_FAULTS)
def test_a_host_that_shows_something_else_convicts(fault: str) -> None:
    """Its versions, names, issuer and trust."""
    after, witness = HOST_FAULTS[fault]
    found = judged(tls(), after)
    assert Verdict.FAILED == found.verdict
    assert set(witness) <= {text for f in found.findings for text in f.witness}


def test_a_renewed_certificate_is_cleared() -> None:
    """Same names and issuer, a later end."""
    cleared(judged(tls(), tls(year=2095)), "certificate-renewed")


def test_a_silent_host_is_inconclusive() -> None:
    """Nobody answered: no word on what it speaks."""
    silent = tls(v12=Unreachable("timeout"), v13=Unreachable("timeout"))
    assert Verdict.INCONCLUSIVE == judged(tls(), silent).verdict


def test_a_certificate_that_cannot_be_read_is_not_judged() -> None:
    """Hostile bytes are silence with a reason."""
    odd = tls(v12=Seen(b"\x30\x82"), v13=Seen(b"\x30\x82"))
    assert Verdict.INCONCLUSIVE == judged(tls(), odd).verdict


def test_another_host_key_names_both_fingerprints() -> None:
    """Pinned clients refuse it."""
    key = "sftp.acme.example:22 host key"
    found = judged(
        [observed("ssh", key, Seen(b"SHA256:old"))], [observed("ssh", key, Seen(b"SHA256:new"))]
    )
    convicts(found, "SHA256:old", "SHA256:new", "sftp.acme.example:22")


# MTA-STS and other lists of tags

POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: inbound.acme.example\r\nmax_age: 86400\r\n"
OTHER_POLICY = POLICY.replace(b"enforce", b"none")


def policy(
    body: bytes | None, text_id: str = "1", address: str = "192.0.2.7"
) -> tuple[Observation, ...]:
    """The TXT, the host and the file."""
    host = f"mta-sts.{D}"
    found = Absent("HTTP 404") if body is None else Seen(body)
    return (
        *everywhere(f"_mta-sts.{D}", "TXT", f'"v=STSv1; id={text_id};"'),
        *everywhere(host, "A", address),
        observed("mta-sts", f"https://{host}/.well-known/mta-sts.txt", found, host=host),
    )


def test_another_mta_sts_policy_convicts() -> None:
    """Its mode, its MX patterns, its age, or that there is none any more."""
    found = judged(policy(POLICY), policy(OTHER_POLICY))
    convicts(found, D, "mode: enforce", "mode: none")
    convicts(judged(policy(POLICY), policy(None)), "no policy: HTTP 404")


def test_the_id_counts_edits_only_of_one_and_the_same_policy() -> None:
    """Another id and another address before the same policy; line ends and case do not matter."""
    same = POLICY.replace(b"\r\n", b"\n").replace(b"inbound", b"INBOUND")
    cleared(judged(policy(POLICY), policy(same, "2", "192.0.2.8")), "mta-sts-policy-kept")
    both = judged(policy(POLICY), policy(OTHER_POLICY, "2", "192.0.2.8"))
    subjects = {f"{D} MTA-STS policy", f"_mta-sts.{D} TXT", f"mta-sts.{D} A"}
    assert subjects == {f.subject for f in both.findings}


@pytest.mark.parametrize("name", [f"_smtp._tls.{D}", f"default._bimi.{D}", f"_mta-sts.{D}"])
def test_tags_may_be_spaced_otherwise(name: str) -> None:
    """TLS-RPT, BIMI and MTA-STS: the same tags and values."""
    old, new = '"v=X1; rua=mailto:a@b.example"', '"v=X1;rua=mailto:a@b.example;"'
    cleared(judged(everywhere(name, "TXT", old), everywhere(name, "TXT", new)), "tags-respaced")
    lost = judged(
        everywhere(name, "TXT", old), everywhere(name, "TXT", '"v=X1; rua=mailto:c@d.example"')
    )
    assert Verdict.FAILED == lost.verdict


def test_an_authority_that_may_issue_no_more_convicts() -> None:
    """CAA: the next renewal of the tracking certificate fails; letter case does not matter."""
    old = everywhere(D, "CAA", '0 issue "letsencrypt.org"')
    assert Verdict.PASSED == judged(old, everywhere(D, "CAA", '0 Issue "LetsEncrypt.org"')).verdict
    convicts(judged(old, everywhere(D, "CAA", '0 issue ";"')), D)


def test_where_bounces_go_is_compared() -> None:
    """The MX of a Return-Path domain that mail told of, though it is no sender domain."""
    old = everywhere("eu.mta.example", "MX", "10 in1.mta.example.")
    found = judged(old, everywhere("eu.mta.example", "MX", "10 in9.old-site.example."))
    convicts(found, "eu.mta.example", "10 in9.old-site.example")


# blocklists


def listed(ip: str, *codes: str, test: bool = True) -> tuple[Observation, ...]:
    """A list as the resolver shows it: its test entry, and an address with these codes."""
    names = {
        name: name.to_text(omit_final_dot=True) for name in dns_names.blocklist_names([ip], LIST)
    }
    address, entry = names.values()
    found = answered(address, "A", *codes) if codes else no_name(address, "A")
    known = answered(entry, "A", "127.0.0.2") if test else no_name(entry, "A")
    return tuple(
        dns_seen(name, "A", outcome, server="192.0.2.1:53", role="resolver")
        for name, outcome in ((address, found), (entry, known))
    )


def test_an_address_that_came_upon_a_list_convicts() -> None:
    """The address, the list and the code; leaving one is cleared by name."""
    ip = IPS[0]
    convicts(judged(listed(ip), listed(ip, "127.0.0.4")), ip, f"{LIST} 127.0.0.4")
    cleared(judged(listed(ip, "127.0.0.4"), listed(ip)), "left-a-blocklist")
    cleared(judged(listed(ip, "127.0.0.4"), listed(ip, "127.0.0.4")))


@pytest.mark.parametrize("answer", [("127.255.255.254",), ("192.0.2.1",)])
def test_a_list_that_will_not_answer_is_no_listing(answer: tuple[str, ...]) -> None:
    """Lists refuse open resolvers by a code, and dead ones answer anything."""
    found = judged(listed(IPS[0]), listed(IPS[0], *answer))
    assert Verdict.INCONCLUSIVE == found.verdict


def test_a_list_without_its_test_entry_denies_nothing() -> None:
    """RFC 5782 5: an empty list is no pass."""
    found = judged(listed(IPS[0]), listed(IPS[0], test=False))
    assert Verdict.INCONCLUSIVE == found.verdict


def test_both_sides_mean_the_same_questions() -> None:
    """What a capture asks of a list is what the judge looks for, IPv6 by nibbles."""
    ips = ["192.0.2.10", "2001:db8::10"]
    asked = {name.canonicalize() for name in dns_names.blocklist_names(ips, LIST)}
    assert asked == residue_blocklists.blocklist_questions(ips, [LIST])
    assert dns_names.TEST_ENTRIES == residue_blocklists.TEST_ENTRIES


def test_each_rule_has_a_name_of_its_own_and_a_sentence() -> None:
    """They are told apart in the report."""
    assert len(RULES) == len({rule.name for rule in RULES})
    assert all(rule.explanation for rule in RULES)
