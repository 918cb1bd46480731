// The page: what is chosen, searched and filtered, in all panes at once.

const data = JSON.parse(document.getElementById("data").textContent);
const by = (id) => document.getElementById(id);
const hidden = new Set();
const keyOf = (node) => `${node.app}.${node.name}`;
const panes = data.sides.map((side) => new Pane(by("panes"), side, choose));
const links = panes.length > 1 ? new Links(by("panes"), panes, data.links) : null;
let matches = [], at = -1;

function element(name, properties, ...inside) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...inside);
  return made;
}

// Draw every pane anew: what the filter leaves, or only what hangs together with what is chosen, by whichever name.
function redraw() {
  const here = by("related").checked ? panes.findIndex((pane) => pane.chosen !== null) : -1, pane = panes[here];
  const related = pane && new Set([pane.chosen, ...pane.above, ...pane.below]);
  panes.forEach((each, side) => {
    const only = related && (side === here ? related : links.partners(here, related));
    each.draw(each.nodes.map((node, place) => !hidden.has(node.app) && (!only || only.has(place))), by("compact").checked,
      side ? panes[0].layout.lanes.map(({app}) => app) : []);
  });
  const apps = allApps().length;
  by("chosen").textContent = hidden.size ? `(${apps - hidden.size} of ${apps})` : `(${apps})`;
}

function choose(pane, place) {
  for (const each of panes) each.light(each === pane ? place : null);
  tell(pane, place);
  if (by("related").checked) { redraw(); if (place !== null) pane.center(place); }
  if (links && place !== null) {
    const here = panes.indexOf(pane), other = panes[1 - here], partners = links.partners(here, new Set([place])), [first] = partners;
    other.mark(partners);
    if (first !== undefined) other.center(first);
  }
  if (links) links.draw();
  history.replaceState(null, "", place === null ? "#" : `#${encodeURIComponent(keyOf(pane.nodes[place]))}`);
}

function go(pane, place) {
  choose(pane, place);
  if (!pane.layout.spots[place]) { hidden.delete(pane.nodes[place].app); choices(); redraw(); }
  pane.center(place);
}

function list(pane, title, places) {
  if (!places.length) return [];
  const items = places.map((place) => {
    const button = element("button", {textContent: keyOf(pane.nodes[place])});
    button.addEventListener("click", () => go(pane, place));
    return element("li", {}, button);
  });
  return [element("h3", {textContent: `${title} (${places.length})`}), element("ul", {}, ...items)];
}

// The panel about one migration.
function tell(pane, place) {
  const panel = by("details");
  panel.hidden = place === null;
  if (place === null) return;
  const node = pane.nodes[place], here = panes.indexOf(pane), other = panes[1 - here];
  const close = element("button", {className: "close", textContent: "×", title: "Close (Esc)"});
  close.addEventListener("click", () => choose(pane, null));
  const facts = [];
  if (node.file) facts.push(node.file);
  if (node.kind === "outside") facts.push("its app is not shown in full");
  if (node.kind === "merge") facts.push("a merge: several parents in its app, no operations");
  if (node.fate && node.fate !== "kept") facts.push(`${node.fate} by the rewrite`);
  for (const [alias, state] of Object.entries(node.state || {})) facts.push(`${alias}: ${state}`);
  const run = node.run === undefined ? null : data.runs[node.run];
  const about = run ? [element("h3", {textContent: "Safe to squash"}),
    ...[run.name, ...run.stops.map((text, end) => `${end ? "ends" : "starts"} here: ${text}`), ...run.risks.map((text) => `risk: ${text}`)]
      .map((text) => element("p", {textContent: text}))] : [];
  const gone = (node.replaces || []).map((name) => element("li", {textContent: name}));
  panel.replaceChildren(close, element("h2", {textContent: keyOf(node)}),
    ...facts.map((text) => element("p", {textContent: text})), ...about,
    ...(other ? list(other, here ? "was" : "became", [...links.partners(here, new Set([place]))]) : []),
    ...list(pane, "depends on", pane.parents[place]), ...list(pane, "needed by", pane.children[place]),
    ...(gone.length ? [element("h3", {textContent: `replaces (${gone.length})`}), element("ul", {}, ...gone)] : []),
    ...list(pane, "replaced by", node.by || []),
    element("h3", {textContent: "in total, with indirect ones"}),
    element("p", {textContent: `depends on ${pane.above.size}, needed by ${pane.below.size}`}));
}

function search(text) {
  const wanted = text.trim().toLowerCase();
  matches = wanted ? panes.flatMap((pane) => pane.nodes.map((node, place) => ({pane, place, node}))
    .filter(({node}) => keyOf(node).toLowerCase().includes(wanted))) : [];
  at = -1;
  for (const pane of panes) pane.mark(new Set(matches.filter((each) => each.pane === pane).map(({place}) => place)));
  by("found").textContent = wanted ? `${matches.length} found` : "";
}

function step(by_) {
  if (!matches.length) return;
  at = (at + by_ + matches.length) % matches.length;
  go(matches[at].pane, matches[at].place);
  by("found").textContent = `${at + 1} of ${matches.length}`;
}

function allApps() {
  return [...new Set(panes.flatMap((pane) => pane.nodes.map((node) => node.app)))].sort();
}

function choices() {
  by("choices").replaceChildren(...allApps().map((app) => {
    const box = element("input", {type: "checkbox", checked: !hidden.has(app), value: app});
    box.addEventListener("change", () => { hidden[box.checked ? "delete" : "add"](app); redraw(); });
    const only = element("button", {textContent: "only"});
    only.addEventListener("click", () => show(new Set([app])));
    return element("li", {}, element("label", {}, box, ` ${app}`), only);
  }));
}

function show(apps) {
  for (const app of allApps()) hidden[apps.has(app) ? "delete" : "add"](app);
  choices();
  redraw();
  for (const pane of panes) pane.fit(LEGIBLE);
}

function legend() {
  const nodes = panes.flatMap((pane) => pane.nodes), some = (test) => nodes.some(test), any = () => true;
  const entries = [["plain", panes.length > 1 ? "unchanged" : "migration", any],
    ["self", "chosen", any], ["above", "what it depends on", any], ["below", "what needs it", any],
    ["found", panes.length > 1 ? "found, or its other name" : "found", any],
    ["squash", "squash", (node) => node.kind === "squash"],
    ["replaced", "replaced by a squash", (node) => node.kind === "replaced"],
    ["merge", "merge", (node) => node.kind === "merge"], ["outside", "of another app", (node) => node.kind === "outside"],
    ["safe", "safe to squash", (node) => node.run !== undefined],
    ["safe second", "the next range", (node) => node.run % 2 === 1],
    ...["renamed", "collapsed", "removed"].map((fate) => [fate, fate, (node) => node.fate === fate])];
  by("legend").append(element("span", {textContent: `${nodes.length} migrations`}),
    ...entries.filter(([, , test]) => some(test)).map(([kind, text]) => element("span", {},
      make("svg", {viewBox: "0 0 22 12"}, make("g", {class: `node ${kind}`}, make("rect", {x: 1, y: 1, width: 20, height: 10, rx: 2}))), text)),
    ...(data.aliases.length ? [element("span", {textContent: `dots, from the right: ${data.aliases.join(", ")}; filled where applied`})] : []),
    ...data.notes.map((text) => element("span", {textContent: text})),
    element("span", {textContent: "from left to right in the order of dependencies · arrows to the next one · Enter details · / search · Esc clear · drag or Shift and arrows to move · wheel to zoom · 0 fit"}));
}

function keys(event) {
  const typing = event.target === by("search");
  if (event.key === "Escape") {
    if (by("search").value) { by("search").value = ""; search(""); } else { by("related").checked = false; choose(panes[0], null); redraw(); }
    by("search").blur();
  } else if (typing && event.key === "Enter") step(event.shiftKey ? -1 : 1);
  else if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  else if (event.key === "/") by("search").focus();
  else if (event.key === "+" || event.key === "=") zoom(1.25);
  else if (event.key === "-") zoom(0.8);
  else if (event.key === "0") for (const pane of panes) pane.fit();
  else if (event.key.startsWith("Arrow")) event.shiftKey || !walk(event.key.slice(5)) ? pan(event.key.slice(5)) : null;
  else if (event.key === "Enter" && event.target === document.body) open();
  else return;
  event.preventDefault();
}

// To the next node in a direction; false where nothing is chosen and nothing could be.
function walk(direction) {
  const pane = panes.find((each) => each.chosen !== null) || panes[0];
  if (document.activeElement !== document.body && by("details").contains(document.activeElement)) return false;
  const place = pane.chosen === null ? pane.first() : pane.next(pane.chosen, direction);
  if (place === null) return pane.chosen !== null;
  go(pane, place);
  return true;
}

// Into the panel about the chosen migration, whose lists Tab goes through.
function open() {
  const panel = by("details");
  if (!panel.hidden) panel.focus();
}

// The migration that the address names, where it names one.
function follow() {
  let wanted = location.hash.slice(1);
  try { wanted = decodeURIComponent(wanted); } catch { return; }
  for (const pane of [...panes].reverse()) {
    const place = pane.nodes.findIndex((node) => keyOf(node) === wanted);
    if (place >= 0) { go(pane, place); return; }
  }
}

function zoom(factor) {
  for (const pane of panes) pane.zoom(factor);
}

function pan(direction) {
  const [x, y] = {Left: [80, 0], Right: [-80, 0], Up: [0, 80], Down: [0, -80]}[direction];
  for (const pane of panes) { pane.view.x += x; pane.view.y += y; pane.move(); }
}

by("search").addEventListener("input", (event) => search(event.target.value));
by("related").addEventListener("change", () => { redraw(); for (const pane of panes) if (pane.chosen !== null) pane.center(pane.chosen); });
by("compact").addEventListener("change", () => { redraw(); for (const pane of panes) pane.fit(LEGIBLE); });
by("all").addEventListener("click", () => show(new Set(allApps())));
by("none").addEventListener("click", () => show(new Set()));
by("in").addEventListener("click", () => zoom(1.25));
by("out").addEventListener("click", () => zoom(0.8));
by("fit").addEventListener("click", () => { for (const pane of panes) pane.fit(); });
by("theme").addEventListener("click", () => {
  const root = document.documentElement, dark = root.classList.contains("dark")
    || (!root.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);
  root.classList.toggle("dark", !dark);
  root.classList.toggle("light", dark);
});
document.addEventListener("keydown", keys);
document.addEventListener("click", (event) => { if (!by("apps").contains(event.target)) by("apps").open = false; });

choices();
legend();
redraw();
for (const pane of panes) pane.fit(LEGIBLE);
follow();
addEventListener("hashchange", follow);
if (links) addEventListener("resize", () => links.draw());
