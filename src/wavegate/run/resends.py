# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The resend plans of a run, worked out from the frozen records and written into the bundle."""

from pathlib import Path

from wavegate.compare.queued_mail import account
from wavegate.evidence.dossier import Dossier
from wavegate.evidence.safe_path import check_path
from wavegate.report.resend import FOLDER, NoPlan, ResendPlan, as_csv, as_json, plan
from wavegate.testing import Case, File
from wavegate.verdict import Missing


def write_resend(folder: Path, dossier: Dossier) -> ResendPlan | NoPlan:
    """Write `resend/<instance>.csv` and `.json` of an instance whose queue was listed.

    An empty plan is written too: it says that nothing is to be resent. Raises OSError.
    """
    found = resend_plan(dossier)
    if isinstance(found, ResendPlan):
        place = folder / check_path(f"{FOLDER}/{found.instance}.csv")
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(as_csv(found))
        place.with_name(f"{found.instance}.json").write_bytes(as_json(found))
    return found


def resend_plan(dossier: Dossier) -> ResendPlan | NoPlan:
    """The plan of one instance, or why there is none; never an error, which would cost a gate."""
    name = dossier.instance.name
    try:
        found = account(Case(File(dossier)).queue)
    except Exception as error:  # noqa: BLE001 - the decision stands without this list
        return NoPlan(instance=name, why=f"the ledger failed ({type(error).__name__}: {error})")
    if isinstance(found, Missing):
        return NoPlan(instance=name, why=f"what is missing is {found.what}")
    return plan(found)
