# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The page of attacks, made from the tests: `python -m tests.evidence.attack_table` writes it.

Each row is a test: those of `more_attacks.EVERY` are run against both verifiers, the others name
the test that shows them.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.evidence.attacks import Attack
from tests.evidence.more_attacks import EVERY

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "attacks.md"
REFUSED, UNCLEAR = "refused", "cannot tell"
SHOWN = "shown harmless"
UNSEEN = "not seen"
NUMBERS = range(1, 43)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One attack. number: of the list of attacks that a verifier must withstand.

    test: `file::function` that shows it, None where the pair of tests over EVERY does.
    """

    number: int
    attack: str
    verify: str
    script: str
    test: str | None = None


def _row(number: int, attack: str, verify: str, script: str, test: str) -> Row:
    return Row(number=number, attack=attack, verify=verify, script=script, test=f"tests/{test}")


ELSEWHERE = (
    _row(
        2,
        "threshold of nobody",
        "an error of the caller",
        "takes exactly one key",
        "evidence/test_envelope.py::test_threshold_of_nobody",
    ),
    _row(
        5,
        "one key twice, or its twin (r, n-s), for a threshold of two",
        "counts once",
        "takes exactly one key",
        "evidence/test_envelope.py::test_one_key_counts_once",
    ),
    _row(
        5,
        "the twin (r, n-s) in place of the signature",
        "the same seal: digests are of payloads",
        "the same seal",
        "evidence/test_attack_table.py::test_twin_is_the_same_seal",
    ),
    _row(6, "no key", UNCLEAR, UNCLEAR, "evidence/test_verify.py::test_no_key"),
    _row(
        6,
        "a trust file from the bundle",
        UNCLEAR,
        "takes no trust file",
        "evidence/test_verify.py::test_trust_file_in_the_bundle",
    ),
    _row(
        6,
        "a key from the bundle, a link to it too",
        UNCLEAR,
        UNCLEAR,
        "evidence/test_verify.py::test_key_in_the_bundle",
    ),
    _row(
        8,
        "a key for records seals",
        REFUSED,
        "knows no roles: it is given the key for seals",
        "evidence/test_verify.py::test_record_key_cannot_seal",
    ),
    _row(
        8,
        "a key for seals signs records",
        REFUSED,
        "does not look into records",
        "evidence/test_verify.py::test_seal_key_cannot_record",
    ),
    _row(
        9,
        "sealed or planned outside the key's bounds, by the run's own clock",
        REFUSED,
        "knows no bounds",
        "evidence/test_sealed_keys.py::test_outside_its_bounds_by_its_own_clock",
    ),
    _row(
        9,
        "records signed when their key had ended",
        REFUSED,
        "knows no bounds",
        "evidence/test_sealed_keys.py::test_records_signed_after_the_end",
    ),
    _row(
        9,
        "a capture older than the key that signed it",
        REFUSED,
        "knows no bounds",
        "evidence/test_sealed_keys.py::test_records_outside_the_bounds",
    ),
    _row(
        9,
        "a revoked key whose clock was set back, without a trusted time",
        UNCLEAR,
        "knows no bounds",
        "evidence/test_sealed_keys.py::test_revoked_later",
    ),
    _row(
        9,
        "records of a revoked key, stamped with the seal after the revocation",
        UNCLEAR,
        "knows no bounds",
        "evidence/test_sealed_keys.py::test_seal_stamped_after_records_key_was_revoked",
    ),
    _row(
        9,
        "the seal of an earlier wave by a key that had ended, or was revoked since",
        "said not to be proven",
        "does not look into records",
        "evidence/test_sealed_keys.py::test_earlier_gate",
    ),
    _row(
        4,
        "a rotation that the old key, or the new one, did not sign",
        "refused by `keys trust merge`",
        "-",
        "evidence/test_rotation.py::test_not_by_both",
    ),
    _row(
        9,
        "a rotation by a key that was revoked since, without a trusted time",
        "refused by `keys trust merge`",
        "-",
        "evidence/test_rotation.py::test_by_a_key_that_was_revoked_since",
    ),
    _row(
        6,
        "a private key given as the public one",
        "an error of the caller",
        REFUSED,
        "evidence/test_sealed_keys.py::test_private_key_for_a_public_one",
    ),
    _row(
        35,
        "an approval over other words, told to stand, or by another key, sealed anew",
        REFUSED,
        "does not look into approvals",
        "run/test_approve.py::test_an_approval_that_is_not_what_was_signed_is_refused",
    ),
    _row(
        35,
        "a waiver or limit that nobody signed, or by a key that may not approve",
        "counted as a claim of the estate file",
        "does not look into approvals",
        "run/test_approve.py::test_verify_checks_who_approved",
    ),
    _row(
        35,
        "a person's decision replaced, told otherwise, left out or made up, sealed anew",
        REFUSED,
        "does not look into decisions",
        "run/test_decide.py::test_a_decision_that_is_not_what_was_signed_is_refused",
    ),
    _row(
        35,
        "a person's decision by a key that the verifier does not trust",
        "said not to be proven",
        "does not look into decisions",
        "run/test_decide.py::test_verify_checks_who_decided",
    ),
    _row(
        34,
        "an instance withdrawn after the opening, or in secret, its mail stopping all the same",
        "refused by `plan`; FAILED `scope`",
        "-",
        "run/test_withdraw.py::test_it_must_really_have_stayed_behind",
    ),
    _row(
        18,
        "a zip instead of a folder",
        "an error of the caller: it is never unpacked",
        "an error of the caller",
        "evidence/test_attack_table.py::test_a_zip_is_never_unpacked",
    ),
    _row(
        24,
        "an old bundle for another run or wave",
        "refused by `--expect-run`, `--expect-wave`",
        "prints run and wave",
        "evidence/test_verify.py::test_replayed",
    ),
    _row(
        25,
        "a journal in a store cut at its end",
        "refused by `doctor --store`: it ends before its signed end",
        "-",
        "evidence/test_store_doctor.py::test_damage_is_named",
    ),
    _row(
        26,
        "a journal in a store edited, reordered, torn inside",
        "refused by `doctor --store`: the chain breaks",
        "-",
        "record/test_journal.py::test_changed_line_breaks_the_chain_behind_it",
    ),
    *(
        _row(number, attack, REFUSED, REFUSED, f"evidence/test_sealed_time.py::{test}")
        for number, attack, test in (
            (28, "timestamp of another bundle, or none at all", "test_bad_token_of_the_seal"),
            (28, "timestamp of another capture", "test_token_of_another_capture"),
            (29, "its certificate had expired when it stamped", "test_bad_token_of_the_seal"),
            (29, "its certificate is for other purposes too", "test_bad_token_of_the_seal"),
            (29, "its imprint is over SHA-1", "test_bad_token_of_the_seal"),
            (29, "its authority is under another root", "test_other_root"),
        )
    ),
    _row(
        28,
        "timestamp beside no capture",
        REFUSED,
        UNSEEN,
        "evidence/test_sealed_time.py::test_token_of_no_capture",
    ),
    _row(
        28,
        "an answer to an earlier request (nonce)",
        "not kept when it is received",
        "-",
        "evidence/test_timestamp_client.py::test_replayed_answer",
    ),
    _row(
        29,
        "its signature is over SHA-1",
        REFUSED,
        UNSEEN,
        "evidence/test_timestamp.py::test_weak_signature",
    ),
    _row(
        6,
        "a root of the timestamp authority from the bundle",
        UNCLEAR,
        UNCLEAR,
        "evidence/test_sealed_time.py::test_root_in_the_bundle",
    ),
    _row(
        9,
        "a key that was not valid at the instant of the timestamp",
        REFUSED,
        "knows no bounds",
        "evidence/test_sealed_time.py::test_key_at_the_proven_instant",
    ),
    _row(
        30,
        "timestamp on the wrong side of the window",
        REFUSED,
        UNSEEN,
        "evidence/test_sealed_time.py::test_after_stamped_before_the_close",
    ),
    _row(
        30,
        "a token without a root to check it, where one was required",
        UNCLEAR,
        UNCLEAR,
        "evidence/test_sealed_time.py::test_no_root",
    ),
    _row(
        30,
        "no token where one was required",
        UNCLEAR,
        UNCLEAR,
        "evidence/test_verify.py::test_timestamps_required",
    ),
    _row(
        33,
        "judging again says otherwise",
        "refused by `--rejudge`",
        UNSEEN,
        "evidence/test_rejudgement.py::test_other_judgement",
    ),
    _row(
        33,
        "a record that is damaged inside, signed so by a liar",
        "refused by `--rejudge`",
        UNSEEN,
        "evidence/test_whole_records.py::test_damaged_inside",
    ),
    _row(
        34,
        "an instance left out of plan and verdicts alike",
        "never GO",
        "never GO",
        "evidence/test_attack_table.py::test_an_instance_without_a_cell_is_never_go",
    ),
    _row(
        34,
        "an empty folder",
        "an error of the caller",
        REFUSED,
        "evidence/test_verify.py::test_no_bundle",
    ),
    _row(
        36,
        "too many files, too large",
        "refused before anything is read",
        "has no bounds",
        "evidence/test_verify.py::test_budget",
    ),
    _row(
        37,
        "a file changed between check and use",
        "each file is read once",
        "reads twice: check a copy of your own",
        "evidence/test_verify.py::test_each_file_is_read_once",
    ),
    _row(
        38,
        "markup and scripts in values",
        SHOWN,
        "-",
        "report/test_html.py::test_hostile_text_is_shown_and_inert",
    ),
    _row(
        39,
        "bidi marks, zero widths, escapes of a terminal",
        SHOWN,
        SHOWN,
        "report/test_safe_text.py::test_nothing_unseen_is_left",
    ),
    _row(
        38,
        "markup of the typesetter in values",
        SHOWN,
        "-",
        "report/test_pdf.py::test_hostile_text_stays_text",
    ),
    _row(
        39,
        "the same in text that is copied out of the PDF",
        SHOWN,
        "-",
        "report/test_pdf.py::test_copied_text_has_no_hidden_characters",
    ),
    _row(
        40,
        "PDF changed or updated, without its bundle",
        "seen by pyHanko and pdfsig",
        "-",
        "report/test_pdf_seal.py::test_later_change_is_seen",
    ),
    _row(
        41,
        "a report that never said what the verdicts say, sealed by a liar",
        "said not to be proven",
        UNSEEN,
        "evidence/test_attack_table.py::test_a_false_report_is_not_vouched_for",
    ),
    _row(
        31,
        "no line of RUN under the customer's tag",
        REFUSED,
        REFUSED,
        "run/test_extracts.py::test_stock_tools_say_the_same",
    ),
    _row(
        22,
        "something of an extract taken away, added or changed",
        REFUSED,
        REFUSED,
        "run/test_extracts.py::test_what_was_changed_is_refused_by_both",
    ),
    _row(
        42,
        "another customer's name in an extract",
        "never handed out",
        "-",
        "run/test_extracts.py::test_no_byte_is_another_customers",
    ),
)


def rows() -> tuple[Row, ...]:
    """All rows, by number."""
    found = [*map(_of, EVERY), *ELSEWHERE]
    return tuple(sorted(found, key=lambda row: row.number))


def _of(attack: Attack) -> Row:
    number, _, told = attack.name.partition(" ")
    if not number.isdigit():
        number, told = "33", attack.name
    script = {True: REFUSED, False: UNSEEN, None: "depends on the version of jq"}[attack.stock]
    return Row(number=int(number), attack=told, verify=REFUSED, script=script)


def page() -> str:
    """The text of the page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    found = rows()
    yield "<!-- made by `python -m tests.evidence.attack_table`; do not edit -->"
    yield "# What a verifier withstands\n"
    yield "Each row is a test. `verify` is `wavegate verify BUNDLE --key PUB`; `verify.sh` needs"
    yield "`openssl`, `jq` and coreutils only, so it does not look into records and verdicts: what"
    yield "a liar who holds the key of the seal put there before sealing, it does not see.\n"
    refused = sum(row.verify == REFUSED for row in found)
    both = sum(row.verify == row.script == REFUSED for row in found)
    yield f"{len(found)} attacks: {refused} refused by `verify`, {both} by `verify.sh` too.\n"
    yield "| # | attack | `verify` | `verify.sh` |\n|---|---|---|---|"
    for row in found:
        cells = (str(row.number), row.attack, row.verify, row.script)
        yield f"| {' | '.join(map(_cell, cells))} |"
    yield "\nRUN is a list that every customer holds whole, so no tree is read: a root, or a path"
    yield "in one, is a field or a file that a bundle does not have (32). A zip is never unpacked"
    yield "(16, 18, 36): whoever unpacks one gets a folder, and that is what is verified."


def _cell(text: str) -> str:
    return re.sub(r"([|<>*])", r"\\\1", text)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.stdout.write(f"wrote {PAGE.relative_to(ROOT)}\n")
