// The view: which of the code, the diagram and the kernel is shown large, how large the text
// is, and how much of that has room in the window.

const byID = (id) => document.getElementById(id);
const views = ["all", "code", "diagram", "kernel"];
const sizes = [50, 75, 90, 100, 110, 125, 150, 175, 200, 250, 300]; // percent
const diagrams = [...document.querySelectorAll(".diagram")]; // the wide one; one for large type; and a narrow one, if there is one
let drawn = 0; // which of them is shown
let view = null; // a number of views; null for what suits the window
let size = 100;
let numbers = false; // whether those are shown, too, that only some ask for

// addressOf is how the address of a step ends, in this view.
function addressOf(step) {
  return "#step=" + step + (view === null ? "" : "&view=" + view) + (size === 100 ? "" : "&size=" + size) + (numbers ? "&numbers" : "");
}

// readAddress takes the view from the end of an address, and returns its step.
function readAddress(hash) {
  const parts = new URLSearchParams(hash.slice(1));
  const number = (name) => (/^\d+$/.test(parts.get(name) ?? "") ? Number(parts.get(name)) : null);
  view = number("view") in views ? number("view") : null;
  size = sizes.includes(number("size")) ? number("size") : 100;
  numbers = parts.has("numbers");
  return number("step") ?? 1;
}

// fit makes everything as large as it should be, and puts it where it has room. It changes
// only what is not so already: thousands of rows take long to lay out.
function fit() {
  const scale = Math.min(innerWidth / 1280, innerHeight / 720);
  const text = (Math.max(14, 15 * scale) * size) / 100;
  const large = (Math.max(14, 22 * scale) * size) / 100;
  const lengths = { "--text": text, "--controls": Math.max(14, 15 * scale), "--large": large };
  const root = document.documentElement;
  const style = Object.entries(lengths).map(([name, length]) => name + ": " + length + "px; ").join("") + "--zoom: " + size / 100;
  if (root.getAttribute("style") !== style) root.setAttribute("style", style);
  const columns = innerWidth < 44 * text ? 1 : innerWidth < 80 * text ? 2 : 3;
  const shown = view ?? (columns === 1 ? 2 : 0);
  const classes = { low: innerHeight < 24 * text, enlarged: size > 100, numbers, bothsides: shown === 3 && innerWidth > 36 * large };
  views.forEach((_, i) => (classes["view" + i] = i === shown));
  for (const n of [1, 2, 3]) classes["columns" + n] = n === columns;
  for (const [name, is] of Object.entries(classes)) toggle(name, is);
  for (const button of byID("views").children) button.setAttribute("aria-pressed", Number(button.dataset.view) === shown);
  const wanted = (Math.max(12, (shown === 2 ? 22 : 12) * scale) * size) / 100;
  if (shown === 2) fitDiagram(1, wanted, wanted);
  else fitDiagram(0, wanted, 1.25 * wanted);
}

// toggle gives the body a class, or takes it away, if that is not so already.
function toggle(name, is) {
  if (document.body.classList.contains(name) !== is) document.body.classList.toggle(name);
}

// fitDiagram shows the first of the diagrams, from one on, that has room in type of a size, in
// pixels; or the last one, in smaller type. All but the wide one may have type up to another size.
function fitDiagram(from, wanted, most) {
  const type = 12; // pixels high, in a diagram of its own width
  const room = byID("rows").clientWidth;
  if (room === 0) return; // it is not shown
  const width = (diagram) => diagram.viewBox.baseVal.width;
  const fits = (diagram) => (room / width(diagram)) * type;
  const first = diagrams.findIndex((diagram, i) => i >= from && fits(diagram) >= 0.95 * wanted);
  drawn = first < 0 ? diagrams.length - 1 : first;
  diagrams.forEach((_, i) => toggle("shows" + i, i === drawn));
  const pixels = Math.floor((Math.min(drawn === 0 ? wanted : most, fits(diagrams[drawn])) / type) * width(diagrams[drawn])) + "px";
  if (diagrams[drawn].style.width !== pixels) diagrams[drawn].style.width = pixels;
}

// fitFooter makes the type below the panes as small as it takes for all that is said to be seen, but not
// too small to be read.
function fitFooter() {
  const footer = document.querySelector("footer");
  for (const part of [1, 0.9, 0.8, 0.7, 0.6]) {
    footer.style.setProperty("--fit", part);
    if (footer.scrollHeight <= footer.clientHeight) return;
  }
}

// choose shows something large, or all.
function choose(number) {
  if (number === 1 && byID("code").hidden) return; // there is none
  view = number;
  show();
}

// resize makes the text larger, or smaller.
function resize(by) {
  size = sizes[Math.max(0, Math.min(sizes.length - 1, sizes.indexOf(size) + by))];
  show();
}

function toggleNumbers() {
  numbers = !numbers;
  show();
}

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
}

// intoView scrolls a pane so that an element in it is seen, if it is not.
function intoView(pane, element) {
  const [outer, inner] = [pane.getBoundingClientRect(), element.getBoundingClientRect()];
  if (inner.top < outer.top || inner.height > outer.height) pane.scrollTop += inner.top - outer.top;
  else if (inner.bottom > outer.bottom) pane.scrollTop += inner.bottom - outer.bottom;
}
