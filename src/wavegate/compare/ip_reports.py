# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What DMARC aggregate reports say of the sending IPs of an instance.

A report counts all mail under a domain: the instance's, that of other senders of the domain, what
others forwarded, what others forged. A row speaks for the instance if a signature with one of its
selectors passed; together with an aligned SPF pass nobody forwarded it. For a listed address one
of the two is enough.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wavegate.compare.senders import address, listed
from wavegate.estate.model import Instance
from wavegate.record.dmarc_report import DmarcReport, ReportRow
from wavegate.verdict import Finding, NotCompared


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One side. listed: messages per listed address that passed SPF or one of our signatures.

    unlisted: messages per other address that passed both, each with the report that says so.
    forwarded: addresses whose mail passed only our signature. others: only SPF: other senders.
    orgs: who reports.
    """

    listed: dict[str, int]
    unlisted: dict[str, tuple[int, DmarcReport]]
    forwarded: frozenset[str]
    others: frozenset[str]
    orgs: tuple[str, ...]

    @property
    def who(self) -> str:
        """The reporters in words."""
        return ", ".join(self.orgs)


def reported(
    instance: Instance, reports: Iterable[DmarcReport], shared: frozenset[str]
) -> Reported:
    """Sort the rows of a phase's reports.

    shared: addresses that other instances with the same sender domain list; their mail is theirs.
    """
    found = tuple(reports)
    agreed = listed(instance)
    seen: dict[str, int] = {}
    unlisted: dict[str, tuple[int, DmarcReport]] = {}
    forwarded: set[str] = set()
    others: set[str] = set()
    for report in found:
        for row in report.rows:
            ip, own = address(row.ip), _own_signature(instance, row)
            if ip in agreed and (own or row.spf):
                seen[ip] = seen.get(ip, 0) + row.count
            elif ip in agreed or ip in shared:
                continue
            elif own and row.spf:
                unlisted[ip] = (unlisted.get(ip, (0, report))[0] + row.count, report)
            elif own:
                forwarded.add(ip)
            elif row.spf:
                others.add(ip)
    return Reported(
        listed=seen,
        unlisted=unlisted,
        forwarded=frozenset(forwarded - unlisted.keys()),
        others=frozenset(others - unlisted.keys()),
        orgs=tuple(sorted({report.org for report in found})),
    )


def _own_signature(instance: Instance, row: ReportRow) -> bool:
    """Whether a signature with a selector of the instance passed: only it has the key."""
    keys = {(d.name, s.lower()) for d in instance.domains for s in d.selectors}
    return any(
        one.result == "pass" and (one.domain, one.selector) in keys for one in row.signatures
    )


def unlisted_findings(
    before: Reported, after: Reported, met: frozenset[str], agreed: frozenset[str]
) -> Iterable[Finding]:
    """Unlisted addresses that only reports show: sources that disagree. met: seen in mail."""
    for ip in sorted(after.unlisted.keys() - met):
        count, report = after.unlisted[ip]
        known = "used, not listed" if ip in before.unlisted else None
        yield Finding(
            rule="reported-unlisted-ip",
            subject=ip,
            expected=f"mail from the listed addresses: {', '.join(sorted(agreed)) or 'none'}",
            observed=f"{report.org} counts {count} messages from {ip} (report {report.report})",
            explanation=f"sources disagree: received mail shows only listed addresses, and DMARC "
            f"reports of {report.org} show {ip}, signed with the instance's key and passing SPF",
            witness=(ip, report.org, report.report),
            before=known,
            after="used",
            records=(report.digest,),
        )


def not_compared(after: Reported) -> Iterable[NotCompared]:
    """What reports count and nobody can attribute."""
    kinds: Sequence[tuple[frozenset[str], str]] = (
        (after.forwarded, "signed by the instance, no SPF pass: forwarded by others, it seems"),
        (after.others, "SPF passes, no signature of the instance: another sender of the domain"),
    )
    for ips, reason in kinds:
        if ips:
            some = ", ".join(sorted(ips)[:5])
            more = f" and {len(ips) - 5} more" if len(ips) > 5 else ""
            yield NotCompared(what=f"in DMARC reports: {some}{more}", reason=reason)
