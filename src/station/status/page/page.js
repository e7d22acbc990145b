"use strict";
const TEXTS = {
  es: {
    lines: "Líneas", payments: "Pagos de hoy", found: "Pagos encontrados", troubles: "Avisos", search: "Buscar", today: "Hoy", time: "Hora",
    reference: "Referencia", order: "Pedido", amount: "Importe", card: "Tarjeta", state: "Estado", refunded: "devuelto", refundOpen: "devolución por verificar", logout: "Salir",
    none: "Nada todavía", query: "Referencia, pedido o id del cargo", live: "en vivo", lost: "sin conexión",
    demo: "demostración: sin cobros reales", heard: "se oye", said: "se dice", echo: "eco quitado", calls: "llamadas",
    keys: "teclas", losses: "tarjeta perdida", xruns: "desbordes", lastCall: "última llamada", thisCall: "llamada", other: "English", down: "sin servicio", simulated: "llamadas simuladas",
    phases: { idle: "libre", ringing: "suena", answering: "contesta", call: "en llamada", handing_over: "transfiere", clearing: "preparando", closed: "cerrada" },
    states: { prepared: "preparado", sent: "enviado", approved: "aprobado", elsewhere: "pagado aparte", declined: "rechazado", unknown: "por verificar", lapsed: "sin cargo", abandoned: "abandonado" },
  },
  en: {
    lines: "Lines", payments: "Payments today", found: "Payments found", troubles: "Troubles", search: "Search", today: "Today", time: "Time",
    reference: "Reference", order: "Order", amount: "Amount", card: "Card", state: "State", refunded: "refunded", refundOpen: "refund being verified", logout: "Sign out",
    none: "Nothing yet", query: "Reference, order or charge id", live: "live", lost: "no connection",
    demo: "demonstration: nothing is charged", heard: "heard", said: "said", echo: "echo removed", calls: "calls",
    keys: "keys", losses: "card lost", xruns: "overruns", lastCall: "last call", thisCall: "call", other: "Español", down: "out of service", simulated: "simulated callers",
    phases: { idle: "idle", ringing: "ringing", answering: "answering", call: "in a call", handing_over: "handing over", clearing: "clearing", closed: "closed" },
    states: { prepared: "prepared", sent: "sent", approved: "approved", elsewhere: "paid elsewhere", declined: "declined", unknown: "being verified", lapsed: "not charged", abandoned: "abandoned" },
  },
};
const $ = (id) => document.getElementById(id);
let language = remembered() || (navigator.language.startsWith("en") ? "en" : "es");
let state = null;
let listed = null;
let query = "";

function remembered() { try { return localStorage.getItem("language"); } catch { return null; } }
function texts() { return TEXTS[language] || TEXTS.es; }
function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}
function time(text) { return new Date(text).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" }); }

function translate() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = texts()[node.dataset.text];
  $("language").textContent = texts().other;
  $("query").placeholder = texts().query;
  $("query").setAttribute("aria-label", texts().query);
  $("payments-title").textContent = query ? texts().found : texts().payments;
}

function meter(label, value) {
  const row = element("div", "meter");
  const bar = element("meter");
  bar.min = -70; bar.max = 3; bar.high = 0; bar.optimum = -20; bar.value = Math.max(-70, value);
  bar.setAttribute("aria-label", label);
  row.append(element("span", "", label), bar, element("span", "", value.toFixed(1) + " dBm0"));
  return row;
}

// A line's card is made once and filled again and again, so that a timeline someone scrolls stays where it is.
function lineCard(name) {
  let card = document.getElementById("line-" + name);
  if (card) return card;
  card = element("article", "line");
  card.id = "line-" + name;
  const title = element("h3");
  title.append(element("span", "", name), element("span", "phase"));
  card.append(title, element("p", "dim source"), element("p", "bad trouble"), element("div", "meters"), element("p", "dim counts"), element("p", "dim call-title"), element("ol", "timeline"));
  // The timeline follows the call unless someone has scrolled back in it.
  const list = card.querySelector(".timeline");
  list.addEventListener("scroll", () => { list.dataset.back = list.scrollTop + list.clientHeight < list.scrollHeight - 40 ? "1" : ""; });
  $("lines").append(card);
  return card;
}

function showLine(line) {
  const t = texts(), card = lineCard(line.name), part = (name) => card.querySelector("." + name);
  const phase = part("phase");
  phase.textContent = line.trouble ? t.down : t.phases[line.phase] || line.phase;
  phase.className = "phase " + (line.trouble ? "bad" : line.phase);
  part("source").textContent = line.source === "simulated callers" ? t.simulated : line.source;
  part("trouble").textContent = line.trouble || "";
  part("trouble").hidden = !line.trouble;
  part("meters").replaceChildren(meter(t.heard, line.heard_dbm0), meter(t.said, line.said_dbm0));
  const c = line.counts;
  part("counts").textContent = `${t.calls} ${c.calls} · ${t.keys} ${c.keys} · ${t.losses} ${c.card_losses} · ${t.xruns} ${c.xruns} · ${t.echo} ${line.echo_db.toFixed(1)} dB`;
  const list = part("timeline"), call = line.call;
  list.hidden = part("call-title").hidden = !call;
  if (!call) return;
  part("call-title").textContent = `${call.over ? t.lastCall : t.thisCall} ${call.id}${call.reference ? " · " + call.reference : ""}`;
  if (list.dataset.call !== call.id) { list.replaceChildren(); list.dataset.call = call.id; list.dataset.back = ""; }
  if (list.childElementCount > call.timeline.length) list.replaceChildren();
  for (const entry of call.timeline.slice(list.childElementCount)) list.append(element("li", "", `${entry.at}  ${entry.text}`));
  if (!list.dataset.back) list.scrollTop = list.scrollHeight;
}

function showState() {
  if (!state) return;
  $("name").textContent = "tonopago · " + state.name;
  $("demo").hidden = !state.demo;
  $("demo").textContent = texts().demo;
  state.lines.forEach(showLine);
  const faults = state.faults.map((text) => element("li", "bad", text));
  $("troubles").replaceChildren(...faults, ...state.troubles.map((note) => element("li", "", `${time(note.at)} ${note.text}`)));
  if (!state.troubles.length && !faults.length) $("troubles").append(element("li", "dim", texts().none));
  $("version").textContent = `${state.version} · ${state.config} · ${new Date(state.started).toLocaleString(language)}`;
}

function showPayments() {
  if (!listed) return;
  const t = texts();
  $("sums").replaceChildren(...Object.entries(listed.counts || {}).filter(([, count]) => count).map(([name, count]) => element("span", "", `${t.states[name] || name}: ${count}`)));
  $("payments").replaceChildren(...listed.payments.map((payment) => {
    const row = element("tr");
    for (const text of [time(payment.created), payment.reference, payment.order, payment.amount, `${payment.brand} •••• ${payment.last_four}`]) row.append(element("td", "", text));
    const refunds = [["refunded", payment.refunded], ["refundOpen", payment.refund_open]].filter(([, amount]) => amount);
    const told = [t.states[payment.state] || payment.state, ...refunds.map(([name, amount]) => `${t[name]} ${amount}`)];
    row.append(element("td", payment.state, told.join(" · ")));
    return row;
  }));
  $("none").hidden = listed.payments.length > 0;
}

async function loadPayments() {
  const address = query ? "/api/search?q=" + encodeURIComponent(query) : "/api/payments";
  try {
    const answer = await fetch(address);
    if (answer.status === 401) { location.href = "/login"; return; }
    if (answer.ok) { listed = await answer.json(); showPayments(); }
  } catch { /* the connection's own badge tells */ }
}

function connection(live) {
  $("live").textContent = live ? texts().live : texts().lost;
  $("live").classList.toggle("off", !live);
  $("live").dataset.live = live ? "1" : "";
}

function listen() {
  const source = new EventSource("/api/events");
  source.onopen = () => connection(true);
  source.onmessage = (event) => { state = JSON.parse(event.data); showState(); };
  source.onerror = () => { connection(false); loadPayments(); };
}

$("language").addEventListener("click", () => {
  language = language === "es" ? "en" : "es";
  try { localStorage.setItem("language", language); } catch { /* private browsing: for this page only */ }
  translate(); showState(); showPayments(); connection(Boolean($("live").dataset.live));
});
$("search").addEventListener("submit", (event) => { event.preventDefault(); query = $("query").value.trim(); translate(); loadPayments(); });
$("today").addEventListener("click", () => { query = ""; $("query").value = ""; translate(); loadPayments(); });
$("logout").hidden = !$("logout").elements.form.value;
translate(); connection(false); listen(); loadPayments(); setInterval(loadPayments, 5000);
