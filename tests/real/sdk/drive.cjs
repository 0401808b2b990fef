// SPDX-FileCopyrightText: 2026 The Wavegate developers
// SPDX-License-Identifier: Apache-2.0
// Drives a Campaign endpoint with Adobe's own client; one JSON line per step, exit 1 at the first
// failure. URL, LOGIN, PASSWORD, and TOKEN_URL, CLIENT_ID, CLIENT_SECRET of the identity service come
// from the environment.
const { URL: url, LOGIN: login, PASSWORD: password } = process.env;
const { TOKEN_URL: tokenUrl, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = process.env;
const sdk = require("@adobe/acc-js-sdk");

const params = (secret) =>
  sdk.ConnectionParameters.ofUserAndPassword(url, login, secret, { rememberMe: false });

function check(holds, what) {
  if (!holds) throw new Error(what);
}

async function refused(action, pattern) {
  try {
    await action();
  } catch (error) {
    const text = `${error.message} ${error.detail} ${error.faultString} ${error.errorCode}`;
    check(pattern.test(text), `refused for another reason: ${text}`);
    return text.slice(0, 120);
  }
  throw new Error("was not refused");
}

const state = {};

const steps = {
  async test() {
    state.client = await sdk.init(params(password));
    const told = await state.client.test();
    check(told.status === "OK" && /^\d+$/.test(told.build), JSON.stringify(told));
    state.build = told.build;
    return told;
  },
  async logon() {
    await state.client.logon();
    const info = state.client.getSessionInfo("SimpleJson");
    check(info.serverInfo.buildNumber === state.build, "builds of /r/test and Logon differ");
    check(info.userInfo.login === login, "another operator");
    return info.serverInfo;
  },
  async ping() {
    const told = await state.client.ping();
    check(told.status === "OK", JSON.stringify(told));
    return told;
  },
  async mcPing() {
    const told = await state.client.mcPing();
    check(told.status === "OK" && told.eventQueueSize === "7", JSON.stringify(told));
    return told;
  },
  async optionPresent() {
    const value = await state.client.getOption("NmsServer_LastPostUpgrade");
    check(value === "9236", `got ${value}`);
    return value;
  },
  async optionAbsent() {
    const value = await state.client.getOption("NoSuchOption");
    check(value === null, `got ${value}`);
    return value;
  },
  async serverTime() {
    const told = await state.client.NLWS.xtkSession.getServerTime();
    check(Math.abs(new Date(told) - Date.now()) < 300000, `clock: ${told}`);
    return told;
  },
  async select() {
    const rows = await query("nms:delivery", "select", { lineCount: 3 }, ["@id", "@internalName"], {
      orderBy: { node: [{ expr: "@id", sortDesc: true }] },
    });
    const ids = rows.delivery.map((row) => Number(row.id));
    check(ids.length === 3 && ids[0] > ids[1] && ids[1] > ids[2], JSON.stringify(rows));
    return ids;
  },
  async where() {
    const rows = await query("nms:delivery", "select", {}, ["@id"], {
      where: { condition: [{ expr: "@internalName = 'DM2'" }] },
    });
    check(rows.delivery.length === 1 && rows.delivery[0].id === "4002", JSON.stringify(rows));
    return rows;
  },
  async empty() {
    const rows = await query("nms:delivery", "select", {}, ["@id"], {
      where: { condition: [{ expr: "@id = 999999" }] },
    });
    check(!rows.delivery || rows.delivery.length === 0, JSON.stringify(rows));
    return rows;
  },
  async getIfExists() {
    const row = await query("nms:delivery", "getIfExists", {}, ["@id"], {
      where: { condition: [{ expr: "@id = 999999" }] },
    });
    check(row === null, JSON.stringify(row));
    return row;
  },
  async countAndGroup() {
    const counted = await query("nms:broadLogRcp", "count", {}, [], {});
    const rows = await queryNodes("nms:broadLogRcp", [
      { expr: "@status", groupBy: true, analyze: true },
      { expr: "count(@id)", alias: "@count" },
    ]);
    const total = rows.broadLogRcp.reduce((sum, row) => sum + Number(row.count), 0);
    check(total === Number(counted.count), `${total} and ${counted.count}`);
    check(rows.broadLogRcp.every((row) => row.statusName && row.statusLabel), "no labels");
    return rows.broadLogRcp;
  },
  async workflows() {
    const rows = await query("xtk:workflow", "select", {}, ["@internalName", "@state"], {});
    check(rows.workflow.length === 3, JSON.stringify(rows));
    return rows.workflow;
  },
  async throughputReport() {
    const call = { reportName: "throughput", schema: "nms:delivery", context: "selection",
      selection: "4001", formData: {} };
    const report = await state.client.getReportData(call, "SimpleJson");
    check(report.vars["$trunc"] === "3600", JSON.stringify(report).slice(0, 200));
    return report.vars;
  },
  async pushEvent() {
    const id = await state.client.NLWS.nmsRtEvent.pushEvent({
      type: "probe",
      email: "probe@seed.example",
      wishedChannel: 0,
      ctx: {},
    });
    check(BigInt(id) > 0n, `id ${id}`);
    return String(id);
  },
  async unknownSchema() {
    const schema = await state.client.getSchema("nms:nothing");
    check(!schema, "a schema came");
    return schema;
  },
  async unknownAttribute() {
    return refused(() => query("nms:delivery", "select", {}, ["@nothing"], {}), /XTK-170036/);
  },
  async liveToken() {
    state.security = state.client._securityToken;
    state.session = state.client._sessionToken;
    return withTokens(state.session, state.security);
  },
  async logoff() {
    await state.client.logoff();
    return "done";
  },
  async deadToken() {
    return refused(() => withTokens(state.session, state.security), /SDK-000012/);
  },
  async forgedToken() {
    return refused(() => withTokens("___forged", "@forged=="), /SDK-000012/);
  },
  async wrongPassword() {
    const client = await sdk.init(params("wrong"));
    return refused(() => client.logon(), /XSV-350012/);
  },
  async clientCredentials() {
    const told = await granted(clientSecret);
    check(told.status === 200 && told.token_type === "bearer", JSON.stringify(told.status));
    state.bearer = told.access_token;
    return told.expires_in;
  },
  async wrongClientSecret() {
    const told = await granted("wrong");
    check(told.status === 400 && told.error === "invalid_client", JSON.stringify(told));
    return told.error;
  },
  async bearerLogon() {
    return withBearer("ofBearerToken", state.bearer);
  },
  async bearerOnly() {
    return withBearer("ofImsBearerToken", state.bearer);
  },
  async forgedBearerLogon() {
    return refused(() => withBearer("ofBearerToken", "eyJforged.e30.e30"), /XSV-350012/);
  },
  async forgedBearerOnly() {
    return refused(() => withBearer("ofImsBearerToken", "eyJforged.e30.e30"), /SDK-000012/);
  },
};

async function granted(secret) {
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: clientId,
    client_secret: secret,
    scope: "openid,AdobeID,campaign_sdk",
  });
  const answer = await fetch(tokenUrl, { method: "POST", body });
  return { status: answer.status, ...(await answer.json()) };
}

async function withBearer(kind, bearer) {
  const client = await sdk.init(sdk.ConnectionParameters[kind](url, bearer, {}));
  await client.logon();
  const value = await client.getOption("NmsServer_LastPostUpgrade", false);
  check(value === "9236", `got ${value}`);
  await client.logoff();
  return value;
}

function query(schema, operation, attributes, expressions, rest) {
  const select = { node: expressions.map((expr) => ({ expr })) };
  const document = { schema, operation, ...attributes, select, ...rest };
  return state.client.NLWS.xtkQueryDef.create(document).executeQuery();
}

function queryNodes(schema, node) {
  const document = { schema, operation: "select", select: { node } };
  return state.client.NLWS.xtkQueryDef.create(document).executeQuery();
}

async function withTokens(session, security) {
  const tokens = sdk.ConnectionParameters.ofSessionAndSecurityToken(url, session, security);
  const client = await sdk.init(tokens);
  await client.logon();
  return client.getOption("NmsServer_LastPostUpgrade", false);
}

(async () => {
  for (const [name, step] of Object.entries(steps)) {
    try {
      const told = await step();
      console.log(JSON.stringify({ step: name, ok: true, told }));
    } catch (error) {
      const told = `${error.message} ${error.detail || ""}`;
      console.log(JSON.stringify({ step: name, ok: false, told }));
      process.exit(1);
    }
  }
})();
