# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from datetime import timedelta

import pytest
from tests.builders.estates import END, START, WAVE, estate
from tests.builders.mails import mail

from wavegate.evidence.dossier import Dossier
from wavegate.testing import Case, File


@pytest.mark.parametrize("heard", [True, False])
def test_mail_of_the_window_is_in_the_ledger_though_not_all_was_heard(*, heard: bool) -> None:
    """A sink that was away for a moment does not take away what it did receive in the window."""
    agreed = estate()
    came = mail(at=START + timedelta(minutes=10))
    dossier = Dossier(
        estate=agreed,
        wave=agreed.wave(WAVE),
        instance=agreed.instances[0],
        at=END,
        before=None,
        after=None,
        mail_before=(),
        mail_after=(),
        flaws=(),
        plan=None,
        earlier=(),
        agreed="",
        mail_heard=heard,
        mail_window=None,
        mail_during=(came,),
    )
    expected = (came,) if heard else None
    case = Case(File(dossier))
    assert (expected, expected) == (case.queue.mail_window, case.window.mail_window)
