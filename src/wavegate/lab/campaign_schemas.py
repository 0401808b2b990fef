# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The schemas that the lab's Campaign hands out: the signatures a client needs to call it."""

SESSION = """<schema namespace="xtk" name="session"><methods>
<method name="GetOption" static="true"><parameters><param name="name" type="string"/>
<param inout="out" name="value" type="string"/><param inout="out" name="type" type="byte"/>
</parameters></method>
<method name="GetServerTime" static="true"><parameters>
<param inout="out" name="serverTime" type="datetime"/></parameters></method>
<method name="GetUserInfo" static="true"><parameters>
<param inout="out" name="userInfo" type="DOMElement"/></parameters></method>
<method name="TestCnx" static="true"/>
</methods></schema>"""

QUERY = """<schema namespace="xtk" name="queryDef"><methods><method name="ExecuteQuery">
<parameters><param name="output" type="DOMDocument" inout="out"/></parameters></method>
</methods></schema>"""

EVENT = """<schema namespace="nms" name="rtEvent"><methods><method name="PushEvent" static="true">
<parameters><param name="domEvent" type="DOMElement"/>
<param name="id" type="int64" inout="out"/></parameters></method></methods></schema>"""

DELIVERY = """<schema namespace="nms" name="delivery"><enumeration name="deliveryState">
<value name="edition" value="0"/><value name="startPending" value="55"/>
<value name="finished" value="95"/></enumeration>
<element name="delivery"><attribute name="id" type="long"/><attribute name="internalName"/>
<attribute name="state" enum="deliveryState" type="short"/></element></schema>"""

SCHEMAS = {
    "xtk:session": SESSION,
    "xtk:queryDef": QUERY,
    "nms:rtEvent": EVENT,
    "nms:delivery": DELIVERY,
}
