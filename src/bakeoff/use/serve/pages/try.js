"use strict";
// A drawing, a dropped, pasted or opened picture, or the camera's goes to /predict; answers are drawn.

const get = (id) => document.getElementById(id);
const canvas = get("canvas");
const pen = canvas.getContext("2d");
const state = { model: null, drawn: false, asked: 0, shown: 0, waiting: null, busy: false, stream: null, turn: 0 };

// As `utils/text.py` writes a probability: never as certainty.
const percent = (share) => {
  const shown = (100 * share).toFixed(1);
  return shown === "100.0" ? ">99.9 %" : shown === "0.0" ? "<0.1 %" : `${shown} %`;
};

function element(kind, attributes = {}, text) {
  const made = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function bars(into, rows) {
  into.replaceChildren(
    ...rows.flatMap(([name, share, words]) => [
      element("span", {}, name),
      element("meter", { min: 0, max: 1, value: share, "aria-label": name }),
      element("span", { class: "number" }, words),
    ]),
  );
}

function figure(each, large) {
  const made = element("figure");
  made.append(element("img", { class: large ? "tile large" : "tile", src: each.image, alt: each.class }));
  made.append(element("figcaption", { title: each.class }, each.class)); // long ones are cut
  return made;
}

function show(answer) {
  const found = answer.predictions[0];
  get("class").textContent = found.class;
  get("share").textContent = percent(found.probability);
  const notes = [];
  if (found.unlike_training) notes.push("This looks unlike anything the network was trained on: trust no answer here.");
  if (found.centred && !get("picture").hidden) notes.push("The figure was cut out, centred and scaled as the training images are.");
  get("note").textContent = notes.join(" ");
  get("note").hidden = notes.length === 0;
  const shares = Object.entries(found.probabilities);
  const kept = shares.length > 12 ? [...shares].sort((a, b) => b[1] - a[1]).slice(0, 12) : shares;
  bars(get("bars"), kept.map(([name, share]) => [name, share, percent(share)]));
  const details = answer.details;
  get("more").hidden = false;
  get("seen").src = details.seen;
  bars(get("seeds"), details.seeds.map((s) => [`seed ${s.seed}: ${s.class}`, s.probability, percent(s.probability)]));
  get("nearest").replaceChildren(...details.nearest.map((each) => figure(each, false)));
}

function refuse(sentence) {
  get("class").textContent = "–";
  get("share").textContent = "";
  get("note").textContent = sentence;
  get("note").hidden = false;
}

// One request at a time; while it is under way only the newest picture waits. What this page made
// itself has white at 255; a file is as the study's files are.
function ask(blob, adapt, shown) {
  state.waiting = { blob, adapt, shown, number: ++state.asked };
  if (!state.busy) next();
}

async function next() {
  const { blob, adapt, shown, number } = state.waiting;
  state.waiting = null;
  state.busy = true;
  try {
    const answer = await fetch(`/predict?details=true&adapt=${adapt}&shown=${shown}`, {
      method: "POST",
      headers: { "Content-Type": blob.type || "image/png" },
      body: blob,
    });
    const document_ = await answer.json();
    if (number > state.shown) {
      state.shown = number;
      if (answer.ok) show(document_);
      else refuse(document_.error);
    }
  } catch {
    refuse("The server does not answer.");
  }
  state.busy = false;
  if (state.waiting) next();
}

// ── drawing ──

function blank() {
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.lineWidth = canvas.width / 14;
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = "#000";
  state.drawn = false;
}

function at(event) {
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
}

function send() {
  const turn = state.turn;
  canvas.toBlob((blob) => {
    // What was cleared while the picture was made is not asked for any more.
    if (turn === state.turn) ask(blob, state.model && state.model.draws ? "always" : "never", true);
  }, "image/png");
}

let from = null;
let due = false;

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  get("hint").hidden = true;
  state.drawn = true;
  from = at(event);
  stroke(from);
});
canvas.addEventListener("pointermove", (event) => {
  if (from) for (const each of event.getCoalescedEvents ? event.getCoalescedEvents() : [event]) stroke(at(each));
});
for (const kind of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(kind, () => {
    if (from) send();
    from = null;
  });
}

function stroke(to) {
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...to);
  pen.stroke();
  from = to;
  if (!due) {
    due = true;
    setTimeout(() => { due = false; if (state.drawn) send(); }, 120);
  }
}

function clear() {
  stop();
  state.turn += 1;
  blank();
  get("picture").hidden = true;
  canvas.hidden = false;
  get("hint").hidden = !(state.model && state.model.draws);
  get("class").textContent = "–";
  get("share").textContent = "";
  get("note").hidden = get("more").hidden = true;
  state.shown = state.asked; // what is still under way is not shown any more
  state.waiting = null;
  if (state.model) bars(get("bars"), state.model.class_names.slice(0, 12).map((name) => [name, 0, ""]));
}

// ── pictures ──

function look(blob, { adapt = "auto", shown = false } = {}) {
  stop();
  state.turn += 1;
  const url = URL.createObjectURL(blob);
  get("picture").onload = () => URL.revokeObjectURL(url);
  get("picture").src = url;
  get("picture").hidden = false;
  canvas.hidden = get("hint").hidden = true;
  ask(blob, adapt, shown);
}

function taken(files) {
  const found = [...files].find((each) => each.type.startsWith("image/"));
  if (found) look(found);
  else refuse("Expected a picture, found something else.");
}

get("file").addEventListener("change", (event) => taken(event.target.files));
get("clear").addEventListener("click", clear);
document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) taken(event.clipboardData.files);
});
for (const kind of ["dragover", "dragenter"]) {
  document.addEventListener(kind, (event) => { event.preventDefault(); get("pad").classList.add("dropping"); });
}
document.addEventListener("dragleave", () => get("pad").classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  get("pad").classList.remove("dropping");
  taken(event.dataTransfer.files);
});

// ── camera ──

function stop() {
  if (state.stream) for (const track of state.stream.getTracks()) track.stop();
  state.stream = null;
  get("video").hidden = get("shoot").hidden = true;
}

get("camera").addEventListener("click", async () => {
  stop();
  try {
    state.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    refuse("There is no camera that this page may use.");
    return;
  }
  get("video").srcObject = state.stream;
  await get("video").play();
  get("video").hidden = get("shoot").hidden = false;
  canvas.hidden = get("hint").hidden = get("picture").hidden = true;
});

get("shoot").addEventListener("click", () => {
  const video = get("video");
  const still = element("canvas", { width: video.videoWidth, height: video.videoHeight });
  still.getContext("2d").drawImage(video, 0, 0);
  still.toBlob((blob) => look(blob, { shown: true }), "image/png");
});

// ── the model ──

async function start() {
  blank();
  const answer = await fetch("/model");
  if (!answer.ok) {
    refuse((await answer.json()).error);
    return;
  }
  const model = (state.model = await answer.json());
  document.title = `${model.model}: try it`;
  get("title").textContent = `Try ${model.model}`;
  get("model").textContent = model.reason[0].toUpperCase() + model.reason.slice(1) + ".";
  get("size").textContent = `${model.width} × ${model.height} pixels${model.channels === 1 ? ", grey" : ""}`;
  if (!model.draws) {
    get("ask").textContent = "Drop or paste a picture, or click one below";
    canvas.hidden = true;
  }
  clear();
  if (!model.draws) canvas.style.pointerEvents = "none";
  get("examples-section").hidden = model.examples.length === 0;
  get("examples").replaceChildren(
    ...model.examples.map((each) => {
      const button = element("button", { class: "example", type: "button", "aria-label": `a training image of ${each.class}` });
      button.append(element("img", { class: "tile", src: each.image, alt: "" }));
      button.addEventListener("click", async () => look(blobOf(each.image), { adapt: "never", shown: true }));
      return button;
    }),
  );
}

function blobOf(url) {
  const bytes = atob(url.split(",")[1]);
  return new Blob([Uint8Array.from(bytes, (each) => each.charCodeAt(0))], { type: "image/png" });
}

start();
