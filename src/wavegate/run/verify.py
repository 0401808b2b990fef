# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb verify: whether a bundle is what it claims, and judging again says the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wavegate.errors import InputError, InvalidError
from wavegate.estate.secrets import resolve
from wavegate.evidence.authorities import load_roots
from wavegate.evidence.completeness import Claimant
from wavegate.evidence.contents import read_contents
from wavegate.evidence.rejudgement import Difference, compare_verdicts
from wavegate.evidence.sample import METHOD, Sample, check_seed, draw
from wavegate.evidence.trust import Trust, load, of_public_keys
from wavegate.evidence.verdicts import parse
from wavegate.evidence.verify import Verification, verify_bundle
from wavegate.run.rejudge import rejudge

MAX_RECEIPT = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to verify, and with which keys from outside it.

    tsa_roots: files with roots of timestamp authorities. suites: folders of own suites that judged
    too. sample, seed: how many cells an auditor wants to look at, and by which seed.
    customer, secret, receipt: what a customer brings to their extract; secret is a reference.
    """

    bundle: Path
    keys: tuple[Path, ...] = ()
    trust: Path | None = None
    tsa_roots: tuple[Path, ...] = ()
    rejudge: bool = False
    suites: tuple[Path, ...] = ()
    sample: int | None = None
    seed: str | None = None
    expect_run: str | None = None
    expect_wave: str | None = None
    customer: str | None = None
    secret: str | None = None
    receipt: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A bundle that was not refused. rejudged: whether the suites ran again and agreed.

    sample: what was drawn for an auditor, None where none was asked for.
    """

    found: Verification
    rejudged: bool
    proven: tuple[str, ...] = field(default=())
    sample: Sample | None = None

    @property
    def exit_code(self) -> int:
        """0 valid, 3 cannot tell."""
        return self.found.exit_code

    def to_json(self) -> dict[str, object]:
        """The object of `verify --json`."""
        proven = [*self.found.proven, *self.proven]
        sample = self.sample.to_json() if self.sample else None
        told = {"proven": proven, "rejudged": self.rejudged, "sample": sample}
        return {**self.found.to_json(), **told}

    def text(self) -> str:
        """What is proven and what is not, for a person."""
        word = "VALID" if self.found.ok else "CANNOT TELL"
        unproven = [s for s in self.found.not_proven if not (self.rejudged and "--rejudge" in s)]
        whose = f"extract of {self.found.customer} from " if self.found.customer else ""
        lines = [f"{word}: {whose}run {self.found.run}, decision {self.found.decision_line}"]
        lines += [f"  problem     {text}" for text in self.found.problems]
        lines += [f"  proven      {text}" for text in (*self.found.proven, *self.proven)]
        lines += [f"  not proven  {text}" for text in unproven]
        if self.found.run_list:
            lines.append(f"  SHA-256 of RUN, the same for all its customers: {self.found.run_list}")
        return "\n".join([*lines, *_sample_lines(self.sample, rejudged=self.rejudged)])


def verify(request: Request, say: Callable[[str], None]) -> Verified:
    """Verify a bundle; with `rejudge`, run the installed suites on its records and compare.

    Without a key from outside nothing is judged again: whose records they are is not known.

    Raises InvalidError for what is not valid, InputError for what is no bundle.
    """
    _check_request(request)
    trust = trust_of(request.keys, request.trust)
    found = verify_bundle(
        request.bundle,
        trust,
        expect_run=request.expect_run,
        expect_wave=request.expect_wave,
        claimant=_claimant(request),
        authorities=load_roots(request.tsa_roots),
    )
    sample = _sample(request, trust)
    if not request.rejudge or not trust.keys:
        return Verified(found=found, rejudged=False, sample=sample)
    say("judging the records again with the installed suites")
    sealed = parse((request.bundle / "verdicts.json").read_bytes())
    differences = compare_verdicts(sealed, rejudge(request.bundle, sealed, trust, request.suites))
    if differences:
        raise _differs(request.bundle, differences)
    proven = (f"Judging the records again gives the same {len(sealed.cells)} verdicts.",)
    return Verified(found=found, rejudged=True, proven=proven, sample=sample)


def _check_request(request: Request) -> None:
    """Raises InputError for what cannot be meant."""
    if (request.sample is None) != (request.seed is None):
        raise InputError(
            "a sample needs its size and its seed",
            cure="give both --sample N and --seed S; choose the seed after you have the bundle",
        )
    if request.seed is not None:
        check_seed(request.seed)
    inside = [
        path for path in request.suites if path.resolve().is_relative_to(request.bundle.resolve())
    ]
    if inside:
        raise InputError(
            "suites that lie in the bundle are never run",
            where=str(inside[0]),
            cure="give a folder of suites that you have from elsewhere",
        )


def _sample(request: Request, trust: Trust) -> Sample | None:
    if request.sample is None or request.seed is None:
        return None
    contents = read_contents(request.bundle, trust if trust.keys else None)
    return draw(contents, request.sample, request.seed)


def _sample_lines(sample: Sample | None, *, rejudged: bool) -> Iterator[str]:
    """The cells that were drawn, each with the files that it rests on, for a person."""
    if sample is None:
        return
    seed = f"seed {sample.seed}, method {METHOD}"
    yield f"  sample      {len(sample.drawn)} of {sample.population} cells, {seed}"
    again = ", and so it is judged again" if rejudged else ""
    for one in sample.drawn:
        yield f"    {one.cell.instance}: {one.cell.promise} is {one.verdict}{again}"
        yield from (f"      {exhibit.digest}  {exhibit.name}" for exhibit in one.exhibits)
        yield from (f"      {record}  is not in the bundle" for record in one.absent)


def _claimant(request: Request) -> Claimant:
    """What a customer brings. Raises MissingError for a secret or receipt that is not there."""
    secret = None if request.secret is None else resolve(request.secret, Path())
    return Claimant(
        customer=request.customer,
        secret=secret,
        receipt=None if request.receipt is None else _read(request.receipt),
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_RECEIPT + 1)
    except OSError as error:
        text = f"the receipt cannot be read: {error.strerror}"
        raise InputError(text, where=str(path), cure="give the file you were given") from error
    if len(data) > MAX_RECEIPT:
        raise InputError(f"larger than {MAX_RECEIPT} bytes: no receipt", where=str(path))
    return data


def trust_of(keys: tuple[Path, ...], trust: Path | None) -> Trust:
    """The keys that a verifier brings: public keys, a trust file, or both.

    Raises MissingError (no such file) or InputError (not a key, not a trust file).
    """
    given = of_public_keys(keys)
    if trust is None:
        return given
    loaded = load(trust)
    known = {key.key.keyid for key in loaded.keys}
    more = tuple(key for key in given.keys if key.key.keyid not in known)
    return Trust(keys=(*loaded.keys, *more), sources=(*loaded.sources, *given.sources))


def _differs(bundle: Path, differences: tuple[Difference, ...]) -> InvalidError:
    shown = "; ".join(str(difference) for difference in differences[:5])
    more = f" and {len(differences) - 5} more" if len(differences) > 5 else ""
    return InvalidError(
        f"judging again says otherwise: {shown}{more}",
        where=str(bundle),
        cure="use the tool version that the seal names, or refuse the bundle",
    )
