# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb keys: make, show and rotate keys, and keep the file that says whom we trust."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish, say
from wavegate.clock import parse_instant
from wavegate.evidence.signer_choice import KeyChoice

EPILOG = """\b
Examples:
  wavegate keys new seal --passphrase file:/run/secrets/seal
  wavegate keys show
  wavegate keys trust export --out trust.json   (for those who verify)
  wavegate keys rotate seal
Who gives no --key signs with a key that is made on first use, and that serves for everything.
Exit codes: 0 done; 1 a rotation that does not hold; 2 usage or input; 3 something is missing.
"""
NEW = """\b
Examples:
  wavegate keys new seal --role record --role seal --passphrase file:/run/secrets/seal
  wavegate keys new looks --role record --valid-until 2026-01-01
  wavegate keys new ann --role approve --passphrase ask
A gate needs both record and seal: it freezes the mails that it judged, and seals. A machine that
only captures needs record. Whoever signs waivers and decisions needs approve.
Exit codes: 0 made; 2 usage, or a key of that name is there; 3 the passphrase is not.
"""
SHOW = """\b
Examples:
  wavegate keys show
  wavegate keys show seal
  wavegate keys show 'hsm:1?label=wavegate'   (asks the token for its public half)
The key id is the SHA-256 of the public key in DER; the command beside it works the same number out
with openssl. Put it into the contract: whoever has it from there needs to believe nobody else.
Exit codes: 0 shown; 2 usage or no key; 3 no such key.
"""
ROTATE = """\b
Examples:
  wavegate keys rotate seal --passphrase file:OLD --new-passphrase file:NEW
  wavegate keys rotate seal --tsa https://tsa.example/ --tsa-root root.pem
  wavegate keys rotate --key 'hsm:1?label=wg' --to 'hsm:2?label=wg' --passphrase env:PIN
The old key signs that the new one takes its place, and so does the new one: whoever trusts the old
key can follow (`keys trust merge`). What the old key signed before still counts. A timestamp shows
that the rotation is older than a later theft of the old key.
Exit codes: 0 rotated; 2 usage, or the old key cannot vouch; 3 no old key, or no timestamp.
"""
TRUST = """\b
Examples:
  wavegate keys trust
  wavegate keys trust export --out acme-trust.json
  wavegate keys trust merge signer.pub --role record --role seal --trust theirs.json
  wavegate keys trust merge 5feceb66.dsse.json --trust theirs.json
  wavegate keys trust revoke 5feceb66 --at 2025-03-01T12:00:00Z
A trust file lists public keys with roles and bounds in time, and nothing secret. It is the
verifier's own: never take it from the evidence that it should prove.
Exit codes: 0 done; 1 a rotation that does not hold; 2 usage or input; 3 no such file or key.
"""
ROLES = click.Choice(["record", "seal", "approve"])


class Instant(click.ParamType[datetime]):
    """An instant in RFC 3339, or a date that means 00:00 UTC."""

    name = "instant"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The instant. Fails as a usage error that shows the form."""
        try:
            return value if isinstance(value, datetime) else parse_instant(str(value))
        except ValueError:
            self.fail(f"{value!r} is no instant such as 2025-03-01T12:00:00Z", param, ctx)


@click.group("keys", epilog=EPILOG)
def command() -> None:
    """Make, show and rotate the keys that sign, and keep the list of those that are trusted."""


@command.command("new", epilog=NEW)
@click.argument("name")
@click.option(
    "--role", "roles", type=ROLES, multiple=True, help="What it may sign.  [default: record, seal]"
)
@options.passphrase_reference("--passphrase", "Encrypt the key under what this names: env:, file:,")
@click.option("--valid-until", type=Instant(), help="When it ends.  [default: it does not]")
@options.local_trust
@options.as_json
def new(
    name: str,
    roles: tuple[str, ...],
    passphrase: str | None,
    valid_until: datetime | None,
    trust: Path | None,
    as_json: bool,
) -> Outcome:
    """Make a P-256 key under $WAVEGATE_HOME, readable by its owner only, and trust it."""
    from wavegate.evidence.trust import USUAL, Role
    from wavegate.run import keys, opening

    chosen = tuple(Role(role) for role in roles) or USUAL
    request = keys.NewKey(name=name, roles=chosen, passphrase=passphrase, valid_until=valid_until)
    found = keys.new_key(opening.home(), request, opening.trust_path(trust))
    return finish(0, found.to_json(), found.text(), as_json=as_json)


@command.command("show", epilog=SHOW)
@click.argument("names", nargs=-1, metavar="[KEY]...")
@options.passphrase_reference(
    "--passphrase", "PIN of a token that hides its public half: env:, file:,"
)
@options.local_trust
@options.as_json
def show(
    names: tuple[str, ...], passphrase: str | None, trust: Path | None, as_json: bool
) -> Outcome:
    """Show key ids, roles, validity and what holds the private half; no private key is opened."""
    from wavegate.run import keys, opening

    found = keys.show_keys(opening.home(), names, opening.trust_path(trust), passphrase)
    return finish(0, found.to_json(), found.text(), as_json=as_json)


@command.command("rotate", epilog=ROTATE)
@click.argument("name", required=False)
@options.key
@click.option("--to", help="A key that is there already.  [default: one made in the old's place]")
@options.passphrase_reference("--new-passphrase", "Passphrase or PIN of the new key: env:, file:,")
@click.option("--out", type=options.PATH, help="Where to write the rotation.")
@click.option("--tsa", multiple=True, metavar="URL", help="A timestamp authority (repeatable).")
@options.tsa_root
@options.local_trust
@options.as_json
def rotate(
    name: str | None,
    key: KeyChoice,
    to: str | None,
    new_passphrase: str | None,
    out: Path | None,
    tsa: tuple[str, ...],
    tsa_root: tuple[Path, ...],
    trust: Path | None,
    as_json: bool,
) -> Outcome:
    """Let a new key take the place of an old one, signed by both.

    NAME is that of a key of `keys show`; without it --key, and without that the default key.
    """
    from wavegate.run import key_rotation, opening

    request = key_rotation.Rotate(
        name=name or "default",
        old=replace(key, where=None) if name else key,
        new=KeyChoice(where=to, passphrase=new_passphrase) if to else None,
        passphrase=new_passphrase,
        out=out,
        tsa=tsa,
        tsa_roots=tsa_root,
    )
    found = key_rotation.rotate_key(opening.home(), request, opening.trust_path(trust), say)
    return finish(0, found.to_json(), found.text(), as_json=as_json)


@command.group("trust", epilog=TRUST, invoke_without_command=True)
@options.local_trust
@options.as_json
@click.pass_context
def trusted(context: click.Context, trust: Path | None, as_json: bool) -> Outcome | None:
    """Print the trust file; hand it out, add to it, take away from it."""
    if context.invoked_subcommand is not None:
        return None
    from wavegate.run import opening, trust_file

    found = trust_file.show_trust(opening.trust_path(trust))
    return finish(0, found.to_json(), found.text(), as_json=as_json)


@trusted.command("export")
@click.option("--out", type=options.PATH, required=True, help="The file; it must not exist yet.")
@click.option("--keyid", "keyids", multiple=True, help="Only this key (repeatable).")
@options.local_trust
@options.as_json
def export(out: Path, keyids: tuple[str, ...], trust: Path | None, as_json: bool) -> Outcome:
    """Write the trusted keys to a new file, for those who verify."""
    from wavegate.run import opening, trust_file

    found = trust_file.export_trust(opening.trust_path(trust), out, keyids)
    return finish(0, found.to_json(), found.text(), as_json=as_json)


@trusted.command("merge")
@click.argument("brought", type=options.PATH, metavar="FILE")
@click.option(
    "--role", "roles", type=ROLES, multiple=True, help="Of a public key.  [default: record, seal]"
)
@options.tsa_root
@options.local_trust
@options.as_json
def merge(
    brought: Path,
    roles: tuple[str, ...],
    tsa_root: tuple[Path, ...],
    trust: Path | None,
    as_json: bool,
) -> Outcome:
    """Add a public key, a trust file, or a rotation that old and new key have signed.

    Of keys that are known, bounds only get narrower, and a revocation stays.
    """
    from wavegate.evidence.trust import Role
    from wavegate.run import opening, trust_file

    given = tuple(Role(role) for role in roles)
    found = trust_file.merge_trust(opening.trust_path(trust), brought, given, tsa_root)
    return finish(0, found.to_json(), found.text(), as_json=as_json)


@trusted.command("revoke")
@click.argument("keyid")
@click.option("--at", type=Instant(), required=True, help="Since when others may have it.")
@options.local_trust
@options.as_json
def revoke(keyid: str, at: datetime, trust: Path | None, as_json: bool) -> Outcome:
    """Note that a key was revoked: what it signed from then on does not count.

    What it signed before counts where a trusted timestamp shows that it did.
    """
    from wavegate.run import opening, trust_file

    found = trust_file.revoke_key(opening.trust_path(trust), keyid, at)
    return finish(0, found.to_json(), found.text(), as_json=as_json)
