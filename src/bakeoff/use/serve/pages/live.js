"use strict";
// Draws /study once a second: what is running, curves that grow, time left.

const get = (id) => document.getElementById(id);
const NS = "http://www.w3.org/2000/svg";

function element(kind, attributes = {}, text) {
  const made = kind.startsWith("svg:")
    ? document.createElementNS(NS, kind.slice(4))
    : document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

function last(values) {
  for (let i = values.length - 1; i >= 0; i--) if (values[i] !== null) return values[i];
  return null;
}

function curve(trial, measured) {
  return trial.curves[measured === "training" ? "fit" : "accuracy"];
}

function chart(model, trials, low, measured) {
  const width = 340, height = 190, left = 44, bottom = 26, top = 10, right = 10;
  const svg = element("svg:svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.append(element("svg:title", {}, `${model}: ${measured} accuracy by epoch`));
  const epochs = Math.max(2, ...trials.map((t) => t.of));
  const x = (share) => left + share * (width - left - right);
  const y = (value) => top + ((1 - value) / (1 - low)) * (height - top - bottom);
  for (let i = 0; i <= 2; i++) {
    const value = low + ((1 - low) * i) / 2;
    svg.append(element("svg:line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
    svg.append(element("svg:text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, `${Math.round(value * 100)} %`));
  }
  svg.append(element("svg:text", { x: left, y: height - 8 }, "0"));
  svg.append(element("svg:text", { x: width - right, y: height - 8, "text-anchor": "end" }, `epoch ${epochs - 1}`));
  for (const trial of trials) {
    const values = curve(trial, measured);
    const span = (trial.reached - 1) / (epochs - 1);
    const points = values
      .map((value, i) => [x(values.length > 1 ? (span * i) / (values.length - 1) : 0), value])
      .filter(([, value]) => value !== null)
      .map(([at, value]) => `${at.toFixed(1)},${y(Math.max(low, value)).toFixed(1)}`);
    const kind = trial.state === "finished" ? "curve" : "curve going";
    if (points.length) svg.append(element("svg:polyline", { class: kind, points: points.join(" ") }));
  }
  const figure = element("figure");
  figure.append(element("figcaption", {}, model), svg);
  figure.firstChild.style.maxWidth = "none";
  return figure;
}

function draw(study) {
  document.title = `${study.title}: live`;
  get("title").textContent = study.title;
  get("to-report").hidden = get("to-try").hidden = !study.opened;
  const all = study.finished === study.declared;
  get("whole").value = study.declared ? study.finished / study.declared : 0;
  const counted = `${study.finished} of ${study.declared} trials done`;
  const open = study.opened ? `${counted}, the test set is open` : counted;
  get("state").textContent = study.opened && all ? `Done: ${open}` : open;
  const running = study.running.length ? `running: ${study.running.join(", ")}` : "";
  const left = study.seconds_left !== null && !all ? `about ${duration(study.seconds_left)} left` : "";
  const idle = !study.running.length && !all ? `nothing is running; to go on: ${study.command}` : "";
  get("left").textContent = [running || idle, left].filter(Boolean).join(" · ");
  const models = [...new Set(study.trials.map((t) => t.model))];
  const measured = study.measured;
  get("curves").textContent = `${measured === "training" ? "Training" : "Validation"} accuracy, epoch by epoch; one line a ${study.unit}`;
  get("unit").textContent = study.unit;
  get("measured").textContent = `${measured} accuracy`;
  const known = study.trials.flatMap((t) => curve(t, measured)).filter((v) => v !== null);
  const low = known.length ? Math.max(0, Math.floor(10 * quantile(known, 0.1)) / 10 - 0.1) : 0;
  get("charts").replaceChildren(
    ...models.map((m) => chart(m, study.trials.filter((t) => t.model === m), Math.min(low, 0.9), measured)),
  );
  get("trials").replaceChildren(...study.trials.map((t) => row(t, measured)));
}

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))];
}

function state(trial) {
  return trial.nodes.length ? `${trial.state} on ${trial.nodes.join(", ")}` : trial.state;
}

function row(trial, measured) {
  const tr = element("tr");
  const bar = element("progress", { max: trial.of, value: trial.epochs, "aria-label": "epochs" });
  const accuracy = trial.accuracy ?? last(curve(trial, measured));
  const cells = [trial.model, String(trial.seed), `${trial.epochs} of ${trial.of}`, bar,
    accuracy === null ? state(trial) : `${(100 * accuracy).toFixed(1)} %${trial.state === "finished" ? "" : ` (${state(trial)})`}`];
  for (const cell of cells) {
    const td = element("td");
    td.append(cell);
    tr.append(td);
  }
  return tr;
}

async function look() {
  let wait = 1000;
  try {
    const answer = await fetch("/study");
    if (answer.ok) {
      const study = await answer.json();
      draw(study);
      if (study.opened && study.finished === study.declared) wait = 5000;
    }
  } catch {
    get("state").textContent = "The server does not answer; trying again …";
    wait = 3000;
  }
  setTimeout(look, wait);
}

look();
