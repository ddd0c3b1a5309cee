// The review of one plan by one annotator: one product large, one question, one key an answer.
import { Classes } from "./classes.js"
import { randomKey } from "./outbox.js"
import { Session } from "./session.js"
import { finished, say, whose } from "./start.js"
import { $, VERDICTS, choice, drawKeys, drawProduct, drawProgress, drawState, element } from "./view.js"

const SAME_KEY_MS = 50 // the same key again within this time is one press
const FEW = 9 // classes that are all offered where no model suggests any
const touch = matchMedia("(pointer: coarse)").matches

const plan = document.body.dataset.plan
let session
let classes
let shown // the item on the screen
let stage = "" // "choose" (blind), "judge" (its label is revealed), "shown" (label from the beginning), "which" (its class is typed)
let chosen = null
let key = "" // of the answer to what is shown: a second press is the same answer
let at = 0 // highlighted match
let matches = []
let since = 0 // when the product appeared
let pressed // when a key was pressed whose product has not appeared yet
let ended = false // the last product is answered, and answers wait to be sent
const times = []
const last = { key: "", when: -1e9 }

const item = () => session.items.get(session.current)
const pace = () => {
  const sorted = times.slice(-30).sort((one, other) => one - other)
  return sorted.length > 2 ? sorted[sorted.length >> 1] / 1000 : 0
}

function changed() {
  classes ??= new Classes(session.told.classes)
  drawState(session, { flush: () => session.flush(), forget: () => { session.forgetRefused(); changed() } })
  drawProgress(session, pace())
  document.title = `${session.told.title} · Review`
  if (session.told.closed || (!session.queue.length && !session.low)) {
    if (shown !== null) {
      shown = null
      document.body.dataset.shown = "none"
      end()
    } else if (ended && !session.waiting) end() // the last answers have arrived: known answers can be told
  } else if (!session.queue.length) {
    shown = undefined
    waitForMore()
  } else if (shown !== session.current || $("item").hidden) next()
}

function waitForMore() {
  const why = session.failure ? `${session.failure.message} The next products come when the server answers.` : "The next product is coming."
  say("One moment", session.waiting ? `${why} Your answers wait in this browser.` : why)
}

function end() {
  ended = session.waiting > 0
  finished(session, pace(), undo)
}

// Show the current product. Its text and picture are normally here already.
function next() {
  const told = item()
  if (!told) {
    if (shown === undefined || session.failure) waitForMore()
    return
  }
  shown = session.current
  $("start").hidden = true
  $("item").hidden = false
  chosen = session.choices.get(shown) ?? null
  stage = told.shown ? "shown" : chosen === null ? "choose" : "judge"
  const image = session.pictures.get(shown)
  drawProduct(told, image)
  $("typed").value = ""
  at = 0
  draw()
  drawProgress(session, pace())
  session.picturesAhead()
  const began = pressed
  pressed = undefined
  const painted = () => requestAnimationFrame(() => setTimeout(() => {
    if (shown !== told.item) return
    since = performance.now()
    document.body.dataset.shown = told.item
    if (began !== undefined) performance.measure("next", { start: began, end: since })
  }))
  since = performance.now()
  if (image && !image.complete) image.decode().then(painted, painted)
  else painted()
}

function offered(told) {
  if (told.suggestions.length) return told.suggestions
  const all = [...classes.by.keys()]
  return all.length <= FEW ? all : []
}

function draw() {
  const told = item()
  key = randomKey()
  const judging = stage === "judge"
  const typing = stage === "choose" || stage === "which"
  $("ask").dataset.stage = stage
  $("question").textContent =
    stage === "choose" ? "Which class is it?"
    : stage === "which" ? "Which class is it instead?"
    : stage === "shown" ? "Is this label right?"
    : "Is the label right?"
  const given = $("given")
  given.hidden = stage === "choose" || stage === "which"
  if (!given.hidden) {
    const label = told.given === null ? "(no label)" : classes.label(told.given)
    const same = chosen === told.given
    const fact = (name, value, className = "") => element("p", className, element("small", "", name), element("b", "", value))
    const rows = [fact("Label in the dataset", label)]
    if (judging) rows.push(fact("You chose", classes.label(chosen), same ? "same" : "other"))
    given.replaceChildren(...rows)
  }
  $("find").hidden = !typing
  drawOptions(told)
  drawVerdicts(told)
  drawMatches()
  if (typing && (!touch || stage === "which")) $("typed").focus({ preventScroll: true })
  else if (!typing) document.activeElement?.blur()
}

function drawOptions(told) {
  const options = stage === "judge" ? [] : offered(told).filter((value) => stage === "choose" || value !== told.given)
  const rows = options.map((value, place) => choice(String(place + 1), classes.label(value), () => option(value)))
  if (stage === "shown") rows.push(choice("T", "Another class…", which))
  const box = $("options")
  box.dataset.says = stage === "shown" && rows.length ? "Wrong, it is:" : ""
  box.replaceChildren(...rows)
}

function drawVerdicts(told) {
  const same = stage === "judge" && chosen === told.given
  const buttons =
    stage === "choose" || stage === "which" ? [choice("0", "Cannot tell", () => answer("unsure"))]
    : VERDICTS.map(({ verdict, key, text }) => {
      const button = choice(key.toUpperCase(), text, () => answer(verdict), verdict)
      if (verdict === "wrong") button.disabled = same // the same class cannot be wrong; Undo chooses again
      return button
    })
  $("verdicts").replaceChildren(...buttons)
}

function drawMatches() {
  const typed = $("typed").value
  matches = stage === "choose" || stage === "which" ? classes.find(typed) : []
  at = Math.min(at, Math.max(0, matches.length - 1))
  const rows = matches.map((value, place) => {
    const row = choice("", classes.label(value), () => option(value))
    row.setAttribute("role", "option")
    row.setAttribute("aria-selected", String(place === at))
    return row
  })
  if (typed.trim() && !rows.length) rows.push(element("p", "none", "No class is called so."))
  $("matches").replaceChildren(...rows)
  $("ask").classList.toggle("typing", Boolean(typed.trim()))
}

// A class was chosen: blind, its label is revealed; where the label was shown, it is wrong and this is right.
function option(value) {
  const told = item()
  if (stage === "choose") {
    chosen = value
    stage = "judge"
    session.take({ kind: "choice", item: shown, key, label: value, ms: took(), suggestions: offered(told) })
    draw()
  } else if (value === told.given) answer("right")
  else answer("wrong", value)
}

function which() {
  stage = "which"
  $("typed").value = ""
  draw()
}

const took = () => Math.round(Math.min(performance.now() - since, 3_600_000))

function answer(verdict, label = chosen) {
  const told = item()
  if (!told || session.current !== shown) return
  pressed = performance.now()
  times.push(took())
  session.take({
    kind: "answer",
    item: shown,
    key,
    answer: verdict,
    label: verdict === "wrong" ? label : null,
    choice: told.shown ? null : chosen,
    ms: took(),
    suggestions: offered(told),
    note: session.note(shown),
  })
  session.forgetNote(shown)
  changed()
}

// Back to the question before: the class that was just chosen, or the product before this one.
function undo() {
  if (stage === "which") {
    stage = "shown"
    return draw()
  }
  if (session.told.closed) return
  pressed = performance.now()
  if (!session.undo(randomKey())) pressed = undefined
  else {
    shown = undefined
    changed()
  }
}

function skip() {
  if (session.queue.length < 2) return
  pressed = performance.now()
  session.take({ kind: "skip", item: shown, key })
  changed()
}

function note() {
  const told = shown
  const field = $("note")
  field.value = session.note(told)
  $("notes").onclose = () => session.note(told, field.value.trim())
  $("notes").showModal()
}

function zoom() {
  const told = item()
  if (!told?.large) return
  const image = element("img", "")
  image.alt = ""
  image.src = told.large
  $("zoom").replaceChildren(image)
  $("zoom").showModal()
}

const DO = { undo, skip, note, zoom, help: () => $("help").showModal() }

// The Latin letter of a key, whatever alphabet the keyboard writes.
function letter(event) {
  const key = event.key.toLowerCase()
  return /^[a-z0-9]$/.test(key) ? key : /^Key[A-Z]$/.test(event.code) ? event.code.slice(3).toLowerCase() : key
}

function again(event) {
  const twice = event.repeat || (event.key === last.key && event.timeStamp - last.when < SAME_KEY_MS)
  last.key = event.key
  last.when = event.timeStamp
  return twice
}

function onKey(event) {
  if (event.isComposing || !session?.told || ($("item").hidden && event.key !== "ArrowLeft")) return
  if (document.querySelector("dialog[open]")) {
    if (event.key === " " && $("zoom").open) $("zoom").close()
    else if (event.key === "Enter" && event.ctrlKey && $("notes").open) $("notes").close()
    else return
    return event.preventDefault()
  }
  const undoing = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)
  if ((event.ctrlKey || event.metaKey || event.altKey) && !undoing) return
  const field = $("typed")
  const typing = stage === "choose" || stage === "which"
  const empty = !typing || !field.value
  const typed = !empty && event.target === field
  if (["Shift", "Tab", "CapsLock"].includes(event.key)) return
  if (typed && event.key.length === 1 && !undoing) return // it goes into the field
  if (typed && ["ArrowLeft", "ArrowRight", "Backspace", "Home", "End"].includes(event.key)) return
  if (again(event)) return event.preventDefault()
  if (!act(event, undoing, typing, empty)) {
    if (typing && event.key.length === 1) field.focus()
    return
  }
  event.preventDefault()
}

// Whether the key meant anything.
function act(event, undoing, typing, empty) {
  if (undoing || event.key === "ArrowLeft" || (empty && event.key === "Backspace")) return undo(), true
  if ($("item").hidden) return false
  if (event.key === "ArrowRight") return skip(), true
  if (event.key === "/") return note(), true
  if (event.key === "?") return DO.help(), true
  if (event.key === " ") return zoom(), true
  if (typing) {
    if (event.key === "Escape") return empty ? stage === "which" && undo() : ($("typed").value = ""), drawMatches(), true
    if (event.key === "Enter") return matches.length && option(matches[at]), true
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      at = Math.max(0, Math.min(matches.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))
      return drawMatches(), true
    }
  }
  const named = letter(event)
  if (/^[0-9]$/.test(named) && stage !== "judge") {
    const buttons = named === "0" ? [] : $("options").querySelectorAll("button")
    if (named === "0") answer("unsure")
    else if (buttons[named - 1]?.querySelector("kbd").textContent === named) buttons[named - 1].click()
    return true
  }
  if (typing) return false
  if (stage === "shown" && named === "t") return which(), true
  const verdict = VERDICTS.find((each) => each.key === named)
  if (!verdict) return false
  const button = $("verdicts").querySelector(`.${verdict.verdict}`)
  if (!button.disabled) button.click()
  return true
}

function listen() {
  document.addEventListener("keydown", onKey)
  $("typed").addEventListener("input", () => { at = 0; drawMatches() })
  for (const button of document.querySelectorAll("[data-do]")) {
    button.onclick = () => { button.blur(); DO[button.dataset.do]() }
  }
  $("photo").onclick = zoom
  $("zoom").onclick = () => $("zoom").close()
  $("sent").onclick = () => session?.flush()
  document.body.classList.toggle("touch", touch)
  addEventListener("visibilitychange", () => document.hidden || session?.flush())
  addEventListener("storage", (event) => session?.told && event.key?.startsWith(session.outbox.prefix) && changed())
  addEventListener("beforeunload", (event) => { if (session?.outbox.memory.size) event.preventDefault() })
}

async function begin() {
  drawKeys()
  try {
    const who = await whose(plan)
    session = new Session(plan, who, changed)
    await session.open()
  } catch (error) {
    const waiting = session?.waiting ? ` ${session.waiting} answers wait in this browser and are sent then.` : ""
    say("One moment", `${error.message}${waiting}`)
    if (error.status === 0 || error.status >= 500) setTimeout(begin, 2000) // it comes back
    return
  }
  changed()
}

listen()
begin()
