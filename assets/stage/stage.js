// A tour full screen: a view of the app in a frame, its line below. Keys, a clicker, swipes; alone it plays by itself.
import { $, ask, element, remember, remembered, showCode, stayAwake } from "./common.js"

const base = document.body.dataset.base
const given = new URLSearchParams(location.search)
const number = (key, otherwise, least) => Math.max(least, Number(given.get(key)) || otherwise)
const SECONDS = number("seconds", 15, 2) // of one view while it plays
const IDLE_S = number("idle", 180, 5) // of nobody, before it begins anew
const READY_MS = 2500 // a view is shown then, whatever it still does
const ASK_MS = 4000
const KEYS = { ArrowRight: "next", PageDown: "next", ArrowLeft: "back", PageUp: "back", " ": "next", Home: "first", End: "last", p: "play", b: "black", ".": "black",
  q: "code", d: "dark", "+": "larger", "=": "larger", "-": "smaller", f: "full", n: "notes", m: "menu", "?": "help", Escape: "close" }
const SAID = [["→ PageDown Space", "next view"], ["← PageUp", "the view before"], ["Home End", "first and last view"], ["P", "play by itself, or stop"], ["Q", "the code for phones, large"],
  ["B .", "black screen"], ["+ −", "larger, smaller"], ["D", "light or dark"], ["F", "full screen"], ["M", "menu and filters of the view"], ["N", "notes in a second window"]]

let tour, at = 0, playing = false, timer, idle, boot, resets, waits = 0
let look = remembered("vitrine-stage-look", {})
const frames = [0, 1].map(() => $("views").appendChild(element("iframe")))
const channel = new BroadcastChannel(`vitrine:${base}`)

function source(stop) {
  const address = new URL(stop.address, location.origin)
  address.searchParams.set("embed", "true")
  const dark = look.dark ?? matchMedia("(prefers-color-scheme: dark)").matches
  address.searchParams.append("embed_options", dark ? "dark_theme" : "light_theme")
  return address.href
}

function load(frame, position) {
  if (frame.dataset.at === String(position)) return
  frame.dataset.at = position
  frame.title = tour.stops[position].line
  frame.src = source(tour.stops[position])
}

// Has the page in a frame drawn itself? Streamlit says so.
function ready(frame) {
  const app = frame.contentDocument?.querySelector("[data-testid=stApp]")
  return app?.dataset.testScriptState === "notRunning" && Boolean(app.querySelector("[data-testid=stMainBlockContainer] *"))
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms))
}

async function show(position) {
  if (!tour.stops.length) return
  at = Math.min(Math.max(position, 0), tour.stops.length - 1)
  const turn = ++waits
  history.replaceState(null, "", `${location.pathname}${location.search}#${at + 1}`)
  const stop = tour.stops[at]
  $("line").textContent = stop.line
  ;[...$("dots").querySelectorAll("button")].forEach((dot, place) => dot.toggleAttribute("aria-current", place === at))
  channel.postMessage({ at })
  $("card").hidden = !stop.trouble
  if (stop.trouble) {
    $("card").querySelector("h1").textContent = "This view cannot be shown"
    $("card").querySelector("p").textContent = stop.trouble
    $("loading").hidden = true
  } else {
    const mine = frames.find((frame) => frame.dataset.at === String(at)) ?? frames.find((frame) => !frame.classList.contains("front")) ?? frames[0]
    load(mine, at)
    $("loading").hidden = ready(mine)
    for (const until = Date.now() + READY_MS; !ready(mine) && Date.now() < until && turn === waits;) await pause(100)
    if (turn !== waits) return
    $("loading").hidden = true
    for (const frame of frames) frame.classList.toggle("front", frame === mine)
    listen(mine)
  }
  const next = (at + 1) % tour.stops.length // the next view is drawn before it is asked for
  const spare = frames.find((frame) => !frame.classList.contains("front")) ?? frames[1]
  if (next !== at && !tour.stops[next].trouble) load(spare, next)
  schedule()
}

function schedule() {
  clearTimeout(timer)
  $("state").textContent = playing ? "plays by itself: touch anything to stop" : ""
  if (playing) timer = setTimeout(() => show((at + 1) % tour.stops.length), SECONDS * 1000)
}

// Somebody is there: nothing moves by itself until they are gone for some time.
function touched() {
  if (playing) {
    playing = false
    schedule()
  }
  present()
}

// The pointer moves, or the notes are open: nobody changes anything, but somebody is there.
function present() {
  clearTimeout(idle)
  idle = setTimeout(alone, IDLE_S * 1000)
}

function alone() {
  playing = true
  close()
  frames.forEach((frame) => delete frame.dataset.at) // what somebody did in a view is undone
  show(0)
}

function close() {
  for (const id of ["large", "black"]) $(id).hidden = true
  $("help").close()
}

function dress() {
  const dark = look.dark ?? matchMedia("(prefers-color-scheme: dark)").matches
  document.documentElement.classList.toggle("dark", dark)
  document.documentElement.classList.toggle("light", !dark)
  $("views").style.setProperty("--zoom", look.zoom ?? 1)
  remember("vitrine-stage-look", look)
}

function zoom(factor) {
  look = { ...look, zoom: Math.min(2, Math.max(0.7, Math.round((look.zoom ?? 1) * factor * 20) / 20)) }
  dress()
}

const DEEDS = {
  next: () => show(at + 1), back: () => show(at - 1), first: () => show(0), last: () => show(tour.stops.length - 1), close,
  play: () => { playing = !playing; schedule() },
  black: () => { $("black").hidden = !$("black").hidden },
  code: () => { $("large").hidden = !$("large").hidden || !$("large").dataset.address },
  dark: () => {
    look = { ...look, dark: !(look.dark ?? matchMedia("(prefers-color-scheme: dark)").matches) }
    dress()
    frames.forEach((frame) => delete frame.dataset.at)
    show(at)
  },
  larger: () => zoom(1.1), smaller: () => zoom(1 / 1.1),
  full: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen?.().catch(() => {})),
  menu: () => { look = { ...look, menu: !look.menu }; dress(); frames.forEach(listen) },
  notes: () => open(`${base}/notes`, "vitrine-notes", "width=1100,height=760"),
  help: () => ($("help").open ? $("help").close() : $("help").showModal()),
}

// Page keys are a clicker's and always move on; others stay with a field or a control that has the focus. A held key counts once.
function pressed(event) {
  const deed = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key]
  const inside = event.target.ownerDocument !== document
  const typing = event.target.closest?.("input, textarea, select, button, [contenteditable], [role=slider], [role=tab], [role=radio], canvas, summary")
  const clicker = event.key === "PageDown" || event.key === "PageUp"
  const waking = playing && deed !== "play"
  touched()
  if (!deed || event.ctrlKey || event.metaKey || event.altKey || (!clicker && typing)) return
  if (inside && !clicker && !event.key.startsWith("Arrow")) return // letters mean something to the view itself
  event.preventDefault()
  event.stopPropagation()
  if (event.repeat || (waking && !clicker && deed !== "notes")) return
  DEEDS[deed]()
}

// The keys of a view and of the panels in it, too, and whether somebody touches it.
function listen(frame) {
  try {
    const within = frame.contentDocument
    if (within && !within.vitrineStage) {
      within.vitrineStage = true
      within.addEventListener("keydown", pressed, true)
      for (const kind of ["pointerdown", "wheel", "touchstart"]) within.addEventListener(kind, touched, { capture: true, passive: true })
    }
    if (within?.head && within.URL !== "about:blank" && frames.includes(frame)) bare(within)
    for (const inner of within?.querySelectorAll("iframe") ?? []) listen(inner)
  } catch { /* a frame that is loading */ }
}

// Without the app's menu and filters, which a stage has no use for, until M asks for them.
function bare(within) {
  const style = within.querySelector("style#vitrine-stage") ?? within.head.appendChild(Object.assign(within.createElement("style"), { id: "vitrine-stage" }))
  const rules = look.menu ? "" : "[data-testid=stSidebar], [data-testid=stHeader], [data-testid=stExpandSidebarButton], .st-key-save-view, .st-key-add-to-tour { display: none !important } [data-testid=stMainBlockContainer] { padding-top: 1rem !important }"
  if (style.textContent !== rules) style.textContent = rules
}

function swipes(target) {
  let from = null
  target.addEventListener("pointerdown", (event) => { from = [event.clientX, event.clientY] })
  target.addEventListener("pointerup", (event) => {
    if (!from) return
    const [x, y] = [event.clientX - from[0], event.clientY - from[1]]
    from = null
    if (Math.abs(x) > 60 && Math.abs(x) > 2 * Math.abs(y)) DEEDS[x < 0 ? "next" : "back"]()
  })
}

async function lookAround() {
  try {
    const told = await ask("/stage-now")
    if (boot && told.boot !== boot) return location.reload() // the server was started anew: the address holds the place
    if (resets !== undefined && told.resets !== resets) alone()
    boot = told.boot
    resets = told.resets
    showCode($("code"), told, "Try it on your phone")
    $("large").dataset.address = told.phones
    if (told.phones && !$("large").querySelector("img").src) {
      $("large").querySelector("img").src = `/stage-code.svg?a=${encodeURIComponent(told.phones)}`
      $("large").querySelector("p").textContent = told.phones
    }
    document.body.classList.remove("lost")
    if (!playing && $("state").textContent.startsWith("The connection")) $("state").textContent = ""
  } catch {
    if (!playing) $("state").textContent = "The connection is lost; it comes back by itself."
  }
  setTimeout(lookAround, ASK_MS)
}

async function begin() {
  dress()
  try {
    tour = await ask(`${base}/told`)
  } catch (error) {
    $("card").hidden = false
    $("card").querySelector("h1").textContent = "This tour cannot be shown"
    $("card").querySelector("p").textContent = error.status ? error.message : "The server cannot be reached."
    return setTimeout(begin, ASK_MS)
  }
  $("keys").replaceChildren(...SAID.flatMap(([keys, what]) => [element("dt", "", keys), element("dd", "", what)]))
  $("dots").replaceChildren(...tour.stops.map((stop, place) => {
    const dot = element("button")
    dot.type = "button"
    dot.title = stop.line
    dot.setAttribute("aria-label", `View ${place + 1}`)
    dot.onclick = () => show(place)
    return element("li", "", dot)
  }))
  if (!tour.stops.length) {
    $("card").hidden = false
    $("card").querySelector("h1").textContent = tour.title
    $("card").querySelector("p").textContent = "This tour has no view yet. Every page has a button that adds it to a tour."
  }
  document.addEventListener("keydown", pressed)
  document.addEventListener("pointermove", () => playing || present(), { passive: true })
  for (const kind of ["pointerdown", "wheel", "touchstart"]) document.addEventListener(kind, touched, { passive: true })
  document.querySelectorAll("#steps > [data-do]").forEach((button) => { button.onclick = () => DEEDS[button.dataset.do]() })
  for (const id of ["large", "black"]) $(id).onclick = close
  $("code").querySelector("img").onclick = DEEDS.code
  swipes($("bar"))
  for (const frame of frames) frame.addEventListener("load", () => listen(frame))
  setInterval(() => frames.forEach(listen), 1000)
  channel.onmessage = ({ data }) => {
    if (data.hello) {
      channel.postMessage({ at })
      if (!playing) present()
    }
    if (data.go !== undefined) {
      touched()
      show(data.go)
    }
    if (data.do === "next" || data.do === "back") {
      touched()
      DEEDS[data.do]()
    }
  }
  await show((parseInt(location.hash.slice(1)) || 1) - 1)
  touched()
  if (given.get("play") === "1") DEEDS.play()
  stayAwake()
  lookAround()
}

begin()
