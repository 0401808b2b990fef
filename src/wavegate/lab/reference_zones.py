# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The zones of the reference world: root, customers, sender domains, the mailer's, reverse."""

from collections.abc import Iterator
from ipaddress import ip_address

from wavegate.lab.dns_state import Rr, Zone, txt, zone
from wavegate.lab.keys import public_key
from wavegate.lab.world import AgreedDomain, AgreedInstance

NS_HOSTS = tuple(f"ns{number}.mailer.example." for number in range(1, 5))
RNS_HOSTS = ("rns1.mailer.example.", "rns2.mailer.example.")
TOP_HOST = "a.nic.example."
BLOCKLIST, LISTED = "dnsbl.example", "127.0.0.2"
REVERSE_ZONES = (
    "127.in-addr.arpa.",
    "2.0.192.in-addr.arpa.",
    "100.51.198.in-addr.arpa.",
    "113.0.203.in-addr.arpa.",
    "8.b.d.0.1.0.0.2.ip6.arpa.",
)
SERIAL = 2024010101


def address_name(ip: str, primary: str) -> str:
    """The host name of a sending address: r<last part>.<primary domain>."""
    return f"r{ip.rsplit('.', 1)[-1].rsplit(':', 1)[-1]}.{primary}"


def reverse_owner(ip: str) -> str:
    """The owner of the address's PTR, with its final dot."""
    return ip_address(ip).reverse_pointer + "."


def policy_owner(instance: str) -> str:
    """Where the shared SPF policy of an instance stands in the mailer's zone."""
    return f"__spf.{instance}.mailer.example."


def dkim_text(key: str) -> str:
    """The text of a plain DKIM key record."""
    return f"v=DKIM1; k=rsa; p={public_key(key)}"


def dkim_keys(instance: AgreedInstance) -> Iterator[tuple[str, str]]:
    """The owner of each selector's record, and the name of its key."""
    for domain in instance.domains:
        for selector in domain.selectors:
            owner = f"{selector}._domainkey.{domain.name}."
            yield owner, f"{instance.name}/{domain.name}/{selector}"


def apex(origin: str, hosts: tuple[str, ...]) -> tuple[Rr, ...]:
    """SOA and NS of a zone."""
    soa = f"{hosts[0]} hostmaster.mailer.example. {SERIAL} 7200 900 1209600 300"
    return (Rr(origin, "SOA", soa), *(Rr(origin, "NS", host) for host in hosts))


def zones(instances: tuple[AgreedInstance, ...]) -> tuple[Zone, ...]:
    """All zones of the reference world."""
    customers = sorted({instance.customer for instance in instances})
    return (
        _root(),
        _example(customers),
        *(_customer(customer, instances) for customer in customers),
        *(_sender(instance, domain) for instance in instances for domain in instance.domains),
        _mailer(instances),
        _tickets(),
        _blocklist(),
        _hosting("cust-a.example.", instances, "203.0.113."),
        _hosting("cust-b.example.", instances, "198.51.100."),
        *(_reverse(origin, instances) for origin in REVERSE_ZONES),
    )


def _root() -> Zone:
    delegations = [Rr(name, "NS", host) for name in REVERSE_ZONES for host in RNS_HOSTS]
    return zone(
        ".",
        [*apex(".", (TOP_HOST,)), Rr("example.", "NS", TOP_HOST), *_glue(), *delegations],
    )


def _glue() -> Iterator[Rr]:
    yield Rr(TOP_HOST, "A", "127.53.0.1")
    for number, host in enumerate(NS_HOSTS, 1):
        yield Rr(host, "A", f"127.53.1.{number}")
    for number, host in enumerate(RNS_HOSTS, 1):
        yield Rr(host, "A", f"127.53.2.{number}")


def _example(customers: list[str]) -> Zone:
    ours = ("mailer.example.", "tickets.example.", "cust-a.example.", "cust-b.example.")
    apart = (f"{BLOCKLIST}.",)
    return zone(
        "example.",
        [
            *apex("example.", (TOP_HOST,)),
            *_glue(),
            *(Rr(f"{customer}.example.", "NS", TOP_HOST) for customer in customers),
            *(Rr(name, "NS", host) for name in ours for host in NS_HOSTS),
            *(Rr(name, "NS", TOP_HOST) for name in apart),
        ],
    )


def _customer(customer: str, instances: tuple[AgreedInstance, ...]) -> Zone:
    origin = f"{customer}.example."
    names = [
        domain.name
        for instance in instances
        if instance.customer == customer
        for domain in instance.domains
    ]
    policy = f"v=DMARC1; p=quarantine; sp=none; rua=mailto:dmarc@{customer}.example"
    return zone(
        origin,
        [
            *apex(origin, (TOP_HOST,)),
            Rr(f"_dmarc.{origin}", "TXT", txt(policy)),
            *(Rr(f"{name}.", "NS", host) for name in names for host in NS_HOSTS),
        ],
    )


def _sender(instance: AgreedInstance, domain: AgreedDomain) -> Zone:
    origin = f"{domain.name}."
    tag = "1" if instance.name == "acme-prod1" else f"-{instance.name}"
    records = [
        *apex(origin, NS_HOSTS),
        Rr(origin, "TXT", txt(f"v=spf1 redirect={policy_owner(instance.name)[:-1]}")),
        Rr(origin, "TXT", txt(f"lab-site-verification={instance.name}-{domain.name}")),
        Rr(origin, "MX", f"10 inbound.{origin}"),
        Rr(f"inbound.{origin}", "A", _inbound(instance)),
        *(Rr(f"{part}.{origin}", "CNAME", f"{part}{tag}.cust-a.example.") for part in _PARTS),
        *(
            Rr(owner, "TXT", txt(dkim_text(key)))
            for owner, key in dkim_keys(instance)
            if owner.endswith(f"._domainkey.{origin}")
        ),
    ]
    if domain.primary:
        records += [*_hosts(instance, origin), _dmarc(instance, origin)]
    else:
        records.append(Rr(origin, "MX", f"20 inbound.{instance.domains[0].name}."))
    return zone(origin, records)


_PARTS = ("t", "m", "res")


def _inbound(instance: AgreedInstance) -> str:
    """Where bounces of an instance arrive: an address that never sends."""
    return f"192.0.2.{200 + sum(instance.name.encode()) % 50}"


def _dmarc(instance: AgreedInstance, origin: str) -> Rr:
    report = f"mailto:dmarc@{instance.customer}.example"
    return Rr(f"_dmarc.{origin}", "TXT", txt(f"v=DMARC1; p=reject; rua={report}"))


def _hosts(instance: AgreedInstance, origin: str) -> Iterator[Rr]:
    for ip in instance.sending_ips:
        host = f"{address_name(ip, origin)}"
        yield Rr(host, "TXT", txt("v=spf1 a -all"))
        if ip_address(ip).version == 4:
            yield Rr(host, "A", ip)
        else:
            yield Rr(host, "AAAA", ip)
            yield Rr(host, "A", f"127.10.3.{ip.rsplit(':', 1)[-1]}")


def policy_text(instance: AgreedInstance) -> str:
    """The SPF policy of an instance: the block of its addresses, and for acme-prod1 more."""
    block = ip_address(instance.sending_ips[0]) - 3
    if instance.name != "acme-prod1":
        return f"v=spf1 ip4:{block}/29 -all"
    return (
        f"v=spf1 ip4:{block}/29 ip4:192.0.2.0/29 ip4:192.0.2.8/29 "
        "ip6:2001:db8:10::/64 include:_spf.tickets.example -all"
    )


def _mailer(instances: tuple[AgreedInstance, ...]) -> Zone:
    origin = "mailer.example."
    return zone(
        origin,
        [
            *apex(origin, NS_HOSTS),
            *(rr for rr in _glue() if rr.owner.endswith(f".{origin}")),
            *(
                Rr(policy_owner(instance.name), "TXT", txt(policy_text(instance)))
                for instance in instances
            ),
        ],
    )


def _tickets() -> Zone:
    origin = "tickets.example."
    return zone(
        origin,
        [
            *apex(origin, NS_HOSTS),
            Rr(f"_spf.{origin}", "TXT", txt("v=spf1 ip4:203.0.113.64/28 -all")),
        ],
    )


def _blocklist() -> Zone:
    """A list of bad senders that holds its test entries and nobody else (RFC 5782 5)."""
    origin = f"{BLOCKLIST}."
    tests = (listed_owner(ip) for ip in ("127.0.0.2", "::ffff:7f00:2"))
    entries = (Rr(owner, "A", LISTED) for owner in tests)
    return zone(origin, [*apex(origin, (TOP_HOST,)), *entries])


def listed_owner(ip: str) -> str:
    """Where the list holds an address, with its final dot."""
    labels = ip_address(ip).reverse_pointer.split(".")[:-2]
    return f"{'.'.join(labels)}.{BLOCKLIST}."


def _hosting(origin: str, instances: tuple[AgreedInstance, ...], net: str) -> Zone:
    records = list(apex(origin, NS_HOSTS))
    for place, instance in enumerate(instances):
        tag = "1" if instance.name == "acme-prod1" else f"-{instance.name}"
        records += [
            Rr(f"{part}{tag}.{origin}", "A", f"{net}{10 + 3 * place + step}")
            for step, part in enumerate(_PARTS)
        ]
    return zone(origin, records)


def _reverse(origin: str, instances: tuple[AgreedInstance, ...]) -> Zone:
    pointers = [
        Rr(reverse_owner(ip), "PTR", f"{address_name(ip, instance.domains[0].name)}.")
        for instance in instances
        for ip in instance.sending_ips
        if reverse_owner(ip).endswith(f".{origin}")
    ]
    return zone(origin, [*apex(origin, RNS_HOSTS), *pointers])
