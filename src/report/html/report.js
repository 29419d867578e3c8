
"use strict";
// The table of all resources. Text enters the page as text nodes only.
(() => {
  const ROW = 34;
  const BEYOND = 8;
  // Browsers limit the height of an element; above this, a pixel of the scroll bar is more than a pixel of rows.
  const MOST_PIXELS = 8000000;
  const PRINTED = 300;
  const CLASSES = ["c-owned", "c-would", "c-record", "c-none", "c-service", "c-unknown", "c-not"];
  const CLASS = 0, TYPE = 1, ACCOUNT = 2, REGION = 3, OWNER = 4, CREATOR = 5, TOOL = 6, EVENT = 7, CREATED = 8, ID = 9, NAME = 10, ARN = 11;
  const LISTS = ["class", "type", "account", "region", "owner", "creator", "tool", "event"];

  const byId = (id) => document.getElementById(id);
  const lists = JSON.parse(byId("lists").textContent);
  byId("lists").remove();
  const rows = [];
  for (const part of document.querySelectorAll("script.rows")) {
    for (const row of JSON.parse(part.textContent)) rows.push(row);
    part.remove();
  }
  const many = rows.length;

  const make = (name, text, attributes) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    return element;
  };
  const count = (number) => number.toLocaleString("en-US");
  const value = (row, column) => {
    if (column > EVENT) return row[column];
    return row[column] < 0 ? null : lists[LISTS[column]][row[column]];
  };
  const account = (row) => {
    const name = lists.account_name[row[ACCOUNT]];
    return name ? name + " (" + value(row, ACCOUNT) + ")" : value(row, ACCOUNT);
  };

  const COLUMNS = [
    { title: "Class", width: 152, text: (row) => value(row, CLASS), list: CLASS },
    { title: "Type", width: 140, text: (row) => value(row, TYPE), list: TYPE },
    { title: "Name", width: 200, text: (row) => row[NAME] === null ? row[ID] : row[NAME] },
    { title: "Account", width: 128, text: (row) => lists.account_name[row[ACCOUNT]] || value(row, ACCOUNT), list: ACCOUNT },
    { title: "Region", width: 108, text: (row) => value(row, REGION), list: REGION },
    { title: "Owner", width: 136, text: (row) => value(row, OWNER), list: OWNER },
    { title: "Creator", width: 136, text: (row) => value(row, CREATOR), list: CREATOR },
    { title: "Created", width: 106, text: (row) => row[CREATED] === null ? null : row[CREATED].slice(0, 10), key: (row) => row[CREATED] },
    { title: "Tool", width: 104, text: (row) => value(row, TOOL), list: TOOL },
  ];
  const FILTERS = [["Class", CLASS], ["Type", TYPE], ["Account", ACCOUNT], ["Region", REGION]];
  const DETAILS = [
    ["Class", (row) => value(row, CLASS)], ["Type", (row) => value(row, TYPE)], ["ID", (row) => row[ID]], ["Name", (row) => row[NAME]],
    ["ARN", (row) => row[ARN]], ["Account", account], ["Region", (row) => value(row, REGION)], ["Owner", (row) => value(row, OWNER)],
    ["Creator", (row) => value(row, CREATOR)], ["Created", (row) => row[CREATED]], ["Tool", (row) => value(row, TOOL)],
    ["Event", (row) => value(row, EVENT)],
  ];

  // Sorting: each column is sorted once. A search then picks from the sorted rows.
  const collator = new Intl.Collator("en", { numeric: true });
  const sorted = new Map();
  const ranks = (column) => {
    const rank = new Int32Array(many);
    if (column.list === undefined) return null;
    if (column.list === CLASS) return rows.map((row) => row[CLASS]);
    const texts = column.list === ACCOUNT
      ? lists.account.map((id, at) => (lists.account_name[at] || "") + "\n" + id) : lists[LISTS[column.list]];
    const places = texts.map((_, at) => at).sort((one, other) => collator.compare(texts[one], texts[other]));
    const of = new Int32Array(texts.length);
    places.forEach((at, place) => { of[at] = place; });
    for (let at = 0; at < many; at++) rank[at] = rows[at][column.list] < 0 ? -1 : of[rows[at][column.list]];
    return rank;
  };
  // The rows with a value in ascending order, then those without.
  const order = (number) => {
    if (sorted.has(number)) return sorted.get(number);
    const column = COLUMNS[number];
    const rank = ranks(column);
    const filled = [], empty = [];
    let keys = null;
    if (rank) {
      for (let at = 0; at < many; at++) (rank[at] < 0 ? empty : filled).push(at);
      filled.sort((one, other) => rank[one] - rank[other] || one - other);
    } else {
      keys = rows.map((row) => { const key = (column.key || column.text)(row); return key === null ? null : key.toLowerCase(); });
      for (let at = 0; at < many; at++) (keys[at] === null ? empty : filled).push(at);
      filled.sort((one, other) => (keys[one] < keys[other] ? -1 : keys[one] > keys[other] ? 1 : one - other));
    }
    const found = { filled, empty, group: rank || keys };
    sorted.set(number, found);
    return found;
  };
  const inOrder = (number, descending) => {
    const { filled, empty, group } = order(number);
    if (!descending) return filled.concat(empty);
    // Equal rows keep their order in both directions.
    const turned = [];
    for (let end = filled.length; end > 0;) {
      let start = end - 1;
      while (start > 0 && group[filled[start - 1]] === group[filled[end - 1]]) start--;
      for (let at = start; at < end; at++) turned.push(filled[at]);
      end = start;
    }
    return turned.concat(empty);
  };

  // Search: all that a row shows, in lower case, made when it is first needed.
  // Most of it is made in the pauses after the page is shown.
  const AT_ONCE = 4000;
  const haystacks = [];
  const lower = LISTS.map((name) => lists[name].map((text) => text.toLowerCase()));
  const names = lists.account_name.map((text) => text.toLowerCase());
  const haystack = (row) => {
    let text = names[row[ACCOUNT]];
    for (let column = 0; column <= EVENT; column++) if (row[column] >= 0) text += "\n" + lower[column][row[column]];
    return text + "\n" + ((row[CREATED] || "") + "\n" + row[ID] + "\n" + (row[NAME] || "") + "\n" + (row[ARN] || "")).toLowerCase();
  };
  const prepare = (end) => {
    while (haystacks.length < end) haystacks.push(haystack(rows[haystacks.length]));
  };
  const prepareRest = () => {
    prepare(Math.min(many, haystacks.length + AT_ONCE));
    if (haystacks.length < many) setTimeout(prepareRest);
  };

  const state = { column: 7, descending: false, ordered: null, view: [], active: -1, printing: false };
  const search = byId("search"), box = byId("box"), selects = [];

  const filter = () => {
    const terms = search.value.toLowerCase().split(/\s+/).filter((term) => term);
    const wanted = selects.filter(({ select }) => select.value !== "").map(({ select, column }) => [column, Number(select.value)]);
    if (terms.length) prepare(many);
    if (!terms.length && !wanted.length) {
      state.view = state.ordered;
    } else {
      state.view = state.ordered.filter((at) => {
        for (const [column, place] of wanted) if (rows[at][column] !== place) return false;
        for (const term of terms) if (!haystacks[at].includes(term)) return false;
        return true;
      });
    }
    state.active = -1;
    byId("detail").hidden = true;
    box.scrollTop = 0;
    const shown = state.view.length;
    byId("count").textContent = shown === many ? count(many) + " resources" : count(shown) + " of " + count(many) + " resources";
    draw();
  };

  const sortBy = (number, descending, ordered) => {
    Object.assign(state, { column: number, descending, ordered: ordered || inOrder(number, descending) });
    heads.forEach((head, at) => {
      if (at === number) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    filter();
  };

  // The table: the visible rows, between two empty ones that are as high as what is above and below.
  const table = make("table", undefined, { role: "grid", "aria-label": "All resources" });
  const columns = make("colgroup");
  const headRow = make("tr", undefined, { "aria-rowindex": "1" });
  const heads = COLUMNS.map((column, number) => {
    const col = make("col");
    col.width = column.width;
    columns.append(col);
    const head = make("th", undefined, { scope: "col" });
    const button = make("button", column.title, { type: "button" });
    button.addEventListener("click", () => sortBy(number, state.column === number && !state.descending));
    head.append(button);
    headRow.append(head);
    return head;
  });
  const thead = make("thead"), body = make("tbody");
  thead.append(headRow);
  table.append(columns, thead, body);
  box.append(table);
  const space = (height) => {
    const row = make("tr", undefined, { class: "space", "aria-hidden": "true" });
    const cell = make("td", undefined, { colspan: COLUMNS.length });
    cell.style.height = height + "px";
    row.append(cell);
    return row;
  };
  const SVG = document.querySelector("svg").namespaceURI;
  const dot = (row) => {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "dot");
    svg.setAttribute("aria-hidden", "true");
    const rect = document.createElementNS(SVG, "rect");
    for (const [key, text] of [["width", 10], ["height", 10], ["rx", 3], ["class", CLASSES[row[CLASS]]]]) rect.setAttribute(key, text);
    svg.append(rect);
    return svg;
  };
  const line = (place) => {
    const row = rows[state.view[place]];
    const element = make("tr", undefined, { id: "row-" + place, "aria-rowindex": place + 2, "aria-selected": place === state.active });
    COLUMNS.forEach((column, number) => {
      const text = column.text(row);
      const cell = make("td", text === null ? "" : text, { role: "gridcell" });
      if (text !== null && text.length > 12) cell.title = text.slice(0, 1000);
      if (number === 0) cell.prepend(dot(row));
      element.append(cell);
    });
    element.addEventListener("click", () => activate(place));
    return element;
  };

  const height = () => Math.min(state.view.length * ROW, MOST_PIXELS);
  const isScaled = () => state.view.length * ROW > MOST_PIXELS;
  const visible = () => Math.max(1, Math.floor((box.clientHeight - ROW) / ROW));
  const topPlace = () => {
    if (!isScaled()) return Math.floor(box.scrollTop / ROW);
    const part = box.scrollTop / Math.max(1, height() + ROW - box.clientHeight);
    return Math.round(Math.min(1, part) * (state.view.length - visible()));
  };
  const draw = () => {
    const shown = state.view.length;
    if (state.printing) {
      body.replaceChildren(...Array.from({ length: Math.min(PRINTED, shown) }, (_, place) => line(place)));
      return;
    }
    const top = Math.max(0, Math.min(topPlace(), shown - 1));
    const first = Math.max(0, top - BEYOND);
    const end = Math.min(shown, top + visible() + BEYOND + 1);
    const above = isScaled() ? Math.max(0, box.scrollTop - (top - first) * ROW) : first * ROW;
    const below = Math.max(0, height() - above - (end - first) * ROW);
    const lines = [space(above)];
    for (let place = first; place < end; place++) lines.push(line(place));
    lines.push(space(below));
    body.replaceChildren(...lines);
    table.setAttribute("aria-rowcount", shown + 1);
    if (state.active >= first && state.active < end) box.setAttribute("aria-activedescendant", "row-" + state.active);
    else box.removeAttribute("aria-activedescendant");
  };
  let isDue = false;
  box.addEventListener("scroll", () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => { isDue = false; draw(); });
  }, { passive: true });
  addEventListener("resize", draw);

  const activate = (place) => {
    if (!state.view.length) return;
    state.active = Math.max(0, Math.min(place, state.view.length - 1));
    const top = topPlace(), last = top + visible() - 1;
    if (state.active < top || state.active > last) {
      const wanted = Math.max(0, state.active < top ? state.active : state.active - visible() + 1);
      box.scrollTop = isScaled()
        ? wanted / Math.max(1, state.view.length - visible()) * (height() + ROW - box.clientHeight) : wanted * ROW;
    }
    draw();
    const row = rows[state.view[state.active]];
    const detail = byId("detail");
    const parts = DETAILS.map(([title, text]) => [title, text(row)]).filter(([, text]) => text !== null);
    detail.replaceChildren(...parts.flatMap(([title, text]) => [make("dt", title), make("dd", text)]));
    detail.hidden = false;
  };
  box.addEventListener("keydown", (event) => {
    if (event.target !== box || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = visible() - 1;
    const steps = {
      ArrowDown: state.active + 1, ArrowUp: state.active - 1, PageDown: Math.max(0, state.active) + page, PageUp: state.active - page,
      Home: 0, End: state.view.length - 1,
    };
    if (!(event.key in steps)) return;
    event.preventDefault();
    activate(steps[event.key]);
  });

  // CSV, safe to open in a spreadsheet: a text that would be a formula begins with an apostrophe.
  const CSV = [
    ["class", CLASS], ["type", TYPE], ["id", ID], ["name", NAME], ["account_id", ACCOUNT], ["account_name", -1], ["region", REGION],
    ["owner", OWNER], ["creator", CREATOR], ["created_at", CREATED], ["tool", TOOL], ["event", EVENT], ["arn", ARN],
  ];
  const cell = (text) => {
    if (text === null) return "";
    if (/^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^\\[tr]/.test(text)) text = "'" + text;
    return /[",\r\n]/.test(text) ? "\"" + text.replaceAll("\"", "\"\"") + "\"" : text;
  };
  byId("download").addEventListener("click", () => {
    const parts = [CSV.map(([title]) => title).join(",") + "\r\n"];
    for (const at of state.view) {
      const row = rows[at];
      parts.push(CSV.map(([, column]) => cell(column < 0 ? lists.account_name[row[ACCOUNT]] : value(row, column))).join(",") + "\r\n");
    }
    const link = make("a", undefined, { download: "resources.csv" });
    link.href = URL.createObjectURL(new Blob(parts, { type: "text/csv" }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  });

  for (const [title, column] of FILTERS) {
    const counts = new Map();
    for (const row of rows) counts.set(row[column], (counts.get(row[column]) || 0) + 1);
    const names = column === ACCOUNT ? lists.account.map((id, at) => lists.account_name[at] || id) : lists[LISTS[column]];
    const places = [...counts.keys()];
    if (column === CLASS) places.sort((one, other) => one - other);
    else places.sort((one, other) => collator.compare(names[one], names[other]));
    const select = make("select", undefined, { id: "filter-" + LISTS[column] });
    select.append(make("option", "All", { value: "" }));
    for (const place of places) {
      select.append(make("option", names[place].slice(0, 80) + " (" + count(counts.get(place)) + ")", { value: place }));
    }
    select.addEventListener("change", filter);
    const part = make("p");
    part.append(make("label", title, { for: select.id }), select);
    byId("filters").append(part);
    selects.push({ select, column });
  }
  search.addEventListener("input", filter);
  addEventListener("keydown", (event) => {
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.nodeName || "");
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    search.focus();
  });
  addEventListener("beforeprint", () => {
    state.printing = true;
    const left = state.view.length - PRINTED;
    byId("print-note").hidden = left <= 0;
    byId("print-note").textContent = "and " + count(left) + " more resources";
    for (const details of document.querySelectorAll("details")) details.open = true;
    draw();
  });
  addEventListener("afterprint", () => {
    state.printing = false;
    byId("print-note").hidden = true;
    draw();
  });

  byId("tools").hidden = false;
  box.hidden = false;
  // The rows come in this order.
  sortBy(7, false, rows.map((_, at) => at));
  addEventListener("load", () => setTimeout(prepareRest));
})();
