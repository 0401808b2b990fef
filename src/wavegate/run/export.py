# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb export: a sealed run in the forms that others read, written whole or not at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wavegate.errors import InputError, MissingError
from wavegate.evidence.contents import Contents, read_contents
from wavegate.evidence.envelope import sign
from wavegate.evidence.signer import Signer
from wavegate.evidence.trust import Trust
from wavegate.evidence.verify import Verification, verify_bundle
from wavegate.report import in_toto, oscal, population
from wavegate.report.case import Case, cases
from wavegate.run.files import check_new, write_new

FORMS: Mapping[str, Callable[[Contents], bytes]] = {
    "oscal": oscal.document,
    "intoto": in_toto.statement,
    "csv": lambda contents: population.as_csv(contents.verdicts),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written. problems: why the bundle is not proven by itself; it was not refused."""

    run: str
    paths: tuple[Path, ...]
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The object of `export --json`."""
        return {
            "run": self.run,
            "written": [str(path) for path in self.paths],
            "problems": list(self.problems),
        }

    def text(self) -> str:
        """What was written, for a person."""
        return "\n".join(f"wrote {path}" for path in self.paths)


def export(
    bundle: Path, form: str, out: Path, trust: Trust, *, signer: Signer | None = None
) -> Exported:
    """Verify a bundle and write it in another form; the same bundle gives the same bytes.

    signer: signs the bytes as an envelope (`intoto` only). Raises InvalidError for a bundle that
    is refused, InputError where something is at `out` already.
    """
    check_new(out)
    found, contents = _opened(bundle, trust)
    data = FORMS[form](contents)
    write_new(out, sign(data, signer) if signer else data)
    return Exported(run=found.run, paths=(out,), problems=found.problems)


def export_cases(
    bundle: Path, folder: Path, trust: Trust, *, customer: str | None, cause: str | None
) -> Exported:
    """Write the text of a support case for each cause and customer into a new folder.

    Raises InvalidError, InputError (no such customer), MissingError (no such cause, or none at
    all).
    """
    check_new(folder)
    found, contents = _opened(bundle, trust)
    texts = _wanted(contents, customer, cause)
    folder.mkdir(parents=True)
    paths = tuple(folder / f"{name}.txt" for name in _names(texts))
    for path, one in zip(paths, texts, strict=True):
        write_new(path, one.text.encode("utf-8"))
    return Exported(run=found.run, paths=paths, problems=found.problems)


def _opened(bundle: Path, trust: Trust) -> tuple[Verification, Contents]:
    found = verify_bundle(bundle, trust)
    return found, read_contents(bundle, trust if trust.keys else None)


def _wanted(contents: Contents, customer: str | None, cause: str | None) -> tuple[Case, ...]:
    known = sorted(contents.verdicts.customers)
    if customer is not None and customer not in known:
        raise InputError(f"no customer {customer!r} in this run", cure=f"it has {', '.join(known)}")
    texts = cases(contents.verdicts, customer=customer, cause=cause)
    if texts:
        return texts
    what = f"no cause that begins with {cause}" if cause else "nothing is bad, so there is no cause"
    raise MissingError(what, cure="see the causes in summary.md or verdicts.json")


def _names(texts: tuple[Case, ...]) -> list[str]:
    """Names of files, told apart where a cause stands twice (failed, and open elsewhere)."""
    taken: dict[str, int] = {}
    found = []
    for one in texts:
        number = taken[one.name] = taken.get(one.name, 0) + 1
        found.append(one.name if number == 1 else f"{one.name}-{number}")
    return found
