# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The SOAP methods of the lab's Campaign: a call and the state to an answer or a fault."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from secrets import token_hex, token_urlsafe
from uuid import uuid4

from wavegate.lab import soap
from wavegate.lab.campaign_ims import Ims
from wavegate.lab.campaign_query import QueryFaultError, execute
from wavegate.lab.campaign_schemas import SCHEMAS
from wavegate.lab.campaign_state import CampaignState, Table

READING = frozenset(
    {
        "xtk:session#Logon",
        "xtk:session#Logoff",
        "xtk:session#BearerTokenLogon",
        "xtk:session#GetUserInfo",
        "xtk:session#GetOption",
        "xtk:session#GetServerTime",
        "xtk:session#TestCnx",
        "xtk:persist#GetEntityIfMoreRecent",
        "xtk:queryDef#ExecuteQuery",
        "nms:rtEvent#PushEvent",
    }
)
"""What a harness may call; every other action counts as a write."""


class FaultError(Exception):
    """A fault to send: string, detail, and the HTTP status it travels with."""

    def __init__(self, text: str, detail: str, *, status: int = 200) -> None:
        super().__init__(detail)
        self.text = text
        self.detail = detail
        self.status = status


@dataclass(slots=True, kw_only=True)
class Sessions:
    """The operator of an instance and the sessions that are open: token to security token."""

    operator: str
    password: str
    open: dict[str, str] = field(default_factory=dict)
    ims: Ims = field(default_factory=Ims)
    _borne: dict[str, tuple[str, str]] = field(default_factory=dict)

    def logon(self) -> tuple[str, str]:
        """A new session token and its security token."""
        token, security = f"___{uuid4()}", f"@{token_urlsafe(78)}=="
        self.open[token] = security
        return token, security

    def borne(self, authorization: str) -> tuple[str, str] | None:
        """The session of a bearer token, as `Authorization` gives it: opened when first seen."""
        kind, _, bearer = authorization.partition(" ")
        if kind.lower() != "bearer" or bearer not in self.ims.bearers:
            return None
        if self._borne.get(bearer, ("",))[0] not in self.open:
            self._borne[bearer] = self.logon()
        return self._borne[bearer]

    def valid(self, token: str, security: str) -> bool:
        """Whether both tokens belong to an open session."""
        return token != "" and self.open.get(token) == security


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a method may know: the state in this phase, the sessions, the instance's own time.

    moving: a table as it stands now, None for one that does not move. push: stores an event of
    a type and gives its id.
    """

    state: CampaignState
    sessions: Sessions
    at: datetime
    moving: Callable[[str], Table | None]
    push: Callable[[str], int]


Method = Callable[[soap.Call, Context], bytes]


def answer(call: soap.Call, context: Context) -> bytes:
    """The response to a call. Raises FaultError."""
    functions = context.state.functions
    opens = call.method in ("Logon", "BearerTokenLogon")
    if functions.blocked or (context.state.cover == "zone" and opens):
        raise FaultError(
            "XSV-350013 The '127.0.0.1' IP address is not authorised.",
            "XSV-350013 The IP address of the caller is in no security zone of the operator.",
            status=403,
        )
    if functions.soap_fault and call.method in ("GetServerTime", "GetOption"):
        raise FaultError(
            f"SOP-330011 Error while executing the method '{call.method}' of service "
            f"'{call.service}'.",
            "SOP-330011",
        )
    method = _METHODS.get(call.action)
    if method is None:
        raise FaultError(
            f"SOP-330006 The method '{call.method}' is not defined for service '{call.service}'.",
            "SOP-330006",
        )
    if call.action not in _ANONYMOUS and not context.sessions.valid(call.token, call.security):
        raise FaultError(
            "XSV-350008 Session has expired or is invalid. Please reconnect.",
            "XSV-350008 Session has expired or is invalid.",
        )
    return method(call, context)


def instant(at: datetime) -> str:
    """An instant as Campaign writes it: `2024-01-10 06:00:00.000Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _logon(call: soap.Call, context: Context) -> bytes:
    sessions = context.sessions
    known = (call.text(1), call.text(2)) == (sessions.operator, sessions.password)
    if not known or context.state.functions.logon_refused:
        raise FaultError(
            "XSV-350012 Invalid login or password. Connection denied.",
            "XSV-350012 Invalid login or password.",
            status=403,
        )
    return _session(call, context)


def _bearer_logon(call: soap.Call, context: Context) -> bytes:
    known = call.text(1) in context.sessions.ims.bearers
    if not known or context.state.functions.logon_refused:
        raise FaultError(
            "XSV-350012 Invalid login or password. Connection denied.",
            "XSV-350012 The bearer token is not valid.",
            status=403,
        )
    return _session(call, context)


def _session(call: soap.Call, context: Context) -> bytes:
    token, security = context.sessions.logon()
    info = f"<sessionInfo>{_server_info(context)}{_user_info(context)}</sessionInfo>"
    return soap.response(
        call,
        soap.text_part("pstrSessionToken", token),
        soap.element_part("pSessionInfo", info),
        soap.text_part("pstrSecurityToken", security),
    )


def _server_info(context: Context) -> str:
    state = context.state
    shown = {
        "advisedClientBuildNumber": "0",
        "allowSQL": "false",
        "buildNumber": state.logon_build or state.build,
        "commitId": state.logon_commit or state.commit,
        "databaseId": state.database_id,
        "defaultNameSpace": "cus",
        "instanceName": state.instance_name,
        "majNumber": str(state.major),
        "minNumber": str(state.minor),
        "minNumberTechnical": "0",
        "minClientBuildNumber": "9200",
        "releaseName": state.release,
        "securityTimeOut": "86400",
        "serverDate": instant(context.at),
        "servicePack": "0",
        "sessionTimeOut": "86400",
        "useVault": "false",
    }
    return f"<serverInfo {_attributes(shown)}/>"


def _user_info(context: Context) -> str:
    login = context.sessions.operator
    shown = {
        "datakitInDatabase": "true",
        "instanceLocale": "en",
        "locale": "en",
        "login": login,
        "loginCS": f"Operator ({login})",
        "loginId": "1059",
        "orgUnitId": "0",
        "timezone": "Europe/Paris",
    }
    packages = "".join(
        f'<installed-package name="{name}" namespace="{space}"/>'
        for space, name in (package.split(":") for package in context.state.packages)
    )
    return f'<userInfo {_attributes(shown)}><login-right right="query"/>{packages}</userInfo>'


def _attributes(shown: dict[str, str]) -> str:
    return " ".join(f'{name}="{soap.attribute(value)}"' for name, value in shown.items())


def _logoff(call: soap.Call, context: Context) -> bytes:
    context.sessions.open.pop(call.token, None)
    return soap.response(call)


def _get_user_info(call: soap.Call, context: Context) -> bytes:
    return soap.response(call, soap.element_part("pUserInfo", _user_info(context)))


def _get_server_time(call: soap.Call, context: Context) -> bytes:
    return soap.response(call, soap.text_part("ptsServerTime", instant(context.at), "dateTime"))


def _get_option(call: soap.Call, context: Context) -> bytes:
    options = {option.name: option for option in context.state.options}
    found = options.get(call.text(1))
    return soap.response(
        call,
        soap.text_part("pstrValue", found.value if found else ""),
        soap.text_part("pbtType", str(found.type if found else 0), "byte"),
    )


def _test_cnx(call: soap.Call, context: Context) -> bytes:
    del context
    return soap.response(call)


def _get_entity(call: soap.Call, context: Context) -> bytes:
    del context
    kind, _, name = call.text(1).partition("|")
    schema = SCHEMAS.get(name, "") if kind == "xtk:schema" else ""
    return soap.response(call, soap.element_part("pdomDoc", schema), namespace="urn:wpp:default")


def _execute_query(call: soap.Call, context: Context) -> bytes:
    document = call.document(1)
    if document is None or document.tag != "queryDef":
        raise FaultError("SOP-330011 No queryDef document was given.", "XTK-170019")
    try:
        state = _moved(context, document.get("schema", ""))
        output = execute(state, document, cap=state.row_cap)
    except QueryFaultError as error:
        raise FaultError(
            "SOP-330011 Error while executing the method 'ExecuteQuery' of service 'xtk:queryDef'.",
            str(error),
        ) from error
    return soap.response(call, soap.element_part("pdomOutput", soap.xml(output)))


def _moved(context: Context, schema: str) -> CampaignState:
    """The state with one table as it stands now."""
    if schema == "nms:broadLogRcp" and not context.state.functions.logs_readable:
        raise QueryFaultError("XSV-350008 Session has expired or is invalid. Please reconnect.")
    moving = context.moving(schema)
    if moving is None:
        return context.state
    kept = tuple(table for table in context.state.tables if table.schema != schema)
    return replace(context.state, tables=(*kept, moving))


def _push_event(call: soap.Call, context: Context) -> bytes:
    event = call.document(1)
    number = context.push("" if event is None else event.get("type", ""))
    return soap.response(call, soap.text_part("plId", str(number), "long"))


_ANONYMOUS = frozenset(
    {
        "xtk:session#Logon",
        "xtk:session#BearerTokenLogon",
        "xtk:session#GetServerTime",
        "xtk:session#Logoff",
    }
)
_METHODS: dict[str, Method] = {
    "xtk:session#Logon": _logon,
    "xtk:session#BearerTokenLogon": _bearer_logon,
    "xtk:session#Logoff": _logoff,
    "xtk:session#GetUserInfo": _get_user_info,
    "xtk:session#GetServerTime": _get_server_time,
    "xtk:session#GetOption": _get_option,
    "xtk:session#TestCnx": _test_cnx,
    "xtk:persist#GetEntityIfMoreRecent": _get_entity,
    "xtk:queryDef#ExecuteQuery": _execute_query,
    "nms:rtEvent#PushEvent": _push_event,
}


def new_password() -> str:
    """A password without a slash, at which Adobe's own client cuts passwords off."""
    return token_hex(16)


def skewed(now: datetime, state: CampaignState) -> datetime:
    """The instance's own time."""
    return now + timedelta(milliseconds=state.skew)
