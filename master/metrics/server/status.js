// The status page: reads /metrics every two seconds, and shows what has changed. Nothing is kept but
// the plots' points, and those only as long as the page is open.
"use strict";

const PAUSE = 2000; // milliseconds
const POINTS_MAX = 150; // five minutes
const SPAN_MIN = 60; // seconds, of a plot
const readings = []; // {at: seconds, values: Map}, the latest one last

// The text format: lines of "name{labels} value". No label of this server holds a quote.
function parsed(text) {
  const values = new Map();
  for (const line of text.split("\n")) {
    const match = /^([a-z_]+(?:\{[^}]*\})?) (\S+)$/.exec(line);
    if (match) values.set(match[1], Number(match[2]));
  }
  return values;
}

function labelled(values, name) {
  const all = [];
  for (const [key, value] of values) {
    if (!key.startsWith(`${name}{`)) continue;
    const labels = Object.fromEntries(
      [...key.matchAll(/([a-z_]+)="([^"]*)"/g)].map((match) => [match[1], match[2]]));
    all.push({ labels, value });
  }
  return all;
}

function sum(values, name) {
  return labelled(values, name).reduce((total, { value }) => total + value, 0);
}

function bytes(number) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  for (; number >= 1023.95 && unit + 1 < units.length; ++unit) number /= 1024;
  return `${number.toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}

const count = (number) => Math.round(number).toLocaleString("en");
const perSecond = (number) => `${bytes(number)}/s`;
const percent = (number) => `${(100 * number).toFixed(1)} %`;

function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  if (hours < 1) return `${minutes} min`;
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// What happened a second between two readings. Nothing where either lacks the number, or where the
// server was started anew.
function rate(before, now, name) {
  const change = now.values.get(name) - before.values.get(name);
  const time = now.at - before.at;
  return time > 0 && change >= 0 ? change / time : null;
}

function rates(name) {
  return readings.map((reading, i) => (i === 0 ? null : rate(readings[i - 1], reading, name)));
}

const gauges = (name) => readings.map(({ values }) => values.get(name) ?? null);

const takeovers = () => readings.map(({ values }, i) => {
  if (i === 0) return null;
  const change = sum(values, "chatserv_takeovers_total") -
    sum(readings[i - 1].values, "chatserv_takeovers_total");
  return change >= 0 ? change : null;
});

const PLOTS = [
  { name: "Users", text: count, least: 4, whole: true,
    lines: [{ of: () => gauges("chatserv_users") }] },
  { name: "Traffic", text: perSecond, least: 1024,
    lines: [{ name: "delivered", of: () => rates("chatserv_sent_bytes_total") },
      { name: "received", of: () => rates("chatserv_received_bytes_total") }] },
  { name: "Log fill", text: percent, least: 0.1, most: 1,
    lines: [{ of: () => gauges("chatserv_log_fill_ratio") }] },
  { name: "Takeovers", text: count, least: 4, whole: true, lines: [{ of: takeovers }] },
];

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

function shape(name, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.textContent = text;
  return made;
}

// For the axis: "500 MiB/s", not "500.0 MiB/s".
const shortened = (text) => text.replace(/\.0(?=\D|$)/, "");

// How far the plots go back: in whole minutes, as long as this page is open.
function span() {
  const open = readings.at(-1).at - readings[0].at;
  return Math.min(Math.max(SPAN_MIN, 60 * Math.ceil(open / 60)), POINTS_MAX * PAUSE / 1000);
}

// The least of 1, 2 or 5 times a power of ten (of 1024 for bytes) that is not below `value`.
function ceiling(value, plot) {
  if (plot.most && value > plot.most / 2) return plot.most;
  let unit = 1;
  if (plot.text === perSecond) while (value / unit >= 1024) unit *= 1024;
  const power = 10 ** Math.floor(Math.log10(value / unit));
  const step = [1, 2, 5, 10].find((digit) => digit * power * unit >= value * 0.9999) ?? 10;
  const top = step * power * unit;
  return plot.whole && top % 2 ? top + 1 : top;
}

function drawn(plot, svg) {
  const lines = plot.lines.map((line) => line.of());
  const known = lines.flat().filter((value) => value !== null && !Number.isNaN(value));
  const top = ceiling(Math.max(plot.least, ...known), plot);
  const width = svg.clientWidth || 400;
  const height = svg.clientHeight || 190;
  const box = { left: 76, right: width - 8, top: 12, bottom: height - 24 };
  const seconds = span();
  const latest = readings.at(-1).at;
  const x = (at) => box.right - ((latest - at) / seconds) * (box.right - box.left);
  const y = (value) => box.bottom - (value / top) * (box.bottom - box.top);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren();
  for (const part of [0, 0.5, 1]) {
    const at = y(part * top);
    svg.append(shape("line", { class: "grid", x1: box.left, x2: box.right, y1: at, y2: at }),
      shape("text", { x: box.left - 8, y: at + 4, "text-anchor": "end" }, shortened(plot.text(part * top))));
  }
  svg.append(shape("text", { x: box.left, y: height - 6 }, `${seconds / 60} min ago`),
    shape("text", { x: box.right, y: height - 6, "text-anchor": "end" }, "now"));
  lines.forEach((values, i) => {
    let path = "";
    let pen = "M";
    values.forEach((value, j) => {
      if (value === null || Number.isNaN(value) || x(readings[j].at) < box.left) {
        pen = "M";
        return;
      }
      path += `${pen}${x(readings[j].at).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
    });
    svg.append(shape("path", { class: `line-${i}`, d: path || "M0 0" }));
  });
  return lines.map((values) => values.filter((value) => value !== null && !Number.isNaN(value)));
}

function made(plot) {
  const said = element("p");
  const svg = shape("svg", { role: "img" });
  plot.figure = element("figure", {}, element("figcaption", {},
    element("b", { textContent: plot.name }), said), svg);
  plot.show = () => {
    const lines = drawn(plot, svg);
    said.replaceChildren();
    const words = lines.map((values, i) => {
      if (values.length === 0) return "";
      const { name } = plot.lines[i];
      const now = `${name ?? "now"} ${plot.text(values.at(-1))}`;
      const most = `at most ${plot.text(Math.max(...values))}`;
      said.append(name ? element("span", {}, element("i", { className: `key key-${i}` }), now)
        : element("span", { textContent: `${now}, ${most}` }));
      return `${now}, ${most}`;
    });
    svg.setAttribute("aria-label",
      `${plot.name} since this page was opened: ${words.join("; ") || "nothing is known yet"}`);
  };
  return plot.figure;
}

function tile(name, value, more, ...others) {
  return element("div", { className: "tile" },
    element("p", { className: "name", textContent: name }),
    element("p", { className: "value", textContent: value }),
    element("p", { className: "more", textContent: more }), ...others);
}

const latestOf = (values) => values.at(-1) ?? null;

function showTiles(values) {
  const fill = values.get("chatserv_log_fill_ratio");
  const meter = element("meter", { min: 0, max: 1, low: 0.5, high: 0.8, optimum: 0, value: fill,
    ariaLabel: "share of the log that the slowest user has yet to get" });
  const [sent, received] = ["sent", "received"].map(
    (name) => latestOf(rates(`chatserv_${name}_bytes_total`)));
  const of = (process) => values.get(`chatserv_takeovers_total{process="${process}"}`);
  document.getElementById("tiles").replaceChildren(
    tile("Users", count(values.get("chatserv_users")),
      `of ${count(values.get("chatserv_users_max"))}`),
    tile("Delivered", sent === null ? "\u2013" : perSecond(sent),
      `${bytes(values.get("chatserv_sent_bytes_total") ?? 0)} in all`),
    tile("Received", received === null ? "\u2013" : perSecond(received),
      `${bytes(values.get("chatserv_received_bytes_total"))} in all`),
    tile("Log fill", percent(fill),
      values.get("chatserv_senders_wait") ? "senders wait"
        : `of ${bytes(values.get("chatserv_log_size_bytes"))}`, meter),
    tile("Takeovers", count(sum(values, "chatserv_takeovers_total")),
      `workers ${of("worker")}, masters ${of("master")}, keepers ${of("keeper")}`));
}

function load(worker) {
  if (readings.length < 2) return "\u2013";
  const [before, now] = readings.slice(-2);
  const key = [...now.values.keys()].find((name) =>
    name.startsWith(`chatserv_worker_awake_seconds_total{worker="${worker}"`));
  const share = key === undefined ? null : rate(before, now, key);
  return share === null || Number.isNaN(share) ? "\u2013" : `${Math.round(100 * share)} %`;
}

function showWorkers(values) {
  const rows = labelled(values, "chatserv_worker_up").map(({ labels, value }) => {
    const number = labels.worker;
    const of = (name) => values.get(`chatserv_${name}{worker="${number}"}`);
    const times = of("takeover_duration_seconds_count");
    const mean = (1000 * of("takeover_duration_seconds_sum")) / times;
    const state = value === 0 ? "being replaced" : of("worker_drained") ? "drained" : "serving";
    const cells = [number, state, count(of("worker_users")), load(number),
      times ? `${count(times)} (${mean.toFixed(2)} ms)` : "0",
    ];
    return element("tr", {}, ...cells.map((text) => element("td", { textContent: text })));
  });
  document.getElementById("workers").replaceChildren(...rows);
}

function showCounts(values) {
  const of = (name, words) => labelled(values, name)
    .filter(({ value }) => value > 0)
    .map(({ labels, value }) => [`${words}: ${labels.reason.replaceAll("_", " ")}`, value]);
  const rows = [["let in", values.get("chatserv_accepted_total")],
    ...of("chatserv_departures_total", "left"), ...of("chatserv_refusals_total", "turned away"),
    ["moved between workers", values.get("chatserv_moved_total")],
    ["spare workers ready", values.get("chatserv_spares")]];
  document.getElementById("counts").replaceChildren(...rows.map(([name, value]) =>
    element("div", {}, element("dt", { textContent: name }),
      element("dd", { textContent: count(value) }))));
}

function say(kind, text) {
  const state = document.getElementById("state");
  if (state.textContent !== text) state.textContent = text;
  state.className = kind;
}

function show() {
  const { values } = readings.at(-1);
  const version = labelled(values, "chatserv_build_info")[0];
  document.getElementById("version").textContent = version ? version.labels.version : "";
  const up = Date.now() / 1000 - values.get("chatserv_start_time_seconds");
  const ready = values.get("chatserv_ready") === 1;
  say(ready ? "good" : "bad",
    `${ready ? "serving" : "not serving"}, up ${duration(Math.max(0, up))}`);
  showTiles(values);
  PLOTS.forEach((plot) => plot.show());
  showWorkers(values);
  showCounts(values);
}

async function look() {
  try {
    const response = await fetch("/metrics", { signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    readings.push({ at: performance.now() / 1000, values: parsed(await response.text()) });
    while (readings.length > POINTS_MAX) readings.shift();
    show();
  } catch (error) {
    say("bad", "the server does not answer; what is shown is old");
  }
  setTimeout(look, PAUSE);
}

document.getElementById("plots").append(...PLOTS.map(made));
addEventListener("resize", () => readings.length > 0 && PLOTS.forEach((plot) => plot.show()));
look();
