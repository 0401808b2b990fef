# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""ExecuteQuery over the lab's tables."""

import pytest
from lxml import etree

from wavegate.lab.campaign_query import QueryFaultError, execute
from wavegate.lab.reference import reference_world

EITHER = (
    '<where><condition boolOperator="OR" expr="@id = 4001"/><condition expr="@id = 4003"/></where>'
)
STATE = reference_world().before.instance("acme-prod1").campaign


def _run(inside: str, schema: str = "nms:delivery", **attributes: str) -> str:
    shown = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    document = etree.fromstring(f'<queryDef schema="{schema}" {shown}>{inside}</queryDef>')
    return etree.tostring(execute(STATE, document), encoding="unicode")


def _ids(inside: str, **attributes: str) -> list[str]:
    text = _run(f'<select><node expr="@id"/></select>{inside}', **attributes)
    return [str(row.get("id")) for row in etree.fromstring(text)]


def _where(*conditions: str) -> str:
    shown = "".join(f'<condition expr="{text}"/>' for text in conditions)
    return f"<where>{shown}</where>"


@pytest.mark.parametrize(
    ("inside", "ids"),
    [
        (_where("@id = 4002"), ["4002"]),
        (_where("@internalName = 'DM3'"), ["4003"]),
        (_where("@id &gt; 4003"), ["4004", "4005"]),
        (_where("@id &gt;= 4002", "@id &lt; 4004"), ["4002", "4003"]),
        (_where("@id in (4001, 4005)"), ["4001", "4005"]),
        (_where("@id &gt; 4001 and @state = 95"), ["4002", "4003"]),
        (_where("@internalName LIKE 'DM%'", "@state = 55"), ["4004", "4005"]),
        (_where("@lastModified &gt; #2024-01-10 04:00:00.000Z#"), ["4005"]),
        (_where("@id = 1"), []),
        (
            '<orderBy><node expr="@id" sortDesc="true"/></orderBy>',
            ["4005", "4004", "4003", "4002", "4001"],
        ),
        (
            EITHER,
            ["4001", "4003"],
        ),
    ],
)
def test_where_and_order(inside: str, ids: list[str]) -> None:
    """Keyset paging, equality and order are what clients page with."""
    assert _ids(inside) == ids


def test_lines_are_capped_from_a_start() -> None:
    """LineCount and startLine cut the ordered rows."""
    assert _ids("", lineCount="2", startLine="1") == ["4002", "4003"]


def test_no_query_brings_more_rows_than_the_cap() -> None:
    """An instance cuts a list off whatever was asked, and says nothing of it."""
    document = etree.fromstring('<queryDef schema="nms:delivery" lineCount="9"/>')
    assert len(execute(STATE, document, cap=2)) == 2


def test_nothing_found_is_told_by_operation() -> None:
    """An empty collection, an empty element, or a fault."""
    select = '<select><node expr="@id"/></select>'
    where = _where("@id = 1")
    assert _run(select + where) == "<delivery-collection/>"
    assert _run(select + where, operation="getIfExists") == "<delivery/>"
    with pytest.raises(QueryFaultError, match="XTK-170040"):
        _run(select + where, operation="get")


def test_groups_add_up_to_the_count() -> None:
    """Group-by with labels, and count, tell the same total."""
    select = (
        '<select><node expr="@status" groupBy="true" analyze="true"/>'
        '<node expr="count(@id)" alias="@count"/></select>'
    )
    rows = etree.fromstring(_run(select, schema="nms:broadLogRcp"))
    assert {str(row.get("statusName")) for row in rows} == {"sent", "failed", "pending"}
    total = sum(int(str(row.get("count"))) for row in rows)
    assert _run("", schema="nms:broadLogRcp", operation="count") == (
        f'<broadLogRcp count="{total}"/>'
    )


def test_nested_paths_become_elements() -> None:
    """`[indicators/@success]` is written inside an element."""
    text = _run('<select><node expr="[indicators/@success]"/></select>' + _where("@id = 4001"))
    assert text == (
        '<delivery-collection><delivery><indicators success="990"/></delivery>'
        "</delivery-collection>"
    )


@pytest.mark.parametrize(
    ("inside", "schema", "code"),
    [
        ('<select><node expr="@nothing"/></select>', "nms:delivery", "XTK-170036"),
        (_where("@nothing = 1"), "nms:delivery", "XTK-170036"),
        (_where("@id ~ 1"), "nms:delivery", "XTK-170036"),
        (_where("@id = abc"), "nms:delivery", "XTK-170036"),
        ("", "nms:nothing", "XFR-180000"),
    ],
)
def test_what_is_unknown_is_a_fault_with_its_code(inside: str, schema: str, code: str) -> None:
    """Campaign's own codes, so that a client can tell why."""
    with pytest.raises(QueryFaultError, match=code):
        _run(inside, schema=schema)
