// The page: which step it is at, and what it shows of that. The diagram stands in it,
// with a group for each step.

const run = JSON.parse(document.getElementById("run").textContent);
const byID = (id) => document.getElementById(id);
const groups = [...document.querySelectorAll("#diagram > g")];
let at = 0; // the step that is shown, from 1 on
let hidden = false; // whether its result is
const lines = new Map(); // the items of the source, by file and line

// element makes an element with a class and a text: what a peer sent is never anything else.
function element(name, className, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

// go goes to a step.
function go(number) {
  number = Math.max(1, Math.min(run.steps.length, number));
  if (number !== at) hidden = byID("predict").checked;
  at = number;
  show();
  const address = "#step=" + at;
  if (location.hash !== address) history.replaceState(null, "", address);
}

function show() {
  if (run.steps.length === 0) return;
  const shown = hidden ? at - 1 : at;
  const nearby = 60; // a browser takes long to lay out thousands of rows
  groups.forEach((group, i) => {
    group.classList.toggle("later", i >= shown);
    group.classList.toggle("earlier", i < shown - nearby);
    group.classList.toggle("current", i === at - 1);
  });
  byID("slider").value = at;
  byID("slider").setAttribute("aria-valuetext", "step " + at + " of " + run.steps.length);
  byID("count").textContent = "step " + at + " of " + run.steps.length;
  for (const id of ["first", "back"]) byID(id).setAttribute("aria-disabled", at === 1);
  for (const id of ["last", "forward"]) byID(id).setAttribute("aria-disabled", at === run.steps.length && !hidden);
  showSource();
  showKernel(shown);
  showStep();
  const pane = byID("connection");
  const diagram = byID("diagram").getBoundingClientRect();
  const top = diagram.top - pane.getBoundingClientRect().top + pane.scrollTop;
  const scale = diagram.width / byID("diagram").viewBox.baseVal.width;
  const bottom = shown > 0 ? run.steps[shown - 1].bottom : 0;
  pane.scrollTop = Math.max(0, top + bottom * scale - pane.clientHeight + 40);
  if (shown > 0) pane.scrollLeft = run.steps[shown - 1].side === "server" ? pane.scrollWidth : 0; // on a narrow screen
}

// showSource marks the line of this step and, less, where each other program is.
function showSource() {
  for (const item of document.querySelectorAll("#source li[class]")) {
    item.removeAttribute("class");
    item.removeAttribute("aria-current");
  }
  const last = new Map();
  for (const step of run.steps.slice(0, at)) {
    if (step.line > 0) last.set(step.name, step);
    else if (step.events.some((event) => event.killed || (event.exit && !event.lives))) last.delete(step.name);
  }
  for (const step of last.values()) showLine(step, step.side);
  const current = run.steps[at - 1];
  if (current.line > 0) showLine(current, current.side + " current").forEach((item) => item.setAttribute("aria-current", "step"));
}

// showLine marks the line of a step, and has it seen. It returns its items: one, or none.
function showLine(step, mark) {
  const item = lines.get(step.file + ":" + step.line);
  if (!item) return [];
  item.className = mark.endsWith("current") ? mark : (item.className + " " + mark).trim();
  for (const pane of [item.closest(".file"), byID("source")]) {
    const top = item.getBoundingClientRect().top - pane.getBoundingClientRect().top + pane.scrollTop;
    pane.scrollTop = top - pane.clientHeight / 2;
  }
  return [item];
}

// showKernel shows the boxes after some steps, and marks what this step has changed: nothing
// yet, while its result is hidden.
function showKernel(count) {
  const kernel = newKernel();
  run.steps.slice(0, at - 1).forEach((step) => follow(kernel, step));
  const before = new Map(boxesOf(kernel).map((box) => [box.key, box]));
  if (count === at) follow(kernel, run.steps[at - 1]);
  byID("held").replaceChildren(...boxesOf(kernel).map((box) => drawBox(box, before.get(box.key))));
}

function drawBox(box, before) {
  const node = element("div", "box " + box.side + (box.loose ? " loose" : ""));
  node.dataset.key = box.key;
  const title = element("h3", before?.title === box.title && before.owner === box.owner ? "" : "changed", box.title);
  if (box.side) title.append(element("span", "side", box.owner ?? box.side));
  node.append(title);
  const chips = element("p", "chips");
  for (const line of box.lines) {
    const old = before?.lines.find((other) => other.key === line.key);
    const changed = old === undefined || old.text !== line.text || old.number !== line.number ? " changed" : "";
    if (line.chip) {
      const chip = element("span", "chip" + (before ? changed : ""), line.label);
      chip.title = line.text;
      chips.append(chip, " ");
      continue;
    }
    const row = element("p", "line" + (before ? changed : ""));
    row.append(element("span", "label", line.label + " "));
    for (let i = 0; i < Math.min(line.slots ?? 0, 8); i++) row.append(element("span", "slot"));
    row.append(element("span", line.bytes ? "bytes" : "", line.text), element("span", "number", line.number ? " " + line.number : ""));
    node.append(row);
  }
  if (chips.childNodes.length > 0) node.append(chips);
  return node;
}

// showStep shows the call of the step as strace has it, and what it means.
function showStep() {
  const step = run.steps[at - 1];
  const calls = step.events.filter((event) => event.call);
  const call = calls[calls.length - 1];
  byID("strace").textContent = shortened(hidden ? questionOf(calls) : textOf(call));
  const about = [step.name];
  if (call && call.duration_ns !== null && call.result !== null && !hidden) about.push(duration(call.duration_ns));
  if (step.at) about.push("+" + step.at + " s");
  if (step.line > 0) about.push(run.sources[step.file].name + ":" + step.line);
  byID("about").textContent = about.join(" · ");
  byID("meaning").textContent = hidden ? "What will it return, what will be sent, and what will the kernel hold then?" : step.means;
  const segments = step.events.filter((event) => event.segment).map((event) => headerOf(event.segment));
  const changes = step.held.map((row) => element("li", row.side, row.side + " · " + row.text));
  byID("changes").replaceChildren(...(hidden ? [] : changes.concat(segments.map((text) => element("li", "header", text)))));
  byID("parts").replaceChildren(...(hidden ? [] : step.parts).flatMap(([name, text]) =>
    [element("code", "", text), element("span", "label", " " + name + "  ")]));
  byID("show").hidden = !hidden;
}

// headerOf says what stands in a segment's header that the diagram has no room for.
function headerOf(segment) {
  const options = [segment.scale === undefined ? "" : "scale " + segment.scale, segment.mss ? "mss " + segment.mss : "",
    segment.timestamps ? "timestamps " + segment.timestamps.join(" ") : ""];
  return [segment.flags + " from " + segment.from, "window field " + segment.window, ...options].filter((text) => text).join(", ");
}

// shortened is a call without most of a long buffer.
function shortened(line) {
  return line.replace(/("(?:[^"\\]|\\.){160})(?:[^"\\]|\\.)+"(\.\.\.)?/, '$1"...');
}

// textOf is a call as strace has it, as far as it is known.
function textOf(call) {
  return !call ? "the end of the program" : call.result === null ? begun(call) + "…" : call.strace;
}

const filledIn = ["accept", "read", "getsockname"]; // calls of which the kernel fills arguments in

// begun is what is known of a call when it begins.
function begun(call) {
  if (filledIn.includes(call.does ?? call.call)) return call.call + "(" + call.args.fd + ", ";
  return call.result === null ? call.strace + ")" : call.strace.slice(0, call.strace.lastIndexOf(") ") + 1);
}

// questionOf is a call without what it returned.
function questionOf(calls) {
  return calls.length === 0 ? "?" : begun(calls[0]) + (filledIn.includes(calls[0].does ?? calls[0].call) ? "…" : "") + " = ?";
}

function duration(ns) {
  return ns < 1e6 ? Math.round(ns / 1e3) + " µs" : ns < 1e9 ? (ns / 1e6).toFixed(1) + " ms" : (ns / 1e9).toFixed(2) + " s";
}

function reveal() {
  if (document.activeElement === byID("show")) byID("forward").focus(); // the button goes away
  hidden = false;
  show();
}

function forward() {
  if (hidden) reveal();
  else go(at + 1);
}

const keys = {
  ArrowRight: forward,
  ArrowLeft: () => go(at - 1),
  Home: () => go(1),
  End: () => go(run.steps.length),
  Enter: () => hidden && reveal(),
  p: () => byID("predict").click(),
  "?": () => byID("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  const inSlider = event.target === byID("slider") && event.key !== "Enter" && event.key.length > 1;
  const onButton = event.target.closest("button") && event.key === "Enter";
  if (event.ctrlKey || event.altKey || event.metaKey || byID("keys").open || inSlider || onButton || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

for (const [id, action] of [["first", keys.Home], ["back", keys.ArrowLeft], ["forward", forward], ["last", keys.End],
  ["show", reveal], ["help", keys["?"]]]) {
  byID(id).addEventListener("click", action);
}
byID("slider").addEventListener("input", () => go(Number(byID("slider").value)));
byID("predict").addEventListener("change", () => {
  hidden = byID("predict").checked;
  show();
});
byID("diagram").addEventListener("click", (event) => {
  const group = event.target.closest("g");
  if (group) go(Number(group.dataset.step));
});
window.addEventListener("hashchange", () => go(stepOf(location.hash)));
window.addEventListener("resize", show);
window.addEventListener("beforeprint", listAll);

function stepOf(hash) {
  return Number(/^#step=(\d+)$/.exec(hash)?.[1] ?? 1);
}

// listAll lists all steps, which only a printer shows.
function listAll() {
  byID("all").replaceChildren(...run.steps.map((step) => {
    const item = element("li");
    const call = step.events.filter((event) => event.call).pop();
    item.append(element("code", step.side, step.name + "  " + textOf(call)), element("p", "", step.means));
    return item;
  }));
}

// drawSource draws a file of source.
function drawSource(source, file) {
  if (source.lines.length === 0) return;
  const pane = element("section", "file");
  pane.tabIndex = 0;
  pane.setAttribute("aria-label", source.name);
  pane.append(element("h2", "", source.name));
  let list = null;
  let last = 0;
  for (const { number, text } of source.lines) {
    if (number !== last + 1) {
      list = element("ol");
      pane.append(list);
    }
    const item = element("li", "", text.replaceAll("\t", "  ") || " ");
    item.value = last = number;
    list.append(item);
    lines.set(file + ":" + number, item);
  }
  byID("source").append(pane);
}

// begin fills in what is the same at every step.
function begin() {
  run.sources.forEach(drawSource);
  const without = lines.size === 0; // the diagram is as wide, then
  byID("code").hidden = without;
  document.querySelector("main").classList.toggle("without", without);
  byID("slider").max = run.steps.length;
  const missing = [...run.missing];
  if (run.cut) missing.push("the page ends here; calls made after it: " + run.left);
  if (run.earlier > 0) missing.push("sockets of earlier connections, in TIME_WAIT, that are not shown: " + run.earlier);
  byID("missing").replaceChildren(...missing.map((text) => element("li", "", text)));
  go(stepOf(location.hash));
}

begin();
