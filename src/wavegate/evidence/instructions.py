# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""VERIFY.md and verify.sh: how to check a bundle with openssl, jq, sha256sum and coreutils alone.

Both are made of the same steps, so the printed commands are the script. Every command that may
fail says what happens then: there is no `set -e`, under which `test && echo` hides a failure.
"""

from collections.abc import Iterable
from dataclasses import dataclass

VERIFY_MD = "VERIFY.md"
VERIFY_SH = "verify.sh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: what it checks, in a sentence, and the shell commands that check it."""

    title: str
    why: str
    commands: str


_PREPARE = Step(
    title="Make ready",
    why="`PUB` is the signer's public key (PEM). It must come from the signer by another way than "
    "this bundle: a key that lies in the bundle proves nothing. 0 means valid, 1 refused, 3 cannot "
    "tell.",
    commands=r"""
no() { echo "REFUSED: $1"; exit 1; }
unclear() { echo "CANNOT TELL: $1"; exit 3; }
for tool in openssl jq sha256sum realpath mktemp base64; do
  command -v "$tool" > /dev/null || unclear "$tool is not installed"
done
[ -n "${PUB:-}" ] || unclear "no public key given"
openssl pkey -pubin -in "$PUB" -noout 2> /dev/null || unclear "$PUB is not a public key in PEM"
case "$(realpath "$PUB")" in
  "$(pwd -P)"/*) unclear "the public key lies in the bundle that it should prove" ;;
esac
W=$(mktemp -d) || unclear "no folder for temporary files"
trap 'rm -rf "$W"' EXIT
export LC_ALL=C
""",
)

_FILES = Step(
    title="Only plain files with plain names",
    why="No links, devices or pipes, no names that a disk or a person could confuse.",
    commands=r"""
[ -z "$(find . ! -type f ! -type d)" ] || no "a link, device or pipe"
[ -z "$(find . -type f -links +1)" ] || no "a hard link"
find . -type f > "$W/found" || no "a folder that cannot be read"
if grep -qv '^\./[A-Za-z0-9._/-]*$' "$W/found"; then no "a name that is not plain"; fi
[ -z "$(tr 'A-Z' 'a-z' < "$W/found" | sort | uniq -d)" ] || no "names that differ in case only"
""",
)

_SEAL = Step(
    title="The seal is the signer's",
    why="The envelope (DSSE) is in its one canonical form, and the signature over the payload and "
    "its type is that of `PUB`.",
    commands=r"""
E=seal.dsse.json
T=application/vnd.in-toto+json
[ -f "$E" ] || no "no seal"
jq -jcS . "$E" 2> /dev/null | cmp -s - "$E" || no "the seal is not canonical JSON"
KEYID=$(openssl pkey -pubin -in "$PUB" -outform DER | sha256sum | cut -d' ' -f1)
jq -e --arg type "$T" --arg keyid "$KEYID" 'keys == ["payload", "payloadType", "signatures"]
  and .payloadType == $type and [.signatures[].keyid] == [$keyid]
  and all(.signatures[]; keys == ["keyid", "sig"])' "$E" > "$W/said" \
  || no "the seal is of another type, or has not the one signature of PUB"
jq -j .payload "$E" > "$W/p64" && base64 -d "$W/p64" > "$W/p" || no "the payload is no base64"
jq -j '.signatures[0].sig' "$E" > "$W/s64" && base64 -d "$W/s64" > "$W/s" || no "no base64"
base64 -w0 "$W/p" | cmp -s - "$W/p64" || no "the payload is not the one base64 of its bytes"
base64 -w0 "$W/s" | cmp -s - "$W/s64" || no "the signature is not the one base64 of its bytes"
{ printf 'DSSEv1 %d %s %d ' "${#T}" "$T" "$(wc -c < "$W/p")"; cat "$W/p"; } > "$W/pae"
openssl dgst -sha256 -verify "$PUB" -signature "$W/s" "$W/pae" > "$W/said" 2>&1 || no "signature"
""",
)

_OURS = r"""
jq -jcS . "$W/p" 2> /dev/null | cmp -s - "$W/p" || no "the payload is not canonical JSON"
jq -e 'keys == ["_type", "predicate", "predicateType", "subject"]
  and all(.subject[]; keys == ["digest", "name"] and (.digest | keys) == ["sha256"])
  and ._type == "https://in-toto.io/Statement/v1"
  and .predicateType == "https://wavegate.dev/predicate/seal/v1"
  and ((.predicate | keys) - ["lines"])
    == ["drill", "run", "suites", "timestamps_required", "tool", "wave"]
  and (.predicate | has("lines")) == any(.subject[]; .name == "RUN")
  ' "$W/p" > "$W/said" || no "it is not the seal of a bundle"
jq -r '.subject[] | "\(.digest.sha256)  \(.name)"' "$W/p" > "$W/subjects" || no "no subjects"
if grep -qEv '^[0-9a-f]{64}  [A-Za-z0-9._-]+$' "$W/subjects"; then no "a strange subject"; fi
"""
_RUN_LIST = r"""
run_list() {
  if grep -qEv '^[0-9a-f]{64} [0-9a-f]{64}$' RUN; then no "RUN is malformed"; fi
  [ -z "$(tail -c 1 RUN)" ] || no "RUN is cut off"
  sort -cu -k1,1 RUN || no "RUN is not in order"
  [ "$(wc -l < RUN)" -eq "$(jq .predicate.lines "$W/p")" ] || no "RUN has lost or won lines"
  [ $(($(wc -l < RUN) % 64)) -eq 0 ] || no "RUN is not filled up"
}
"""

_STATEMENT = Step(
    title="The seal says what this bundle is",
    why="A statement of ours; its subjects are MANIFEST, RUN, verdicts.json and every report, each "
    "with the digest of the file that is here.",
    commands=_OURS
    + r"""
{ printf 'MANIFEST\nverdicts.json\n'
  for f in RUN report.html report.pdf report.de.html report.de.pdf report.en.html report.en.pdf \
    summary.md junit.xml night.json; do
    [ ! -f "$f" ] || echo "$f"
  done
} | sort > "$W/reports"
cut -c67- "$W/subjects" | sort | cmp -s - "$W/reports" || no "the seal is not over all reports"
sha256sum --strict --quiet -c "$W/subjects" || no "MANIFEST, RUN, verdicts or a report was changed"
jq -e --slurpfile seal "$W/p" '[.run, .wave] == ($seal[0].predicate | [.run, .wave])' \
  verdicts.json > "$W/said" || no "the verdicts are of another run or wave"
""".lstrip("\n"),
)

_EXTRACTS = Step(
    title="The customers' extracts are listed",
    why="RUN has one line for the MANIFEST of each customer's extract, and random ones that hide "
    "how many there are. A bundle older than RUN has none.",
    commands=_RUN_LIST
    + r"""
listed() { [ "$(grep -c " $(sha256sum < "$1" | cut -d' ' -f1)\$" RUN)" = 1 ] || no "RUN: $1"; }
[ ! -f RUN ] || run_list
for f in customers/*/MANIFEST; do [ ! -f "$f" ] || listed "$f"; done
""".lstrip("\n"),
)

_BELONGS = Step(
    title="The extract belongs to the sealed run",
    why="Of the seal's subjects only RUN is here; it lists MANIFEST in exactly one line.",
    commands=_OURS
    + r"""
grep '  RUN$' "$W/subjects" > "$W/run" || no "the seal is over no RUN"
sha256sum --strict --quiet -c "$W/run" || no "RUN was changed"
""".lstrip("\n")
    + _RUN_LIST.lstrip("\n")
    + r"""
run_list
M=$(sha256sum < MANIFEST | cut -d' ' -f1)
[ "$(grep -c " $M\$" RUN)" = 1 ] || no "MANIFEST does not stand in one line of RUN"
jq -e --slurpfile seal "$W/p" '.run == $seal[0].predicate.run' CUSTOMER.json > "$W/said" \
  || no "CUSTOMER.json is of another run"
jq -e --slurpfile seal "$W/p" '[.run, .wave] == ($seal[0].predicate | [.run, .wave])' \
  verdicts.json > "$W/said" || no "the verdicts are of another run or wave"
""".lstrip("\n"),
)

_COMPLETE = Step(
    title="It leaves nothing of yours out",
    why="`SECRET` is what was agreed with you before the wave, `NAME` your name in it. Only the "
    "two give the tag of your line in RUN, and it stands there once: there is no second extract "
    "that was kept from you. Without them this is not shown.",
    commands=r"""
COMPLETE="whether anything of yours was left out is not proven: give SECRET and NAME"
if [ -n "${NAME:-}" ]; then
  jq -e --arg name "$NAME" '.customer == $name' CUSTOMER.json > "$W/said" \
    || no "it is the extract of another customer"
fi
if [ -n "${SECRET:-}" ]; then
  [ -n "${NAME:-}" ] || unclear "SECRET was given without NAME"
  TAG=$(printf 'wavegate-tag-v1\n%s\n%s\n%s\n' "$(jq -r .predicate.run "$W/p")" "$SECRET" \
    "$NAME" | sha256sum | cut -d' ' -f1)
  [ "$(grep "^$TAG " RUN)" = "$TAG $M" ] || no "RUN does not list it under your tag"
  COMPLETE="nothing of yours in this run was left out"
fi
[ "$(find records/objects -type f | wc -l)" -eq "$(jq .records CUSTOMER.json)" ] \
  || no "another number of records than CUSTOMER.json says"
""",
)

_CONTENT = Step(
    title="Every file is there, unchanged, and no other",
    why="MANIFEST lists every file but itself, RUN, the seal and the timestamps of the seal.",
    commands=r"""
if tr -d -c '\r' < MANIFEST | grep -q .; then no "line endings were changed (CRLF)"; fi
if grep -qEv '^[0-9a-f]{64}  [A-Za-z0-9._/-]+$' MANIFEST; then no "MANIFEST is malformed"; fi
cut -c67- MANIFEST | sort -cu || no "MANIFEST is not in order"
[ -z "$(tail -c 1 MANIFEST)" ] || no "MANIFEST is cut off"
{ cut -c67- MANIFEST; printf 'MANIFEST\nseal.dsse.json\n'
  for f in RUN seal.tsr seal.[2-9].tsr; do [ ! -f "$f" ] || echo "$f"; done
} | sort > "$W/want"
cut -c3- "$W/found" | sort | diff "$W/want" - || no "a missing (<) or extra (>) file"
sha256sum --strict --quiet -c MANIFEST || no "a file was changed"
""",
)

_TIME = Step(
    title="Time",
    why="Every timestamp (RFC 3161) is over what it lies beside, and by an authority under one of "
    "the root certificates in `TSAROOT` (PEM), which must not come from here either; its chain is "
    "checked at its own instant. Of several over one thing, one must be. Where the seal says that "
    "trusted timestamps were required, one over the seal that can be checked is needed.",
    commands=r"""
if [ -n "${TSAROOT:-}" ]; then
  openssl x509 -in "$TSAROOT" -noout 2> /dev/null || unclear "$TSAROOT is no certificate in PEM"
  case "$(realpath "$TSAROOT")" in
    "$(pwd -P)"/*) unclear "the root certificate lies in the bundle that it should prove" ;;
  esac
fi
over() {  # over DATA TOKEN: whether a token is over the SHA-256 of some bytes
  openssl ts -reply -in "$2" -text > "$W/text" 2> /dev/null || no "no timestamp: $2"
  grep -q '^Hash Algorithm: sha256$' "$W/text" || no "not over SHA-256: $2"
  openssl ts -query -data "$1" -sha256 -no_nonce -text 2> /dev/null \
    | sed -n '/^Message data:/,/^Policy OID:/p' | grep '^ ' > "$W/asked"
  sed -n '/^Message data:/,/^Serial number:/p' "$W/text" | grep '^ ' | cmp -s - "$W/asked" \
    || no "the timestamp of something else: $2"
}
known() {  # known DATA TOKEN: whether an authority under TSAROOT gave it, at its own instant
  at=$(date -u -d "$(sed -n 's/^Time stamp: //p' "$W/text")" +%s) || no "no instant: $2"
  openssl ts -verify -data "$1" -in "$2" -CAfile "$TSAROOT" -attime "$at" > "$W/said" 2>&1
}
stamped() {  # stamped DATA TOKEN...: all are over it; with TSAROOT, one at least is by it
  data=$1; shift; by=; first=
  for token in "$@"; do
    [ -f "$token" ] || continue
    over "$data" "$token"
    first=${first:-$token}
    if [ -n "${TSAROOT:-}" ] && known "$data" "$token"; then
      by=${by:-$(sed -n 's/^Time stamp: //p' "$W/text")}
    fi
  done
  [ -z "$first" ] || [ -z "${TSAROOT:-}" ] || [ -n "$by" ] || no "not by TSAROOT: $first"
}
for envelope in records/signed/*/*/*.dsse.json; do
  stem=${envelope#records/signed/}; stem=records/stamps/${stem%.dsse.json}
  [ -f "$envelope" ] && ls "$stem".*.tsr > "$W/said" 2> /dev/null || continue
  jq -j .payload "$envelope" | base64 -d > "$W/record" || no "no base64: $envelope"
  stamped "$W/record" "$stem".*.tsr
done
stamped "$W/p" seal.tsr seal.[2-9].tsr
if [ -z "$by" ] && ! jq -e '.predicate.timestamps_required == false' "$W/p" > "$W/said"; then
  [ -z "$first" ] || unclear "a trusted timestamp was required, and TSAROOT was not given"
  unclear "a trusted timestamp was required, and there is none"
fi
printf 'VALID: %s\n' "$(jq -ac '[.run, .wave, .decision_line]' verdicts.json)"
[ -n "$by" ] && when="the seal existed by $by" || when="when is not proven"
printf 'sealed by key %s; %s\n' "$KEYID" "$when"
""",
)

_WHOSE = Step(
    title="Whose it is",
    why="The name that stands in it.",
    commands=r"""
printf 'extract of %s; %s\n' "$(jq -ac .customer CUSTOMER.json)" "$COMPLETE"
""",
)

STEPS = (_PREPARE, _FILES, _SEAL, _STATEMENT, _CONTENT, _EXTRACTS, _TIME)
EXTRACT_STEPS = (_PREPARE, _FILES, _SEAL, _BELONGS, _CONTENT, _COMPLETE, _TIME, _WHOSE)

_HEAD = """\
#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
# Checks a bundle with stock tools: sh verify.sh PUB [TSAROOT]
# PUB: the signer's public key (PEM), from outside the bundle. BUNDLE: its folder, if not here.
# TSAROOT: root certificates (PEM) of timestamp authorities. Exit: 0 valid, 1 refused, 3 unclear.
PUB=$(realpath "${1:-/}")
[ -n "${1:-}" ] || PUB=
TSAROOT=$(realpath "${2:-/}")
[ -n "${2:-}" ] || TSAROOT=
cd "${BUNDLE:-$(dirname "$0")}" || exit 3
"""

_INTRO = """\
# How to verify this bundle

Run `{run}`{wave}. Two ways, both offline:

- `wavegate verify BUNDLE --key PUB` checks all that can be checked; `--rejudge` also judges the
  records anew.
- The commands below need `openssl`, `jq` 1.6 or newer and coreutils. `sh verify.sh PUB` runs the
  same commands. A forged bundle would bring a forged script: type the commands, or use a
  `verify.sh` that you already trust, with `BUNDLE=` set to this folder.

They show who sealed the bundle and that nothing was changed, added or taken away; with `TSAROOT`,
the root certificate of the timestamp authority, also by when. They do not show that the verdicts
follow from the records (`--rejudge` does).

Start a shell with `sh` in this folder (the commands end it where they refuse), and set `PUB` to the
path of the signer's public key, `TSAROOT` to that of the root certificate if you have it.
"""

_OUTRO = """\
## What lies here

| file | what it is |
|---|---|
| `verdicts.json` | every verdict with what it rests on, and the decision |
| `report.html`, `summary.md`, `junit.xml` | the same for people and machines |
| `report.pdf` | the same for those who sign for it, with a signature of its own |
| `report.<language>.html`, `.pdf` | the same in a second language |
| `plan.dsse.json` | the grid, signed before anything was looked at |
| `baseline.dsse.json`, `night.json` | of a nightly: what was accepted, and what turned since |
| `estate.json` | what was agreed; secrets are references |
| `records/` | what was observed, each record signed when it was taken |
| `customers/<name>/` | the extract of each customer; `wavegate report` hands one out |
| `RUN` | the digest of each extract's MANIFEST under a tag that only its customer can tell |
| `MANIFEST`, `seal.dsse.json` | the list of all files, and the signature over it and RUN |
| `seal.tsr`, `records/stamps/` | timestamps over the seal and over captures, if there are any |

The fingerprint of this run is its name, the SHA-256 of `verdicts.json`
(`sha256sum verdicts.json`) and the key id of the seal
(`openssl pkey -pubin -in PUB -outform DER | sha256sum`).
"""


_EXTRACT_HEAD = """\
#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
# Checks an extract with stock tools: SECRET=... NAME=... sh verify.sh PUB [TSAROOT]
# PUB: the signer's public key (PEM), SECRET, NAME: what was agreed with you before the wave; all
# from outside the extract, as is TSAROOT, root certificates (PEM) of timestamp authorities. BUNDLE:
# its folder, if not here. Exit: 0 valid, 1 refused, 3 unclear.
PUB=$(realpath "${1:-/}")
[ -n "${1:-}" ] || PUB=
TSAROOT=$(realpath "${2:-/}")
[ -n "${2:-}" ] || TSAROOT=
cd "${BUNDLE:-$(dirname "$0")}" || exit 3
"""

_EXTRACT_INTRO = """\
# How to verify this extract

It is one customer's part of run `{run}`{wave}. Two ways, both offline:

- `wavegate verify EXTRACT --key PUB --customer NAME --secret env:SECRET` checks all that can be
  checked; `--receipt` holds it against what was handed to you before the window, `--rejudge` also
  judges the records anew.
- The commands below need `openssl`, `jq` 1.6 or newer and coreutils. `sh verify.sh PUB` runs the
  same commands, with `SECRET` and `NAME` from the environment. A forged extract would bring a
  forged script: type the commands, or use a `verify.sh` that you already trust, with `BUNDLE=` set
  to this folder.

They show who sealed the run, that this part of it is unchanged, and, with `SECRET` and `NAME`, that
nothing of yours was left out. That each of your instances has a verdict for each promise you see
in `verdicts.json`; you know your instances, and the notice named them. Compare the SHA-256 of `RUN`
(`sha256sum RUN`) with the one that was sent to you beside this extract, and with other customers:
all of them have the same RUN.

Start a shell with `sh` in this folder (the commands end it where they refuse), and set `PUB` to the
path of the signer's public key, `SECRET` and `NAME` to what was agreed with you, `TSAROOT` to the
root certificate of the timestamp authority if you have it.
"""

_EXTRACT_OUTRO = """\
## What lies here

| file | what it is |
|---|---|
| `verdicts.json` | every verdict about your instances with what it rests on, and your decision |
| `report.html`, `summary.md`, `junit.xml` | the same for people and machines |
| `report.pdf` | the same for those who sign for it, with a signature of its own |
| `report.<language>.html`, `.pdf` | the same in a second language |
| `plan.dsse.json` | your part of the grid that was signed before anything was looked at |
| `baseline.dsse.json`, `night.json` | of a nightly: what was accepted, and what turned since |
| `estate.json` | what was agreed with you; secrets are references |
| `records/` | what was observed of your instances, each record signed when it was taken |
| `CUSTOMER.json` | whose extract it is, of which run, and of how many records |
| `MANIFEST` | the list of all files but itself, RUN and the seal |
| `RUN`, `seal.dsse.json` | the digests of all customers' MANIFESTs, and the signature over it |
| `seal.tsr`, `records/stamps/` | timestamps over the seal and over captures, if there are any |

The fingerprint of this extract is its run, the SHA-256 of `verdicts.json`
(`sha256sum verdicts.json`) and the key id of the seal
(`openssl pkey -pubin -in PUB -outform DER | sha256sum`).
"""


def script() -> str:
    """verify.sh of a bundle: the same for every one."""
    return _HEAD + _lines(STEPS)


def extract_script() -> str:
    """verify.sh of an extract: the same for every one."""
    return _EXTRACT_HEAD + _lines(EXTRACT_STEPS)


def instructions(run: str, wave: str | None) -> str:
    """VERIFY.md of a run; the fenced `sh` blocks, one after the other, are the script's body."""
    head = _INTRO.format(run=run, wave=f" of wave `{wave}`" if wave else "")
    return "\n".join([head, *_numbered(STEPS), _OUTRO])


def extract_instructions(run: str, wave: str | None) -> str:
    """VERIFY.md of an extract of a run; it names no customer."""
    head = _EXTRACT_INTRO.format(run=run, wave=f" of wave `{wave}`" if wave else "")
    return "\n".join([head, *_numbered(EXTRACT_STEPS), _EXTRACT_OUTRO])


def _lines(steps: Iterable[Step]) -> str:
    return "".join(f"\n# {step.title}{step.commands}" for step in steps)


def _numbered(steps: Iterable[Step]) -> Iterable[str]:
    for number, step in enumerate(steps, 1):
        yield f"## {number}. {step.title}\n\n{step.why}\n\n```sh{step.commands}```\n"
