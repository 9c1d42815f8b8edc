// The page: which step it is at, and what it shows of that. The diagrams stand in it, each
// with a group for each step.

const run = JSON.parse(byID("run").textContent);
const groups = diagrams.map((diagram) => [...diagram.querySelectorAll(":scope > g")]);
let at = 0; // the step that is shown, from 1 on
let hidden = false; // whether its result is
const nearby = 60; // steps: a browser takes long to lay out thousands of rows
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
  if (number !== at) hidden = byID("predict").checked && !(answered(number) < number); // it was asked before
  at = number;
  show();
}

function show() {
  fit();
  if (run.steps.length === 0) return;
  if (location.hash !== addressOf(at)) history.replaceState(null, "", addressOf(at));
  const shown = hidden ? at - 1 : at;
  for (const all of groups) {
    all.forEach((group, i) => {
      group.classList.toggle("later", i >= shown);
      group.classList.toggle("earlier", i < shown - nearby);
      group.classList.toggle("current", i === at - 1);
    });
  }
  byID("slider").value = at;
  byID("slider").setAttribute("aria-valuetext", "step " + at + " of " + run.steps.length);
  byID("count").textContent = "step " + at + " of " + run.steps.length;
  for (const id of ["first", "back"]) byID(id).setAttribute("aria-disabled", at === 1);
  for (const id of ["last", "forward"]) byID(id).setAttribute("aria-disabled", at === run.steps.length && !hidden);
  showKernel(shown);
  showStep();
  fitFooter();
  showSource();
  showPlace(shown);
}

// showPlace scrolls to where the diagram ends, and to what has changed in the kernel.
function showPlace(shown) {
  const pane = byID("rows"), diagram = diagrams[drawn];
  const scale = diagram.getBoundingClientRect().width / diagram.viewBox.baseVal.width;
  const last = (run.steps[shown - 1]?.bottoms[drawn] ?? 0) * scale, least = last + 10 - pane.clientHeight;
  const rows = groups[drawn].slice(Math.max(0, shown - nearby), shown).flatMap((group) => [...group.querySelectorAll("line.server")]);
  const tops = rows.map((row) => row.getAttribute("y1") * scale);
  pane.scrollTop = least <= 0 ? 0 : (tops.find((top) => top >= least) ?? least); // no row is cut
  showSides();
  const changed = [...byID("held").querySelectorAll(".changed")];
  for (const e of changed.reverse()) { // the first of them is the one that is seen for sure
    intoView(byID("held"), e.closest(".box"));
    intoView(byID("held"), e);
  }
}

// showSides names the two sides above the diagram, if its own heads are out of sight.
function showSides() {
  const head = diagrams[drawn].querySelector("text");
  toggle("scrolled", head !== null && head.getBoundingClientRect().bottom <= byID("rows").getBoundingClientRect().top);
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
    pane.scrollTop = top - Math.max(0, (pane.clientHeight - item.getBoundingClientRect().height) / 2);
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
  const boxes = boxesOf(kernel);
  for (const [id, listens] of [["listening", true], ["held", false]]) {
    byID(id).replaceChildren(...boxes.filter((box) => (box.listens ?? false) === listens).map((box) => drawBox(box, before.get(box.key))));
  }
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
  if (chips.childNodes.length > 0) {
    node.classList.add("table");
    node.append(chips);
  }
  return node;
}

// showStep shows the call of the step as strace has it, and what it means.
function showStep() {
  const step = run.steps[at - 1];
  const calls = step.events.filter((event) => event.call);
  const call = calls[calls.length - 1];
  byID("strace").textContent = shortened(hidden ? questionOf(calls) : textOf(call));
  byID("about").replaceChildren(step.name);
  const about = (text, className) => byID("about").append(element("span", className, " · " + text));
  if (call && call.duration_ns !== null && call.result !== null && !hidden) about(duration(call.duration_ns), "detail");
  if (step.at) about("+" + step.at + " s", "detail");
  if (step.line > 0) about(run.sources[step.file].name + ":" + step.line, "");
  byID("line").textContent = lines.get(step.file + ":" + step.line)?.textContent.trim() ?? "";
  byID("meaning").textContent = hidden ? "What will it return, what will be sent, and what will the kernel hold then?" : step.means;
  const segments = step.events.filter((event) => event.segment).map((event) => headerOf(event.segment));
  const changes = step.held.map((row) => element("li", row.side, row.side + " · " + row.text));
  byID("changes").replaceChildren(...(hidden ? [] : changes.concat(segments.map((text) => element("li", "header", text)))));
  byID("parts").replaceChildren(...(hidden ? [] : step.parts).flatMap(([name, text]) =>
    [element("code", "", beginning(text) + (beginning(text) === text ? "" : "...")), element("span", "label", " " + name + "  ")]));
  byID("show").hidden = !hidden;
  showQuestion();
}

// headerOf says what stands in a segment's header that the diagram has no room for.
function headerOf(segment) {
  const options = [segment.scale === undefined ? "" : "scale " + segment.scale, segment.mss ? "mss " + segment.mss : "",
    segment.timestamps ? "timestamps " + segment.timestamps.join(" ") : ""];
  return [segment.flags + " from " + segment.from, "window field " + segment.window, ...options].filter((text) => text).join(", ");
}

// shortened is a call without most of a long buffer.
function shortened(line) {
  return line.replace(/"((?:[^"\\]|\\.)*)"(?:\.\.\.)?/g, (whole, bytes) => {
    const some = beginning(bytes);
    return some === bytes ? whole : '"' + some + '"...';
  });
}

// beginning is the beginning of bytes, as strace writes them: as many as one or two lines have room for.
function beginning(bytes) {
  return bytes.replace(/^((?:[^\\]|\\.){100})(?:[^\\]|\\.)+$/, "$1");
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
  if (document.activeElement === byID("show") || byID("choices").contains(document.activeElement)) byID("forward").focus(); // the button goes away
  hidden = false;
  show();
}

function forward() {
  if (hidden) reveal();
  else go(at + 1);
}

function back() {
  go(at - 1);
}

const keys = {
  ArrowRight: forward,
  ArrowDown: forward,
  PageDown: forward,
  " ": forward,
  ArrowLeft: back,
  ArrowUp: back,
  PageUp: back,
  Home: () => go(1),
  End: () => go(run.steps.length),
  Enter: () => hidden && reveal(),
  0: () => choose(0),
  1: () => choose(1),
  2: () => choose(2),
  3: () => choose(3),
  "+": () => resize(+1),
  "=": () => resize(+1), // where + needs Shift
  "-": () => resize(-1),
  n: toggleNumbers,
  f: toggleFullScreen,
  p: () => byID("predict").click(),
  a: () => answer(0),
  b: () => answer(1),
  c: () => answer(2),
  d: () => answer(3),
  "?": () => byID("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  const vertical = event.key === "ArrowDown" || event.key === "ArrowUp";
  const isItsOwn = // whether what has the focus knows the key
    (event.target === byID("slider") && /^(Arrow|Home|End)/.test(event.key)) ||
    (event.target.closest("button,input") && (event.key === "Enter" || event.key === " ")) ||
    (event.target.tabIndex === 0 && event.target.scrollHeight > event.target.clientHeight && vertical);
  if (event.ctrlKey || event.altKey || event.metaKey || byID("keys").open || isItsOwn || !keys[event.key]) return;
  event.preventDefault();
  if (event.key === " " && event.shiftKey) back();
  else keys[event.key]();
});

for (const [id, action] of [["first", keys.Home], ["back", back], ["forward", forward], ["last", keys.End],
  ["show", reveal], ["help", keys["?"]], ["smaller", keys["-"]], ["larger", keys["+"]]]) {
  byID(id).addEventListener("click", action);
}
for (const button of byID("views").children) button.addEventListener("click", () => choose(Number(button.dataset.view)));
byID("slider").addEventListener("input", () => go(Number(byID("slider").value)));
byID("predict").addEventListener("change", () => {
  hidden = byID("predict").checked;
  show();
});
byID("rows").addEventListener("click", (event) => {
  const group = event.target.closest("g");
  if (group) go(Number(group.dataset.step));
});
byID("rows").addEventListener("scroll", showSides);
window.addEventListener("hashchange", () => go(readAddress(location.hash)));
window.addEventListener("resize", show);
window.addEventListener("beforeprint", listAll);

// listAll lists all steps, each beside its piece of the diagram, which only a printer shows.
function listAll() {
  const which = diagrams.length - 1; // the narrow one, if there is one
  const width = diagrams[which].viewBox.baseVal.width;
  let top = 0;
  byID("all").replaceChildren(...run.steps.map((step, i) => {
    const call = step.events.filter((event) => event.call).pop();
    const piece = diagrams[which].cloneNode(false);
    const bottom = Math.max(top, step.bottoms[which]);
    piece.removeAttribute("id");
    piece.setAttribute("viewBox", [0, top, width, bottom - top].join(" "));
    piece.setAttribute("height", bottom - top);
    piece.style.width = width / 15 + "rem";
    piece.append(groups[which][i].cloneNode(true));
    piece.firstChild.removeAttribute("class");
    top = bottom;
    const text = element("section");
    text.append(element("code", step.side, i + 1 + ". " + step.name + "  " + textOf(call)), element("p", "", step.means));
    const item = element("li");
    item.append(piece, text);
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
  byID("code").hidden = document.querySelector("[data-view='1']").hidden = without;
  document.querySelector("main").classList.toggle("without", without);
  byID("slider").max = run.steps.length;
  const missing = [...run.missing];
  if (run.cut) missing.push("the page ends here; calls made after it: " + run.left);
  if (run.earlier > 0) missing.push("sockets of earlier connections, in TIME_WAIT, that are not shown: " + run.earlier);
  byID("missing").replaceChildren(...missing.map((text) => element("li", "", text)));
  go(readAddress(location.hash));
}

begin();
