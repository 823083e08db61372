// The page of an interview. The server holds the conversation; this shows it and sends answers.
// Whatever was said goes in as textContent; the policy of the page forbids any other way.

const POLL_MS = 2000;
const HIDDEN_POLL_MS = 15000;
const DOUBLE_CLICK_MS = 400; // sooner nobody has read a new question
const byId = (id) => document.getElementById(id);

let shown = null; // what the server said last
let sending = false;
let ended = false; // closed from here
let wanted = false; // a day was asked for
let turnedAt = -Infinity; // when the question changed
let dayOf = ""; // season and version of the day on the page

// Small makers of elements.

function element(tag, { text = "", name = "", ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function spoken(text) {
  // Lines of a message as paragraphs and lists.
  const parts = [];
  for (const line of text.split("\n")) {
    const item = line.match(/^(?:- |\d+\) )(.*)$/);
    const kind = line.startsWith("- ") ? "UL" : "OL";
    if (item) {
      if (parts.at(-1)?.tagName !== kind) parts.push(element(kind));
      parts.at(-1).append(element("li", { text: item[1] }));
    } else if (line.trim()) {
      parts.push(element("p", { text: line, name: line.startsWith("Noted (") ? "noted" : "" }));
    }
  }
  return parts;
}

// The server.

async function fetched(path, body) {
  const asked = { cache: "no-store", credentials: "omit", redirect: "error" };
  if (body !== undefined) {
    asked.method = "POST";
    asked.headers = { "Content-Type": "application/json" };
    asked.body = JSON.stringify(body);
  }
  return fetch(path, asked);
}

async function post(path, text = "") {
  // Send one thing at a time, for the turn that is on the screen; true if it was taken.
  if (sending || shown === null || ended) return false;
  sending = true;
  waiting();
  try {
    const reply = await fetched(path, { turn: shown.turn, text });
    if (reply.ok || reply.status === 409) {
      const found = await reply.json();
      render(found);
      if (found.refused) notice(found.refused, "attention");
    } else {
      notice(await reply.text(), "attention");
    }
    return reply.ok;
  } catch {
    lost();
    return false;
  } finally {
    sending = false;
    waiting();
  }
}

async function look() {
  // Another tab, or a slow language model, may have changed the conversation.
  if (ended) return;
  try {
    const reply = await fetched(`state?seen=${shown === null ? "" : shown.version}`);
    if (reply.status === 200) render(await reply.json());
    else if (!reply.ok) notice(await reply.text(), "bad");
    if (reply.ok) found();
  } catch {
    lost();
  }
}

async function keepLooking() {
  await look();
  window.setTimeout(keepLooking, document.hidden ? HIDDEN_POLL_MS : POLL_MS);
}

function lost() {
  const kept = shown?.places.save
    ? `What you said is saved in ${shown.places.save}: to go on, start the same command again and open its new address.`
    : "It was started without --save, so the conversation cannot be taken up again.";
  notice(`The program on this computer has stopped, or cannot be reached. ${kept}`, "bad lost");
  document.body.classList.add("away");
}

function found() {
  if (!document.body.classList.contains("away")) return;
  document.body.classList.remove("away");
  notice("");
}

function notice(text, name = "") {
  const words = byId("notice-words");
  if (words.textContent === text) return;
  words.textContent = text;
  words.className = name;
  words.hidden = !text;
}

// What is shown.

function render(state) {
  if (shown !== null && state.version < shown.version) return;
  const before = shown;
  shown = state;
  const turned = before !== null && before.turn !== state.turn;
  if (turned) turnedAt = performance.now();
  if (turned && !document.body.classList.contains("away")) notice("");
  if (state.trouble) notice(`Not saved: ${state.trouble}`, "bad");
  else if (before?.trouble) notice("");
  else if (state.fallback && !before?.fallback)
    notice(`Rules took over from the language model: ${state.fallback}`, "attention");
  progress(state);
  conversation(state);
  choices(state);
  parameters(state, before);
  waiting();
  ending(state, before);
  toTheEnd();
}

function progress(state) {
  byId("far").max = Math.max(state.progress.all, 1);
  byId("far").value = state.finished === "done" ? byId("far").max : state.progress.done;
  byId("far-words").textContent = state.progress.words;
}

function conversation(state) {
  const log = byId("log");
  const said = state.exchanges.flatMap((one) => [
    { by: "asked", text: one.asked, undone: one.undone },
    { by: "said", text: one.said, undone: one.undone },
  ]);
  said.push({ by: "asked", text: state.asked, undone: false });
  said.forEach((one, place) => {
    let turn = log.children[place];
    if (turn === undefined) {
      turn = element("div");
      log.append(turn);
    }
    if (turn.saying !== one.text) {
      turn.saying = one.text;
      const asked = one.by === "asked";
      const words = asked ? spoken(one.text) : [element("p", { text: one.text || "(nothing)" })];
      const who = element("span", { name: "hidden", text: asked ? "Asked: " : "You: " });
      turn.replaceChildren(who, ...words);
    }
    turn.className = `turn ${one.by}${one.undone ? " undone" : ""}${place === said.length - 1 ? " now" : ""}`;
    if (one.undone && !turn.querySelector(".note")) turn.append(element("span", { name: "note", text: "taken back" }));
  });
  while (log.children.length > said.length) log.lastChild.remove();
}

function toTheEnd() {
  byId("log").scrollTop = byId("log").scrollHeight;
}

function choices(state) {
  const group = byId("choices");
  group.hidden = state.choices.length === 0;
  group.replaceChildren(
    ...state.choices.map((choice) => {
      const button = element("button", { type: "button", text: choice.words });
      button.addEventListener("click", (event) => clicked(event, choice.say));
      return button;
    }),
  );
}

function parameters(state, before) {
  const known = new Map();
  for (const section of before?.sections ?? [])
    for (const row of section.rows) known.set(row.key, `${row.value} ${row.provenance}`);
  const opened = new Set([...document.querySelectorAll("#sections details[open]")].map((one) => one.dataset.section));
  let fresh = null;
  const made = state.sections.map((section) => {
    const part = (rows) =>
      element("tbody", {}, ...rows.map((row) => {
        const line = parameter(row);
        if (before !== null && known.get(row.key) !== `${row.value} ${row.provenance}` && !row.minor) {
          line.classList.add("fresh");
          fresh ??= line;
        }
        return line;
      }));
    const name = element("h3", { text: section.name[0].toUpperCase() + section.name.slice(1) });
    if (section.agreed) name.append(element("span", { name: "agreed", text: "agreed" }));
    const parts = [name];
    const own = section.rows.filter((row) => !row.minor);
    const minor = section.rows.filter((row) => row.minor);
    if (own.length) parts.push(table(section.name, part(own)));
    if (minor.length) {
      const more = element("details", { "data-section": section.name },
        element("summary", { text: `${minor.length} more, usual or worked out` }),
        table(`${section.name}, more`, part(minor)));
      more.open = opened.has(section.name);
      parts.push(more);
    }
    return element("section", { name: "part" }, ...parts);
  });
  byId("sections").replaceChildren(...made);
  byId("conflicts").hidden = state.conflicts.length === 0;
  byId("conflicts").replaceChildren(...state.conflicts.map((text) => element("li", { text })));
  if (fresh && !state.finished) reveal(fresh);
}

function reveal(row) {
  // Bring a changed row into the panel's view, and nothing else.
  const panel = byId("home");
  const room = panel.getBoundingClientRect();
  const place = row.getBoundingClientRect();
  if (place.top < room.top + 60) panel.scrollTop += place.top - room.top - 60;
  else if (place.bottom > room.bottom - 60) panel.scrollTop += place.bottom - room.bottom + 60;
}

function table(caption, body) {
  const heads = ["what", "value and your words", "where it came from"];
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col", text })));
  return element("table", {},
    element("caption", { name: "hidden", text: caption }),
    element("thead", { name: "hidden" }, head),
    body);
}

function parameter(row) {
  const value = element("td", {}, element("span", { name: "value", text: row.value }));
  if (row.words) value.append(element("q", { text: row.words }));
  const why = row.unclear ? "not clear yet" : row.declined;
  if (why) value.append(element("span", { name: "why", text: why }));
  return element("tr", { name: row.provenance, "data-key": row.key },
    element("th", { scope: "row", text: row.name }),
    value,
    element("td", {}, element("span", { name: `badge ${row.provenance}`, text: row.provenance })));
}

function waiting() {
  const busy = sending || Boolean(shown?.busy);
  byId("wait").textContent = busy ? "Reading your answer" : "";
  const stopped = busy || shown === null || ended;
  for (const button of document.querySelectorAll("#composer button, #after button")) button.disabled = stopped;
  if (shown?.turn === 0) document.querySelector("[data-say=undo]").disabled = true;
}

// The end: what can still be done, and a day.

function ending(state, before) {
  const over = Boolean(state.finished);
  const whole = state.finished === "done" || state.finished === "budget";
  byId("composer").hidden = over;
  byId("after").hidden = !over;
  byId("go-on").hidden = whole;
  byId("plan").hidden = whole || wanted;
  if (!over) wanted = false;
  byId("day").hidden = !(whole || wanted);
  document.body.classList.toggle("over", whole || wanted);
  if (whole || wanted) day(before !== null && !before.finished);
  else if (before?.finished) byId("answer").focus();
}

async function day(focus = false) {
  const season = byId("season").value;
  const asked = `${season} ${shown.turn}`;
  if (asked === dayOf) return;
  dayOf = asked;
  byId("day-words").textContent = "Planning the day";
  if (focus) byId("day-title").focus();
  try {
    const reply = await fetched(`day?season=${season}`);
    const words = reply.ok ? await reply.json() : { sentence: await reply.text() };
    if (asked === dayOf) showDay(words);
  } catch {
    dayOf = "";
    lost();
  }
}

function showDay(found) {
  byId("day-words").textContent = found.sentence || found.headline;
  byId("day-content").hidden = Boolean(found.sentence);
  if (found.sentence) return;
  const figure = byId("figure");
  figure.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(found.svg)}`;
  figure.alt = `Power of each device, power at the grid and prices on ${found.title}. ${found.described}`;
  const kept = found.conflicts.map((text) => `Could not be kept: ${text}`);
  const notes = [...(kept.length ? kept : ["All wishes are kept."]), ...found.notes];
  byId("day-notes").replaceChildren(...notes.map((text) => element("li", { text })));
  const heads = ["", ...found.ways].map((text) => element("th", { scope: "col", text, name: text ? "number" : "" }));
  byId("costs").tHead.rows[0].replaceChildren(...heads);
  byId("costs").tBodies[0].replaceChildren(...found.costs.map((row) => cells(row, [1, 2, 3])));
  byId("devices").tBodies[0].replaceChildren(...found.devices.map((row) => cells(row, [1])));
}

function cells([head, ...rest], numbers) {
  return element("tr", {}, element("th", { scope: "row", text: head }),
    ...rest.map((text, place) => element("td", { text, name: numbers.includes(place + 1) ? "number" : "" })));
}

// What the householder does.

async function clicked(event, text) {
  // The second half of a double click would answer the next question.
  const again = event.detail > 1 || (event.detail === 1 && performance.now() - turnedAt < DOUBLE_CLICK_MS);
  if (again) return;
  if (await post("answer", text)) byId("answer").focus();
}

async function sendTyped() {
  const box = byId("answer");
  const text = box.value;
  if (!text.trim()) return;
  if (await post("answer", text)) {
    if (box.value === text) box.value = "";
    grow();
  }
  box.focus();
}

function grow() {
  const box = byId("answer");
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + 2}px`;
}

async function save() {
  if (shown?.places.save) {
    if (!(await post("save")) || shown.trouble) return;
    notice(`Saved in ${shown.places.save}. The same command goes on from there.`, "good");
    return;
  }
  element("a", { href: "session.json", download: "session.json" }).click();
  notice("The conversation is in your downloads. To go on from it, start the command with --save and that file.", "good");
}

async function endProgram() {
  if (!(await post("close"))) return;
  ended = true;
  waiting();
  const places = [shown.places.save, shown.places.out].filter(Boolean).join(" and ");
  notice(`The program has ended${places ? `; everything is in ${places}` : ""}. You can close this tab.`, "good");
}

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  sendTyped();
});
byId("answer").addEventListener("input", grow);
byId("answer").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  sendTyped();
});
for (const button of document.querySelectorAll("[data-say]"))
  button.addEventListener("click", (event) => clicked(event, button.dataset.say));
byId("save").addEventListener("click", save);
byId("go-on").addEventListener("click", () => post("go-on"));
byId("plan").addEventListener("click", () => {
  wanted = true;
  ending(shown, shown);
});
byId("close").addEventListener("click", endProgram);
new ResizeObserver(toTheEnd).observe(byId("log"));
byId("season").addEventListener("change", () => day());
byId("switch").addEventListener("click", () => {
  const open = document.body.classList.toggle("home-first");
  byId("switch").setAttribute("aria-expanded", String(open));
  byId("switch").textContent = open ? "Conversation" : "What is noted";
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) look();
});

waiting();
keepLooking();
byId("answer").focus();
