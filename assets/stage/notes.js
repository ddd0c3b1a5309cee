// The speaker's window: the notes of the view on the stage, what comes next, a timer, the wall's desk. In step with the stage.
import { $, ask, element, remember, remembered } from "./common.js"
import "./desk.js"

const base = document.body.dataset.base
const channel = new BroadcastChannel(`vitrine:${base}`)
let tour, at = 0, heard = 0
let clock = remembered("vitrine-stage-clock", { minutes: 20, left: 20 * 60, since: null }) // since: when it was started, ms

function draw() {
  const stop = tour.stops[at]
  $("count").textContent = `View ${at + 1} of ${tour.stops.length}`
  $("line").textContent = stop?.line ?? "This tour has no view yet."
  $("notes").replaceChildren(...(stop?.notes ?? "").split("\n").filter(Boolean).map((line) => element("p", "", line)))
  $("after").textContent = tour.stops[at + 1]?.line ?? "The end."
  ;[...$("all").children].forEach((each, place) => each.firstChild.toggleAttribute("aria-current", place === at))
}

function move(to) {
  at = Math.min(Math.max(to, 0), tour.stops.length - 1)
  channel.postMessage({ go: at })
  draw()
}

function left() {
  return clock.left - (clock.since ? (Date.now() - clock.since) / 1000 : 0)
}

function tick() {
  const seconds = Math.round(left()), over = seconds < 0
  const shown = Math.abs(seconds)
  $("time").textContent = `${over ? "−" : ""}${Math.floor(shown / 60)}:${String(shown % 60).padStart(2, "0")}`
  $("time").className = over ? "over" : seconds < 120 ? "soon" : ""
  document.querySelector("[data-do=start]").textContent = clock.since ? "Pause" : "Start"
  $("linked").textContent = Date.now() - heard < 6000 ? "in step with the stage" : "no stage is open in this browser"
}

function set(change) {
  clock = { ...clock, ...change }
  remember("vitrine-stage-clock", clock)
  tick()
}

const DEEDS = {
  next: () => move(at + 1), back: () => move(at - 1),
  start: () => set(clock.since ? { left: left(), since: null } : { since: Date.now() }),
  more: () => set({ minutes: clock.minutes + 1, left: clock.left + 60 }),
  less: () => set({ minutes: Math.max(1, clock.minutes - 1), left: clock.left - 60 }),
  zero: () => set({ left: clock.minutes * 60, since: null }),
}
const KEYS = { ArrowRight: "next", PageDown: "next", " ": "next", ArrowLeft: "back", PageUp: "back", t: "start" }

document.addEventListener("keydown", (event) => {
  const deed = KEYS[event.key]
  if (!deed || event.repeat || event.ctrlKey || event.metaKey || event.altKey || (event.target.closest("button, input") && event.key === " ")) return
  event.preventDefault()
  DEEDS[deed]()
})

channel.onmessage = ({ data }) => {
  if (data.at === undefined) return
  at = data.at
  heard = Date.now()
  if (tour) draw()
}

async function begin() {
  try {
    tour = await ask(`${base}/told`)
  } catch (error) {
    $("line").textContent = error.status ? error.message : "The server cannot be reached; trying again."
    return setTimeout(begin, 3000)
  }
  $("all").replaceChildren(...tour.stops.map((stop, place) => {
    const button = element("button", "", `${place + 1}. ${stop.line}`)
    button.type = "button"
    button.onclick = () => move(place)
    return element("li", "", button)
  }))
  document.querySelectorAll("#speaker [data-do]").forEach((button) => { button.onclick = () => DEEDS[button.dataset.do]() })
  draw()
  channel.postMessage({ hello: true })
  setInterval(() => { channel.postMessage({ hello: true }); tick() }, 1000)
  tick()
}

begin()
