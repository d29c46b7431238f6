"use strict";
// A key comes in the fragment of the address (never sent to the server) or from the form, and stays in this tab. Without one, the
// session of whoever signed in is asked for: its cookie is no script's to read.
const byId = (id) => document.getElementById(id);

function key() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given) {
    sessionStorage.setItem("sordino-key", given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("sordino-key");
}

function headers() {
  return { "X-Sordino-Console": "1", ...(key() ? { Authorization: `Bearer ${key()}` } : {}) };
}

async function ask(path) {
  const answer = await fetch(path, { headers: headers() });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function readiness() {
  const state = byId("ready");
  try {
    const answer = await fetch("/readyz");
    const body = await answer.json();
    const faults = Object.entries(body.reasons).map(([part, why]) => `${part}: ${why}`);
    const notes = Object.entries(body.notes || {}).map(([part, why]) => `${part}: ${why}`);
    state.textContent = [answer.ok ? "ready" : "not ready", ...faults, ...notes].join(". ");
    state.className = `state ${answer.ok ? "good" : "bad"}`;
  } catch {
    state.textContent = "the gateway does not answer";
    state.className = "state bad";
  }
}

function cell(row, text, className) {
  const td = document.createElement("td");
  td.textContent = text;
  if (className) td.className = className;
  row.append(td);
  return td;
}

function show(call, receipt) {
  const row = document.createElement("tr");
  cell(row, (receipt.started || "").replace("T", " ").slice(0, 19));
  cell(row, call.tenant);
  cell(row, receipt.code ? `${receipt.outcome} (${receipt.code})` : receipt.outcome, receipt.outcome === "failed" ? "bad" : "good");
  const announced = receipt.announcements || [];
  cell(row, announced.map((a) => `${a.id}: ${a.played_ms} of ${a.total_ms} ms`).join(", ") || "none");
  const hops = new Set((receipt.hops || []).map((h) => `${h.processor} (${h.region})`));
  cell(row, [...hops].join(", ") || "nobody");
  cell(row, Object.entries(receipt.masked || {}).map(([kind, n]) => `${kind} ${n}`).join(", ") || "0");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(receipt, null, 2)], { type: "application/json" }));
  link.download = `${call.call}.json`;
  link.textContent = "download";
  cell(row, "").append(link);
  byId("calls").tBodies[0].append(row);
}

async function who() {
  const answer = await fetch("/api/v1/access/me", { headers: headers() });
  const me = answer.ok ? await answer.json() : null;
  byId("who").hidden = !me;
  byId("sign-out").hidden = !me || me.via !== "session";
  if (me) byId("role").textContent = me.held.map((each) => `${each.role.replace("_", " ")} of ${each.tenants.join(", ").replace("*", "all tenants")}`).join("; ");
  return me;
}

async function letIn() {
  byId("key-form").hidden = false;
  byId("calls").hidden = true;
  const offered = await fetch("/signin/offered");
  byId("sign-in").hidden = !offered.ok;
}

async function calls() {
  const form = byId("key-form");
  if (!(await who()) && !key()) {
    await letIn();
    return;
  }
  let listed;
  try {
    listed = (await ask("/api/v1/calls")).calls;
  } catch (error) {
    sessionStorage.removeItem("sordino-key");
    byId("note").textContent = error.message === "401" ? "That key lets nobody in, or no longer." : "The calls cannot be read now.";
    await letIn();
    return;
  }
  form.hidden = true;
  byId("calls").hidden = listed.length === 0;
  if (listed.length === 0) byId("note").textContent = "No call has ended yet. Place one: sordino call FILE.wav";
  byId("calls").tBodies[0].replaceChildren();
  for (const call of listed.slice(-50).reverse()) {
    show(call, await ask(`/api/v1/calls/${call.tenant}/${call.call}/receipt`));
  }
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("sordino-key", byId("key").value);
  calls();
});
byId("sign-in").addEventListener("click", () => location.assign("/signin"));
byId("sign-out").addEventListener("click", async () => {
  await fetch("/signout", { method: "POST", headers: headers() });
  calls();
});
readiness();
calls();
setInterval(readiness, 5000);
