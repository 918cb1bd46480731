// The lines between the two sides of a rewrite: from the name before it to the name after it.

class Links {
  // `links` are pairs of a place before and a place after.
  constructor(host, panes, links) {
    this.host = host;
    this.panes = panes;
    this.links = links;
    this.lines = Object.fromEntries(["kept", "renamed", "collapsed", "self"].map((kind) => [kind, make("path", {class: `link ${kind}`})]));
    host.append(make("svg", {class: "links"}, ...Object.values(this.lines)));
    for (const pane of panes) pane.moves = () => this.draw();
  }

  // What the places of one side are on the other.
  partners(side, places) {
    return new Set(this.links.filter((link) => places.has(link[side])).map((link) => link[1 - side]));
  }

  // Lines that end outside of what is seen are left out.
  draw() {
    const [before, after] = this.panes, host = this.host.getBoundingClientRect(), paths = {kept: "", renamed: "", collapsed: "", self: ""};
    const frames = this.panes.map((pane) => pane.svg.getBoundingClientRect());
    const stacked = frames[0].right > frames[1].left;
    for (const [old, now] of this.links) {
      const from = before.seen(old, frames[0]), to = after.seen(now, frames[1]);
      if (!from || !to) continue;
      const kind = before.chosen === old || after.chosen === now ? "self" : after.nodes[now].fate;
      const [x1, y1] = stacked ? [from.middle, from.bottom] : [from.right, from.center];
      const [x2, y2] = stacked ? [to.middle, to.top] : [to.left, to.center];
      const [x, y] = stacked ? [0, (y2 - y1) / 2] : [(x2 - x1) / 2, 0];
      const curve = [x1, y1, x1 + x, y1 + y, x2 - x, y2 - y, x2, y2].map((each, at) => each - (at % 2 ? host.top : host.left));
      paths[kind] += `M${curve.slice(0, 2).join(" ")}C${curve.slice(2).join(" ")}`;
    }
    for (const [kind, path] of Object.entries(paths)) this.lines[kind].setAttribute("d", path);
  }
}
