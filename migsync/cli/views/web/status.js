"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const search = document.getElementById("search");
  const state = document.getElementById("state");
  const rows = document.getElementById("databases");
  const more = document.getElementById("more");
  const STEP = 200;
  let found = [];
  let shown = 0;

  const cell = (row, text, name) => {
    const made = row.insertCell();
    const inner = name ? made.appendChild(document.createElement("span")) : made;
    if (name) inner.className = name;
    inner.textContent = text;
  };

  const add = (limit) => {
    for (const [alias, number, run] of found.slice(shown, limit)) {
      const group = data.groups[number];
      const row = rows.insertRow();
      row.dataset.state = group.state;
      cell(row, alias);
      cell(row, group.standing, "state");
      cell(row, group.behind.join(", ") || "-");
      cell(row, run || "-");
    }
    shown = Math.min(limit, found.length);
    more.hidden = shown === found.length;
    more.textContent = `Show more (${found.length - shown})`;
  };

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = data.databases.filter(([alias, number]) => {
      const group = data.groups[number];
      if (state.value && group.state !== state.value) return false;
      const text = `${alias} ${group.standing} ${group.behind.join(" ")}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    document.getElementById("found").textContent = `${found.length} of ${data.databases.length}`;
    rows.replaceChildren();
    shown = 0;
    add(STEP);
  };

  for (const name of new Set(data.groups.map((group) => group.state))) {
    const option = state.appendChild(document.createElement("option"));
    option.value = name;
    option.textContent = data.words[name];
  }
  search.addEventListener("input", filter);
  state.addEventListener("change", filter);
  more.addEventListener("click", () => add(shown + 10 * STEP));
  for (const tile of document.querySelectorAll(".tile")) {
    tile.addEventListener("click", () => {
      state.value = tile.dataset.state;
      search.value = "";
      filter();
      search.scrollIntoView();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape") {
      search.value = state.value = "";
      filter();
    }
  });
  document.getElementById("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.classList.contains("dark") ||
      (!root.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);
    root.classList.toggle("dark", !dark);
    root.classList.toggle("light", dark);
  });
  // On paper there is no button: all that was found is printed.
  addEventListener("beforeprint", () => add(found.length));
  filter();
})();
