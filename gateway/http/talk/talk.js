"use strict";
// The token comes in the fragment of the address (never sent to a server), is good for one call, and is forgotten at once.
const byId = (id) => document.getElementById(id);
const STEPS = ["microphone", "announcing", "listening", "ended"];
const SAYS = {
  microphone: "Please allow the microphone.",
  connecting: "Connecting…",
  announcing: "Please listen to the announcement. Nobody listens to you yet.",
  listening: "You are listened to. Speak.",
  ended: "The call has ended.",
};
let token = new URLSearchParams(location.hash.slice(1)).get("token");
let call = null;

function show(state) {
  const at = STEPS.indexOf(state === "connecting" ? "microphone" : state);
  STEPS.forEach((name, index) => {
    const step = byId(`step-${name}`);
    step.classList.toggle("done", index < at && step.dataset.seen === "yes");
    if (index === at) {
      step.dataset.seen = "yes";
      step.setAttribute("aria-current", "step");
    } else step.removeAttribute("aria-current");
  });
  byId("state").className = "";
  byId("state").textContent = SAYS[state];
  byId("keys").hidden = state !== "listening" || !call?.keys;
}

function fail(text) {
  byId("state").className = "bad";
  byId("state").textContent = text;
}

function gathered(connection) {
  return new Promise((resolve) => {
    const look = () => connection.iceGatheringState === "complete" && resolve();
    connection.addEventListener("icegatheringstatechange", look);
    setTimeout(resolve, 2000);
    look();
  });
}

async function ask(method, path, body) {
  const headers = body ? { "Content-Type": "application/json", Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), keepalive: method === "DELETE" });
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => null);
  throw new Error(said?.error ? [said.error.message, said.error.hint].filter(Boolean).join(". ") : `the gateway said ${answer.status}`);
}

async function start() {
  show("microphone");
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
  show("connecting");
  const connection = new RTCPeerConnection();
  call = { connection, microphone, session: null, keys: null };
  connection.addEventListener("track", (event) => { byId("voice").srcObject = event.streams[0] ?? new MediaStream([event.track]); });
  connection.addEventListener("connectionstatechange", () => {
    if (["failed", "closed"].includes(connection.connectionState)) ended();
  });
  const sender = connection.addTrack(microphone.getAudioTracks()[0], microphone);
  await connection.setLocalDescription();
  await gathered(connection);
  const { type, sdp } = connection.localDescription;
  const answer = await (await ask("POST", "/webrtc/offer", { type, sdp })).json();
  token = null;
  call.session = answer.session;
  call.keys = sender.dtmf;
  byId("leg").textContent = answer.leg;
  call.events = new EventSource(`${answer.session}/events`);
  call.events.addEventListener("message", (event) => {
    const { state } = JSON.parse(event.data);
    if (state === "ended") ended();
    else show(state);
  });
  call.events.addEventListener("error", ended);
  await connection.setRemoteDescription({ type: answer.type, sdp: answer.sdp });
}

function release() {
  call.events?.close();
  call.connection.close();
  call.microphone.getTracks().forEach((track) => track.stop());
  call = null;
  const button = byId("call");
  button.textContent = "Start the call";
  button.classList.remove("hang-up");
  button.disabled = true;
}

function ended() {
  if (!call) return;
  release();
  show("ended");
  byId("call").hidden = true;
  byId("verify").hidden = false;
}

function hangUp() {
  if (call?.session) ask("DELETE", call.session).catch(() => undefined);
  ended();
}

byId("call").addEventListener("click", async () => {
  const button = byId("call");
  if (call) {
    hangUp();
    return;
  }
  button.disabled = true;
  try {
    await start();
    button.textContent = "Hang up";
    button.classList.add("hang-up");
    button.disabled = false;
  } catch (error) {
    if (call) release();
    const refused = error.name === "NotAllowedError" || error.name === "NotFoundError";
    fail(refused ? "There is no call without a microphone." : `The call could not begin: ${error.message}.`);
    button.disabled = !refused;
  }
});

for (const key of "123456789*0#") {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = key;
  button.addEventListener("click", () => call?.keys?.insertDTMF(key));
  byId("keys").append(button);
}
addEventListener("pagehide", hangUp);
history.replaceState(null, "", location.pathname);
if (!token) {
  fail("This page is opened by a link that is good for one call. Ask for a new one.");
  byId("call").disabled = true;
} else if (!navigator.mediaDevices || !window.RTCPeerConnection) {
  fail("This browser gives pages no microphone here: it needs https.");
  byId("call").disabled = true;
}
