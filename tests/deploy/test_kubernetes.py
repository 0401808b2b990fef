# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it has no types
import pytest
from tests.builders.shipped import DEPLOY, yaml

VOLUME, JOB = yaml(DEPLOY / "kubernetes" / "nightly.yaml")

(DESK,) = yaml(DEPLOY / "kubernetes" / "desk.yaml")
NIGHT = JOB["spec"]["jobTemplate"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", ["1.31", "1.37"])
@pytest.mark.parametrize("document", [VOLUME, JOB, DESK], ids=["volume", "job", "desk"])
def test_kubernetes_takes_it(document: Any, version: str) -> None:
    """Valid by Kubernetes' own schemas, without an unknown key; 1.31 has podFailurePolicy."""
    kubernetes_validate.validate(document, version, strict=True)


def test_one_night_at_a_time() -> None:
    """Two nights on one store are refused anyway; they are not even begun."""
    assert ("Forbid", "Etc/UTC") == (JOB["spec"]["concurrencyPolicy"], JOB["spec"]["timeZone"])


def test_a_decision_is_not_tried_again() -> None:
    """No rerun until green: of the exit codes only 4, a fault of Wavegate, is tried once more."""
    job = JOB["spec"]["jobTemplate"]["spec"]
    rules = [
        (rule["action"], rule["onExitCodes"]["operator"], rule["onExitCodes"]["values"])
        for rule in job["podFailurePolicy"]["rules"]
    ]
    assert [("FailJob", "In", [1, 2, 3]), ("Count", "In", [4])] == rules
    assert (1, "Never") == (job["backoffLimit"], job["template"]["spec"]["restartPolicy"])
    names = {rule["onExitCodes"]["containerName"] for rule in job["podFailurePolicy"]["rules"]}
    assert names == {one["name"] for one in job["template"]["spec"]["containers"]}


@pytest.mark.parametrize("pod", [NIGHT, DESK["spec"]], ids=["night", "desk"])
def test_it_has_no_rights_and_one_volume(pod: Any) -> None:
    """Non-root, read-only root, no capability, no token, one volume."""
    (container,) = pod["containers"]
    assert {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    } == container["securityContext"]
    assert (True, 65532, "RuntimeDefault", False) == (
        pod["securityContext"]["runAsNonRoot"],
        pod["securityContext"]["runAsUser"],
        pod["securityContext"]["seccompProfile"]["type"],
        pod["automountServiceAccountToken"],
    )
    assert [("store", VOLUME["metadata"]["name"])] == [
        (one["name"], one["persistentVolumeClaim"]["claimName"]) for one in pod["volumes"]
    ]
    assert ["/store"] == [one["mountPath"] for one in container["volumeMounts"]]


def test_every_night_looks_from_one_vantage() -> None:
    """The vantage is the machine's name, which in a pod would be another each night."""
    assert "wavegate-nightly" == NIGHT["hostname"]


def test_the_desk_is_where_the_night_was() -> None:
    """What a person accepts there, the night finds: same image, user, secrets, volume."""
    (night,), (desk,) = NIGHT["containers"], DESK["spec"]["containers"]
    same = ("image", "envFrom", "securityContext", "volumeMounts")
    assert [night[key] for key in same] == [desk[key] for key in same]
    assert NIGHT["securityContext"] == DESK["spec"]["securityContext"]
    assert NIGHT["volumes"] == DESK["spec"]["volumes"]
