// The page at "/": a client of the public API and of nothing else. Texts are only ever set as text.

const PERSON = /^[A-Za-z0-9._@:|+-]{1,200}$/;
const MOST_PAIRS = 100; // that a question is picked from
const SHOWING = 64; // responses that likings are read off
const LONGEST = 160; // tokens of an answer
const NOW = { duration: 350, easing: "ease-out" };

const at = (id) => document.getElementById(id);
const percent = (share) => `${Math.round(100 * share)} %`;
const times = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

const state = {
  person: "", about: null, groups: [], pairs: [], choices: [], question: null, held: 0,
  key: sessionStorage.getItem("key"), start: new Map(), trail: [], reach: {}, foretold: [0, 0], writing: false,
};

// ---- the API

async function api(method, path, body, headers = {}) {
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (state.key) headers.Authorization = `Bearer ${state.key}`;
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  const said = await response.json().catch(() => ({}));
  if (response.ok) return said;
  const error = new Error(said.error?.message ?? `the server answered ${response.status}`);
  throw Object.assign(error, { status: response.status });
}

const mine = (path = "") => `/v1/people/${encodeURIComponent(state.person)}${path}`;

function random(bytes) {
  const drawn = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(drawn, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// ---- texts and pairs

function plain(text) {
  if (typeof text === "string") return text;
  return text.map((part) => part?.content ?? String(part)).join(typeof text[0] === "number" ? ", " : "\n");
}

const nameOf = (prompt, options) => JSON.stringify([prompt, options.map((one) => JSON.stringify(one)).sort()]);

function evenly(list, most) {
  const step = Math.max(1, list.length / most);
  return Array.from({ length: Math.min(most, list.length) }, (_, i) => list[Math.floor(i * step)]);
}

// All pairs of responses to one prompt, either first by chance, so that the place says nothing.
function pairsOf(groups) {
  return groups.flatMap(({ prompt, responses }, group) =>
    responses.flatMap((a, i) => responses.slice(i + 1).map((b) => {
      const options = Math.random() < 0.5 ? [a, b] : [b, a];
      return { group, name: nameOf(prompt, options), prompt, options };
    })));
}

// Pairs that may be asked: not about the prompt whose ranking is shown, where there are others.
function pairs() {
  const asked = new Set(state.choices.map(({ record }) => nameOf(record.prompt ?? "", optionsOf(record))));
  const isOpen = ({ group, name }) => !asked.has(name) && (group !== state.held || state.groups.length === 1);
  return evenly(state.pairs.filter(isOpen), mostPairs()).map(({ prompt, options }) => ({ prompt, options }));
}

const mostPairs = () => Math.min(MOST_PAIRS, Math.floor(state.about.max_responses / 2));
const optionsOf = (record) => record.options ?? [record.chosen, record.rejected];

function showing() {
  const total = state.groups.reduce((sum, { responses }) => sum + responses.length, 0);
  const most = Math.min(SHOWING, state.about.max_responses);
  const some = evenly(state.groups, Math.max(1, Math.floor((state.groups.length * most) / total)));
  return some.map((group) => cut(group, most));
}

function cut({ prompt, responses, levels }, most) {
  const some = levels && Object.entries(levels).map(([name, column]) => [name, column.slice(0, most)]);
  return { prompt, responses: responses.slice(0, most), levels: some && Object.fromEntries(some) };
}

const heldGroup = () => cut(state.groups[state.held], state.about.max_responses);

// ---- one step: say something, then ask for all that follows from it

let busy = false;

async function step(change, words = "") {
  if (busy) return;
  busy = true;
  at("main").ariaBusy = "true";
  at("error").hidden = true;
  try {
    await change();
    if (!at("main").hidden) await refresh(words);
  } catch (error) {
    complain(error);
  } finally {
    busy = false;
    at("main").ariaBusy = "false";
  }
}

function complain(error) {
  if (error.status === 401) at("key-form").hidden = false;
  at("error").textContent = `This did not work: ${error.message}`;
  at("error").hidden = false;
}

async function refresh(words) {
  at("undo").disabled = !state.choices.length;
  at("count").textContent = `${times(state.choices.length, "choice")} so far`;
  if (!state.groups.length) return showQuestion(null, "Load some texts below: there is nothing to ask about yet.");
  const open = pairs();
  const [question, likings, scores] = await Promise.all([
    open.length ? api("POST", mine("/next-question"), { pairs: open }) : null,
    api("POST", mine("/likings"), { groups: showing() }),
    score(state.person),
  ]);
  showQuestion(question, question?.why ?? "nothing is left to ask.");
  showBars(likings);
  showMap(likings);
  showRanking(scores, await atStart());
  tell(words, question, likings);
  write();
}

function score(user) {
  const { prompt, responses } = heldGroup();
  return api("POST", "/v1/score", { ...(user && { user }), prompt, responses });
}

// The same for an unknown person, which no choice changes.
async function atStart() {
  const name = JSON.stringify(heldGroup());
  if (!state.start.has(name)) state.start.set(name, await score(null));
  return state.start.get(name);
}

function tell(words, question, { likings }) {
  const sure = likings.filter(({ low, high }) => low > 0 || high < 0).map(({ says }) => says);
  const next = question ? `Next question: ${plain(question.prompt)}` : "Nothing is left to ask.";
  at("live").textContent = `${words} ${sure.join(", ") || "Nothing is certain yet"}. ${next}`;
}

// ---- the question

function showQuestion(question, why) {
  state.question = question;
  at("prompt").textContent = question ? plain(question.prompt) : "";
  ["first", "second"].forEach((id, i) => {
    at(id).querySelector(".text").textContent = question ? plain(question.options[i]) : "";
  });
  for (const id of ["first", "second", "neither"]) at(id).disabled = !question;
  at("why").textContent = why;
}

function choose(place) {
  const { prompt, options, chance } = state.question ?? {};
  if (!options || busy) return;
  const record = { prompt, options, chosen: place === null ? "tie" : place };
  step(async () => {
    const { ids } = await api("POST", mine("/choices"), { choices: [record] }, { "Idempotency-Key": random(16) });
    state.choices.push({ id: ids[0], record });
    if (place !== null) foretell(place ? 1 - chance : chance);
  }, "Noted.");
}

function foretell(chance) {
  state.foretold = [state.foretold[0] + (chance > 0.5), state.foretold[1] + 1];
  const [right, all] = state.foretold;
  at("foretold").textContent =
    `The model had given your answer ${percent(chance)}; it foretold ${right} of ${times(all, "answer")}.`;
}

const undo = () => step(async () => {
  await api("DELETE", mine(`/choices/${state.choices.at(-1).id}`));
  state.choices.pop();
}, "Taken back.");

// ---- what the person likes

function svg(parent, name, attributes = {}) {
  const made = parent.appendChild(document.createElementNS("http://www.w3.org/2000/svg", name));
  return set(made, attributes);
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

// As many children as there are things to show, each made once and moved from then on.
function children(parent, count, make) {
  while (parent.childElementCount > count) parent.lastElementChild.remove();
  while (parent.childElementCount < count) make(parent);
  return Array.from(parent.children);
}

function make(parent, name, className = "") {
  const made = parent.appendChild(document.createElement(name));
  if (className) made.className = className;
  return made;
}

function showBars({ likings }) {
  const reach = grown("bars", Math.max(...likings.flatMap(({ low, high }) => [-low, high])));
  const rows = children(at("bars"), likings.length, (list) => {
    const row = make(list, "li");
    make(row, "span", "says");
    const bar = svg(row, "svg", { viewBox: "-100 0 200 20", role: "img", preserveAspectRatio: "none" });
    svg(bar, "line", { class: "zero", x1: 0, x2: 0, y1: 0, y2: 20 });
    svg(bar, "rect", { class: "interval", y: 5, height: 10, rx: 2 });
    svg(bar, "line", { class: "population", y1: 2, y2: 18 });
    svg(bar, "ellipse", { class: "you", cy: 10, rx: 2.2, ry: 5 });
  });
  likings.forEach(({ attribute, person, low, high, population, says }, i) => {
    const [words, bar] = rows[i].children;
    const [, interval, stroke, dot] = bar.children;
    const x = (nats) => (96 * nats) / reach;
    words.textContent = says;
    words.classList.toggle("sure", low > 0 || high < 0);
    set(interval, { x: x(low), width: Math.max(0.5, x(high) - x(low)) });
    set(stroke, { x1: x(population), x2: x(population) });
    set(dot, { cx: x(person) });
    set(bar, { "aria-label": `${attribute}: ${person.toFixed(2)} nats, with 90 % from ${low.toFixed(2)} to ` +
      `${high.toFixed(2)}; the population ${population.toFixed(2)}` });
  });
}

// The largest value there was, so that scales do not jump.
function grown(name, value) {
  state.reach[name] = Math.max(state.reach[name] ?? 0, value, 1e-9);
  return state.reach[name];
}

// ---- the belief

// Star coordinates: a direction for each attribute, more of it one way and less of it the other, all on one
// scale of nats. A linear map, so what moves in it moves in the belief.
function spokes(count) {
  return Array.from({ length: count }, (_, i) => [Math.cos((Math.PI * i) / count), -Math.sin((Math.PI * i) / count)]);
}

function showMap(found) {
  const { kinds, cloud, likings } = found;
  const ways = spokes(likings.length);
  const sum = (one) => [0, 1].map((axis) => one.reduce((total, nats, i) => total + nats * ways[i][axis], 0));
  const reach = grown("map", Math.max(...[...kinds.likings, ...cloud].map((one) => Math.hypot(...sum(one)))));
  const place = (one) => sum(one).map((nats) => (135 * nats) / reach);
  const [grid, among, dots, trail, middle] = children(at("map"), 5, (parent) => svg(parent, "g"));
  frame(grid, ways, likings);
  children(among, kinds.likings.length, (parent) => svg(parent, "circle", { class: "kind" })).forEach((circle, i) => {
    const [cx, cy] = place(kinds.likings[i]);
    set(circle, { cx, cy, r: 2 + 26 * Math.sqrt(kinds.weight[i]) });
  });
  children(dots, cloud.length, (parent) => svg(parent, "circle", { class: "cloud", r: 1.8 })).forEach((dot, i) => {
    const [cx, cy] = place(cloud[i]);
    set(dot, { cx, cy });
  });
  remember(found);
  const passed = state.trail.map(({ mean }) => place(mean).join(",")).join(" ");
  children(trail, 1, (parent) => svg(parent, "polyline", { class: "trail" })).forEach((line) => set(line, { points: passed }));
  const [cx, cy] = place(likings.map(({ person }) => person));
  children(middle, 1, (parent) => svg(parent, "circle", { class: "you", r: 5 })).forEach((dot) => set(dot, { cx, cy }));
  set(at("map"), { "aria-label": described(found) });
}

function frame(grid, ways, likings) {
  const rays = ways.flatMap(([x, y], i) => [[x, y, `more ${likings[i].attribute}`], [-x, -y, `less ${likings[i].attribute}`]]);
  children(grid, rays.length, (parent) => {
    const ray = svg(parent, "g");
    svg(ray, "line", { class: "zero", x1: 0, y1: 0 });
    svg(ray, "text");
  }).forEach((ray, i) => {
    const [x, y, words] = rays[i];
    const [line, text] = ray.children;
    set(line, { x2: 145 * x, y2: 145 * y });
    const side = Math.abs(x) < 0.2 ? "middle" : x > 0 ? "start" : "end";
    set(text, { x: 150 * x, y: 152 * y + 4, "text-anchor": Math.abs(x) > 0.9 ? "middle" : side });
    text.textContent = words;
  });
}

function remember({ likings, num_choices: count }) {
  const kept = state.trail.filter((one) => one.count < count).slice(-30);
  state.trail = [...kept, { count, mean: likings.map(({ person }) => person) }];
}

function described({ kinds, likings }) {
  const words = likings.map(({ says }) => says).join(", ");
  const most = Math.max(0, ...kinds.weight);
  const kind = kinds.weight.length ? ` Of ${kinds.weight.length} kinds of people the likeliest has ${percent(most)}.` : "";
  return `You: ${words}.${kind}`;
}

// ---- the ranking

function showPrompts() {
  at("which").replaceChildren();
  state.groups.forEach(({ prompt }, place) => {
    set(make(at("which"), "option"), { value: place }).textContent = plain(prompt) || "(no prompt)";
  });
  at("which").value = state.held;
  at("held").textContent = state.groups.length > 1 ? "You are not asked about this one." : "";
}

function showRanking(scores, before) {
  const list = at("ranking");
  const { responses } = heldGroup();
  const known = new Map(Array.from(list.children, (row) => [row.dataset.place, row]));
  if (list.dataset.prompt !== String(state.held)) known.clear();
  list.dataset.prompt = state.held;
  const was = new Map(Array.from(known.values(), (row) => [row, row.offsetTop]));
  const first = byProbability(before);
  const rows = byProbability(scores).map((place, now) => {
    const row = known.get(String(place)) ?? rankedRow(place);
    const [bar, share, moved, text] = row.children;
    bar.value = scores.probability[place];
    share.textContent = percent(scores.probability[place]);
    moved.textContent = movement(first.indexOf(place) - now);
    text.textContent = plain(responses[place]);
    return row;
  });
  list.replaceChildren(...rows);
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const row of rows) {
    const from = (was.get(row) ?? row.offsetTop) - row.offsetTop;
    if (from) row.animate([{ transform: `translateY(${from}px)` }, { transform: "none" }], NOW);
  }
}

// Places of responses, the likeliest pick first: by what is shown, which a wide belief may order otherwise than rewards.
function byProbability({ probability }) {
  return probability.map((_, place) => place).sort((a, b) => probability[b] - probability[a]);
}

function rankedRow(place) {
  const row = document.createElement("li");
  row.dataset.place = place;
  set(make(row, "progress"), { "aria-label": "Probability that you pick it" });
  make(row, "span", "share");
  make(row, "span", "moved");
  make(row, "span", "text");
  return row;
}

function movement(places) {
  if (!places) return "";
  return places > 0 ? `▲ ${places} since the start` : `▼ ${-places} since the start`;
}

// ---- the policy

async function write() {
  const { prompt } = state.groups[state.held];
  if (!state.about.policy || !plain(prompt).trim() || state.writing) return;
  const asked = [state.held, state.choices.at(-1)?.id];
  state.writing = true;
  at("written").ariaBusy = "true";
  try {
    const [before, now] = [await answer(prompt), await answer(prompt, state.person)];
    if (!state.person) return; // forgotten meanwhile
    at("before").textContent = before;
    at("now").textContent = now;
    at("now-title").textContent = `To you, after ${times(state.choices.length, "choice")}`;
  } catch (error) {
    if (state.person) complain(error);
  } finally {
    state.writing = false;
    at("written").ariaBusy = "false";
  }
  const isOld = asked[0] !== state.held || asked[1] !== state.choices.at(-1)?.id;
  if (isOld && !at("main").hidden) write();
}

const unknown = new Map(); // answers to an unknown person, which no choice changes

async function answer(prompt, user) {
  const name = JSON.stringify(prompt);
  if (!user && unknown.has(name)) return unknown.get(name);
  const messages = typeof prompt === "string" ? [{ role: "user", content: prompt }] : prompt;
  const max_tokens = Math.min(LONGEST, state.about.max_tokens);
  const said = await api("POST", "/v1/chat/completions", { messages, max_tokens, temperature: 0, ...(user && { user }) });
  const { content } = said.choices[0].message;
  if (!user) unknown.set(name, content);
  return content;
}

// ---- what is held: export, forget, texts of one's own

async function download() {
  const held = JSON.stringify(await api("GET", mine("/export")), null, 1);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([held], { type: "application/json" }));
  link.download = `${state.person}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function forget() {
  const { choices } = await api("DELETE", mine());
  Object.assign(state, { choices: [], question: null, trail: [], reach: {}, person: "" });
  at("main").hidden = true;
  for (const id of ["bars", "ranking", "map"]) at(id).replaceChildren();
  for (const id of ["prompt", "now", "why", "foretold", "name", "live"]) at(id).textContent = "";
  showQuestion(null, "");
  history.replaceState(null, "", location.pathname);
  at("gone-words").textContent = `${times(choices, "choice")} erased; this server holds nothing about you.`;
  at("gone").hidden = false;
  at("gone-title").focus();
}

async function load(file) {
  const groups = new Map();
  (await file.text()).split("\n").forEach((line, i) => {
    if (!line.trim()) return;
    const { prompt = "", response } = parsed(line, i + 1);
    const name = JSON.stringify(prompt);
    if (!groups.has(name)) groups.set(name, { prompt, responses: [], levels: null });
    groups.get(name).responses.push(response);
  });
  const found = Array.from(groups.values()).filter(({ responses }) => responses.length > 1);
  if (!found.length) throw new Error("the file has no prompt with two responses");
  use(found);
}

function parsed(line, number) {
  try {
    const row = JSON.parse(line);
    if (row?.response !== undefined) return row;
  } catch { /* said below */ }
  throw new Error(`line ${number} of the file is no object with prompt and response`);
}

function use(groups) {
  Object.assign(state, { groups, pairs: pairsOf(groups), held: 0, reach: {}, trail: [] });
  for (const id of ["map", "bars", "ranking"]) at(id).replaceChildren();
  showPrompts();
}

// ---- start

function personOfAddress() {
  const named = decodeURIComponent(location.hash.slice(1));
  if (PERSON.test(named)) return named;
  const made = `page-${random(12)}`;
  history.replaceState(null, "", `#${made}`);
  return made;
}

const begin = () => step(async () => {
  Object.assign(state, { person: personOfAddress(), trail: [], foretold: [0, 0] });
  at("name").textContent = state.person;
  at("foretold").textContent = "";
  state.about = await api("GET", "/v1/about");
  at("key-form").hidden = true;
  at("written").hidden = !state.about.policy;
  if (!state.groups.length) use((await api("GET", "/v1/candidates")).groups);
  await api("PUT", mine());
  const { choices } = await api("GET", mine("/choices"));
  state.choices = choices.filter(({ undone }) => undone === null);
  at("gone").hidden = true;
  at("main").hidden = false;
});

const onKey = (event) => {
  const { key, target, ctrlKey, altKey, metaKey, repeat } = event;
  const isTyping = target.matches?.("input:not([type=checkbox]), select, textarea") || at("sure").open;
  const place = { 1: 0, 2: 1, 0: null }[key];
  if (place === undefined || isTyping || ctrlKey || altKey || metaKey || repeat || !at("keys").checked) return;
  event.preventDefault();
  choose(place);
};

at("first").addEventListener("click", () => choose(0));
at("second").addEventListener("click", () => choose(1));
at("neither").addEventListener("click", () => choose(null));
at("undo").addEventListener("click", undo);
at("export").addEventListener("click", () => download().catch(complain));
at("forget").addEventListener("click", () => at("sure").showModal());
at("sure").addEventListener("close", () => at("sure").returnValue === "forget" && step(forget));
at("anew").addEventListener("click", begin);
at("file").addEventListener("change", ({ target }) => target.files[0] && step(() => load(target.files[0]), "Loaded."));
at("which").addEventListener("change", ({ target }) => step(async () => { state.held = Number(target.value); }));
at("whole").addEventListener("change", ({ target }) => at("ranking").classList.toggle("whole", target.checked));
at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  state.key = at("key").value.trim();
  sessionStorage.setItem("key", state.key);
  begin();
});
addEventListener("keydown", onKey);
addEventListener("hashchange", begin);
begin();
