// One drawing: lanes, boxes and edges of one side, moved and zoomed as a whole.

const SVG = "http://www.w3.org/2000/svg";
const LARGEST = 3, LEGIBLE = 0.85, READABLE = 0.42, VISIBLE = 0.12;

function make(name, attributes, ...inside) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...inside);
  return element;
}

function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

class Pane {
  constructor(host, side, choose) {
    this.nodes = side.nodes;
    this.choose = choose;
    this.parents = this.nodes.map((node) => node.parents);
    this.children = this.nodes.map(() => []);
    this.parents.forEach((list, place) => list.forEach((parent) => this.children[parent].push(place)));
    this.shown = this.nodes.map(() => true);
    this.view = {x: 0, y: 0, scale: 1};
    this.lanes = make("g", {});
    this.edges = make("g", {});
    this.boxes = make("g", {});
    this.world = make("g", {class: "world"}, this.lanes, this.edges, this.boxes);
    this.names = make("g", {class: "names"});
    this.svg = make("svg", {}, this.world, this.names);
    const box = document.createElement("section");
    box.className = "pane";
    if (side.title) box.append(Object.assign(document.createElement("h2"), {textContent: side.title}));
    box.append(this.svg);
    host.append(box);
    this.elements = this.nodes.map((node, place) => this.element(node, place));
    this.listen();
  }

  element(node, place) {
    const kinds = ["node", node.kind, node.fate, node.run === undefined ? "" : `safe ${node.run % 2 ? "second" : ""}`];
    const number = /^\d+/.exec(node.name);
    const element = make("g", {class: kinds.filter(Boolean).join(" "), "data-key": `${node.app}.${node.name}`},
      make("title", {}, `${node.app}.${node.name}`),
      make("rect", {width: BOX.width, height: BOX.height, rx: 5}),
      make("text", {class: "name", x: 8, y: 18}, shortened(node.name, 23)),
      make("text", {class: "number", x: BOX.width / 2, y: 22}, number ? number[0] : shortened(node.name, 10)));
    Object.values(node.state || {}).forEach((state, at) => {
      element.append(make("circle", {class: state.replace(" ", "-"), r: 3.5, cx: BOX.width - 8 - 10 * at, cy: -1}));
    });
    element.addEventListener("click", () => { if (!this.moved) this.choose(this, place); });
    return element;
  }

  // Place and draw the nodes for which `shown` is true, the apps in `first` at the top.
  draw(shown, compact, first) {
    this.shown = shown;
    this.layout = arrange(this.nodes, shown, compact, first);
    const {lanes, spots, width} = this.layout;
    this.lanes.replaceChildren(...lanes.map((lane) => make("rect",
      {class: "lane", x: -10000, y: lane.top, width: width + 20000, height: lane.height})));
    this.names.replaceChildren(...lanes.map((lane) => make("text", {class: "lane-name", x: 8}, lane.app)));
    const seen = [];
    spots.forEach((spot, place) => {
      if (!spot) return;
      this.elements[place].setAttribute("transform", `translate(${spot.x} ${spot.y})`);
      seen.push(this.elements[place]);
    });
    this.boxes.replaceChildren(...seen);
    this.drawEdges();
    this.light();
    this.move();
  }

  drawEdges() {
    const {spots} = this.layout, taken = new Set(spots.filter(Boolean).map((spot) => `${spot.x} ${spot.y}`));
    this.lines = [];
    const add = (tail, head, stands) => {
      const from = spots[tail], to = spots[head];
      if (!from || !to) return;
      let blocked = false;
      for (let x = from.x + COLUMN; from.y === to.y && x < to.x && !blocked; x += COLUMN) blocked = taken.has(`${x} ${from.y}`);
      const across = this.nodes[tail].app !== this.nodes[head].app, far = Math.abs(to.x - from.x) > 4 * COLUMN;
      const kinds = ["edge", stands ? "stands" : "", across ? "across" : "", across && far ? "away" : ""];
      const line = make("path", {d: curve(from, to, blocked), class: kinds.filter(Boolean).join(" ")});
      this.lines.push({tail, head, line});
    };
    this.nodes.forEach((node, place) => {
      node.parents.forEach((parent) => add(parent, place, false));
      (node.by || []).forEach((squash) => add(place, squash, true));
    });
    this.edges.replaceChildren(...this.lines.map(({line}) => line));
  }

  // Show `chosen` (null for nothing) with all above and below it.
  light(chosen = this.chosen) {
    this.chosen = chosen ?? null;
    const none = new Set();
    this.above = this.chosen === null ? none : reach(this.chosen, this.parents);
    this.below = this.chosen === null ? none : reach(this.chosen, this.children);
    this.svg.classList.toggle("chosen", this.chosen !== null);
    const of = (set, place) => set.has(place) || place === this.chosen;
    this.elements.forEach((element, place) => {
      const lists = {above: this.above.has(place), below: this.below.has(place), self: place === this.chosen};
      lists.lit = lists.above || lists.below || lists.self;
      for (const [name, on] of Object.entries(lists)) element.classList.toggle(name, on);
    });
    for (const {tail, head, line} of this.lines || []) {
      const above = of(this.above, tail) && of(this.above, head), below = of(this.below, tail) && of(this.below, head);
      line.classList.toggle("above", this.chosen !== null && above);
      line.classList.toggle("below", this.chosen !== null && below);
      line.classList.toggle("lit", above || below);
    }
  }

  mark(places) {
    this.elements.forEach((element, place) => element.classList.toggle("found", places.has(place)));
  }

  move() {
    const {x, y, scale} = this.view;
    this.world.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
    this.svg.classList.toggle("far", scale < READABLE);
    this.svg.classList.toggle("tiny", scale < VISIBLE);
    let last = -Infinity;
    this.layout.lanes.forEach((lane, at) => {
      const middle = Math.min(lane.height * scale / 2 + 4, 18), end = y + (lane.top + lane.height) * scale - 4;
      const place = Math.max(y + lane.top * scale + middle, Math.min(14, end));
      const name = this.names.children[at];
      name.setAttribute("y", place);
      name.style.display = place < last + 12 ? "none" : "";
      if (place >= last + 12) last = place;
    });
    this.moves();
  }

  // Called after each move.
  moves() {}

  // Where the box of a node is in the window; null where it is not drawn, or its middle is outside of `frame`.
  seen(place, frame) {
    const spot = this.layout && this.layout.spots[place];
    if (!spot) return null;
    const {x, y, scale} = this.view, left = frame.left + x + spot.x * scale, top = frame.top + y + spot.y * scale;
    const right = left + BOX.width * scale, bottom = top + BOX.height * scale, middle = (left + right) / 2, center = (top + bottom) / 2;
    if (middle < frame.left || middle > frame.right || center < frame.top || center > frame.bottom) return null;
    return {left: Math.max(left, frame.left), right: Math.min(right, frame.right), top, bottom, middle, center};
  }

  size() {
    const {width, height} = this.svg.getBoundingClientRect();
    return {width: width || 800, height: height || 600};
  }

  fit(least = 0) {
    const {width, height} = this.size();
    const margin = 24 + 8 * Math.max(8, ...this.layout.lanes.map((lane) => lane.app.length));
    const whole = Math.min((width - margin - 20) / this.layout.width, (height - 30) / this.layout.height, 1.2);
    const scale = Math.max(whole, least);
    this.view = {x: margin, y: 20, scale: Number.isFinite(scale) && scale > 0 ? scale : 1};
    this.move();
  }

  zoom(factor, x = this.size().width / 2, y = this.size().height / 2) {
    const scale = Math.min(LARGEST, Math.max(0.02, this.view.scale * factor)), ratio = scale / this.view.scale;
    this.view = {x: x - (x - this.view.x) * ratio, y: y - (y - this.view.y) * ratio, scale};
    this.move();
  }

  // The first node of the first lane.
  first() {
    const spots = this.layout.spots;
    return spots.reduce((best, spot, place) => spot && (best === null || spot.y < spots[best].y
      || (spot.y === spots[best].y && spot.x < spots[best].x)) ? place : best, null);
  }

  // The nearest node in a direction, or null: what is straight ahead counts before what is beside the way.
  next(from, direction) {
    const {spots} = this.layout, here = spots[from], [x, y] = {Left: [-1, 0], Right: [1, 0], Up: [0, -1], Down: [0, 1]}[direction];
    let found = null, least = Infinity;
    spots.forEach((spot, place) => {
      if (!spot || !here || place === from) return;
      const across = (spot.x - here.x) / COLUMN, down = (spot.y - here.y) / ROW;
      const ahead = across * x + down * y, beside = Math.abs(across * y) + Math.abs(down * x);
      if (ahead > 0 && ahead + 3 * beside < least) { found = place; least = ahead + 3 * beside; }
    });
    return found;
  }

  // Bring a node into the middle, large enough to be read.
  center(place) {
    const spot = this.layout.spots[place];
    if (!spot) return;
    const {width, height} = this.size(), scale = Math.max(this.view.scale, 0.8);
    this.view = {x: width / 2 - (spot.x + BOX.width / 2) * scale, y: height / 2 - spot.y * scale, scale};
    this.move();
  }

  listen() {
    let held = null;
    this.svg.addEventListener("pointerdown", (event) => {
      held = {x: event.clientX, y: event.clientY, from: {...this.view}};
      this.moved = false;
    });
    this.svg.addEventListener("pointermove", (event) => {
      if (!held || !event.buttons) return;
      const x = event.clientX - held.x, y = event.clientY - held.y;
      if (!this.moved && Math.hypot(x, y) < 4) return;
      if (!this.moved) this.svg.setPointerCapture(event.pointerId);
      this.moved = true;
      this.svg.classList.add("held");
      this.view = {...this.view, x: held.from.x + x, y: held.from.y + y};
      this.move();
    });
    this.svg.addEventListener("pointerup", () => { held = null; this.svg.classList.remove("held"); });
    this.svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = this.svg.getBoundingClientRect();
      if (event.shiftKey) { this.view.x -= event.deltaY; this.move(); return; }
      this.zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
    }, {passive: false});
  }
}
