"use strict";
// Where every migration stands: apps as lanes from top to bottom, migrations from left to right.

const COLUMN = 222, ROW = 40, BOX = {width: 186, height: 28}, GAP = 12;

// The column of each shown node: one more than the furthest right of what it depends on. Where `inside`, only
// dependencies in its own app count. What is in a cycle comes after all else.
function columns(nodes, shown, inside) {
  const parents = nodes.map((node, place) => shown[place]
    ? node.parents.filter((parent) => shown[parent] && (!inside || nodes[parent].app === node.app)) : []);
  const children = nodes.map(() => []), waits = parents.map((list) => list.length);
  parents.forEach((list, place) => list.forEach((parent) => children[parent].push(place)));
  const column = nodes.map(() => 0), done = nodes.map(() => false);
  const ready = nodes.map((_, place) => place).filter((place) => shown[place] && !waits[place]);
  let last = 0;
  for (let at = 0; at < ready.length; at++) {
    const place = ready[at];
    done[place] = true;
    last = Math.max(last, column[place]);
    for (const child of children[place]) {
      column[child] = Math.max(column[child], column[place] + 1);
      if (!--waits[child]) ready.push(child);
    }
  }
  nodes.forEach((_, place) => { if (shown[place] && !done[place]) column[place] = ++last; });
  return column;
}

// The row of each node in its lane: that of what it follows, where nothing else has come in between.
function rows(nodes, members, column) {
  const row = new Map(), ends = [], open = new Map();
  const here = new Set(members), own = (place) => nodes[place].parents.filter((parent) => here.has(parent));
  const inside = new Map(members.map((place) => [place, own(place)]));
  for (const list of inside.values()) for (const parent of list) open.set(parent, (open.get(parent) || 0) + 1);
  for (const place of [...members].sort((a, b) => column[a] - column[b] || a - b)) {
    const above = inside.get(place);
    above.forEach((parent) => open.set(parent, open.get(parent) - 1));
    let found = above.map((parent) => row.get(parent))
      .find((at) => at !== undefined && above.includes(ends[at]) && column[ends[at]] < column[place]);
    if (found === undefined) {
      found = ends.findIndex((end) => column[end] < column[place] && !open.get(end));
      if (found < 0) found = ends.length;
    }
    ends[found] = place;
    row.set(place, found);
  }
  return {row, count: Math.max(1, ends.length)};
}

// The apps in an order that brings those with many edges between them together: each is moved to where edges are
// shortest, all others as they are, and that twice where they are not too many.
function near(apps, nodes, shown) {
  const ties = new Map(apps.map((app) => [app, new Map()])), at = new Map(apps.map((app, place) => [app, place]));
  const tie = (app, other) => ties.get(app).set(other, (ties.get(app).get(other) || 0) + 1);
  nodes.forEach((node, place) => node.parents.forEach((parent) => {
    const app = node.app, other = nodes[parent].app;
    if (shown[place] && shown[parent] && app !== other) { tie(app, other); tie(other, app); }
  }));
  const length = (app) => [...ties.get(app)].reduce((sum, [other, many]) => sum + many * Math.abs(at.get(app) - at.get(other)), 0);
  const order = [...apps];
  const swap = (place) => {  // with the next one; the answer is how much shorter edges are
    const [one, two] = [order[place], order[place + 1]], before = length(one) + length(two);
    [order[place], order[place + 1]] = [two, one];
    at.set(one, place + 1).set(two, place);
    return before - length(one) - length(two);
  };
  const rounds = apps.length > 100 ? 1 : 2;
  for (let round = 0; round < rounds; round++) for (const app of apps) {
    let place = at.get(app), gain = 0, best = 0, goal = place;
    const note = () => { if (gain > best) { best = gain; goal = place; } };
    while (place > 0) { gain += swap(--place); note(); }
    while (place < order.length - 1) { gain += swap(place++); note(); }
    while (place > goal) swap(--place);
  }
  return order;
}

// {lanes: [{app, top, height}], spots: [{x, y} or null], width, height} of the shown nodes of one side. The apps in
// `first` come first, in this order.
function arrange(nodes, shown, inside, first) {
  const column = columns(nodes, shown, inside), byApp = new Map();
  nodes.forEach((node, place) => {
    if (!shown[place]) return;
    if (!byApp.has(node.app)) byApp.set(node.app, []);
    byApp.get(node.app).push(place);
  });
  const middle = (app) => byApp.get(app).reduce((sum, place) => sum + column[place], 0) / byApp.get(app).length;
  const order = [...byApp.keys()].map((app) => [middle(app), app]).sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1));
  const spots = nodes.map(() => null), lanes = [];
  let top = 0, width = 0;
  const apps = near(order.map(([, app]) => app), nodes, shown), given = first.filter((app) => byApp.has(app));
  for (const app of [...given, ...apps.filter((app) => !given.includes(app))]) {
    const members = byApp.get(app), {row, count} = rows(nodes, members, column);
    for (const place of members) {
      spots[place] = {x: column[place] * COLUMN, y: top + GAP + row.get(place) * ROW};
      width = Math.max(width, spots[place].x + BOX.width);
    }
    lanes.push({app, top, height: count * ROW + GAP});
    top += count * ROW + 2 * GAP;
  }
  return {lanes, spots, width, height: Math.max(0, top - GAP)};
}

// All that can be reached from `start` by `next`, without `start`.
function reach(start, next) {
  const found = new Set(), todo = [start];
  while (todo.length) for (const each of next[todo.pop()]) {
    if (!found.has(each)) { found.add(each); todo.push(each); }
  }
  found.delete(start);
  return found;
}

// The curve from the right end of one box to the left end of another; over what stands between them in one row.
function curve(from, to, blocked) {
  const x1 = from.x + BOX.width, y1 = from.y + BOX.height / 2, x2 = to.x, y2 = to.y + BOX.height / 2;
  if (x2 <= x1) return `M${x1} ${y1}C${x1 + 60} ${y1 - ROW} ${x2 - 60} ${y2 - ROW} ${x2} ${y2}`;
  if (blocked) return `M${x1} ${y1}C${x1 + 30} ${y1 - ROW * 0.8} ${x2 - 30} ${y2 - ROW * 0.8} ${x2} ${y2}`;
  const bend = Math.min((x2 - x1) / 2, 120);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
