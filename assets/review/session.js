// What one annotator has to answer and has answered: what the server says, and on top of it what is not sent yet.
import { Outbox } from "./outbox.js"

const LOW = 20 // products in the queue below which more are asked for
const PICTURES = 8 // fetched before they are needed
const BEHIND = 3 // answered products whose texts and pictures stay at hand for an undo
const AT_ONCE = 50 // events of one request
const RETRY_MS = [500, 1000, 2000, 4000, 8000, 15000]

export class Refusal extends Error {
  constructor(status, text) {
    super(text)
    this.status = status
  }
}

export async function ask(address, options = {}) {
  let answer
  try {
    answer = await fetch(address, { cache: "no-store", credentials: "same-origin", redirect: "manual", ...options })
  } catch {
    throw new Refusal(0, "The server cannot be reached.")
  }
  if (!answer.ok) {
    const text = answer.type === "opaqueredirect" ? "Sign in first." : (await answer.text()).slice(0, 300)
    throw new Refusal(answer.status || 401, text)
  }
  return answer.json()
}

export class Session {
  constructor(plan, who, changed) {
    this.plan = plan
    this.who = who
    this.changed = changed // called whenever something that is shown may be different
    this.outbox = new Outbox(plan, who)
    this.items = new Map() // by number: what is shown of a product
    this.pictures = new Map()
    this.queue = [] // numbers of the products that wait, the one on the screen first
    this.choices = new Map() // of products whose label is revealed already: the class that was chosen blind
    this.steps = [] // what an undo takes back, the latest last: {item, kind}
    this.refused = this.outbox.read("refused", []) // answers that the server does not take, with its reason
    this.failure = null
    this.tries = 0
    addEventListener("online", () => this.flush())
  }

  address(part, query = {}) {
    return `/review/${encodeURIComponent(this.plan)}/${part}?${new URLSearchParams({ who: this.who, ...query })}`
  }

  // Throws a Refusal.
  async open() {
    this.takeOver(await ask(this.address("session")))
    this.flush()
  }

  // What the server says, then the events that wait here.
  takeOver(told) {
    const here = this.current
    this.told = told
    this.answered = told.answered
    this.queue = told.items.map((each) => each.item)
    for (const each of told.items) this.items.set(each.item, each)
    this.steps = told.steps
    this.choices = new Map(told.steps.filter((step) => step.kind === "choice").map((step) => [step.item, step.label]))
    for (const event of this.outbox.all()) this.apply(event)
    if (this.queue.includes(here)) this.forward(here) // what somebody looks at stays
    this.ahead()
  }

  forward(item) {
    this.queue = [item, ...this.queue.filter((each) => each !== item)]
  }

  apply(event) {
    const { item, kind } = event
    if (kind === "undo") {
      const step = this.steps.pop()
      if (!step) return
      if (step.kind === "answer") this.answered -= 1
      if (step.kind === "choice") this.choices.delete(step.item)
      return this.forward(step.item)
    }
    this.steps.push({ item, kind })
    if (kind === "choice") return this.choices.set(item, event.label)
    this.queue = this.queue.filter((each) => each !== item)
    if (kind === "skip") this.queue.push(item)
    else this.answered += 1
  }

  get current() {
    return this.queue[0]
  }

  get left() {
    return Math.max(this.queue.length, this.told.assigned - this.answered)
  }

  get waiting() {
    return this.outbox.all().length
  }

  // An answer, a blind choice, a skip. Its key was made when the product was shown: a second press is the same event.
  take(event) {
    const made = this.outbox.add(event)
    if (!made) return
    this.apply(made)
    this.ahead()
    this.flush()
  }

  // Takes the latest step back, and the one before; false where there is none.
  undo(key) {
    const step = this.steps.at(-1)
    if (!step) return false
    this.take({ kind: "undo", item: step.item, key })
    return true
  }

  note(item, text) {
    const notes = this.outbox.read("notes", {})
    if (text === undefined) return notes[item] ?? ""
    this.outbox.write("notes", { ...notes, [item]: text })
    return text
  }

  forgetNote(item) {
    const { [item]: _, ...others } = this.outbox.read("notes", {})
    this.outbox.write("notes", others)
  }

  // Send what waits, in order, one request at a time, then ask for more products where few are left. What fails is sent
  // again; what was stored twice counts once.
  async flush() {
    if (this.sending) return
    this.sending = true
    clearTimeout(this.later)
    try {
      let events
      let odd = false // answered under this name elsewhere, or the plan changed: what the server says counts
      while ((events = this.outbox.all().slice(0, AT_ONCE)).length) {
        const body = JSON.stringify({ events: events.map(({ name, ...event }) => event) })
        const headers = { "content-type": "application/json" }
        const told = await ask(this.address("answers"), { method: "POST", body, headers })
        const results = new Map(told.results.map((result) => [result.key, result]))
        for (const event of events) {
          const result = results.get(event.key)
          if (!result) continue
          if (result.refused) this.refuse(event, result.refused)
          odd ||= Boolean(result.refused) || (event.kind === "undo" && result.undone !== event.item)
          this.outbox.remove(event.name)
        }
        if (!results.size) throw new Refusal(500, "The server confirmed nothing.")
        this.tries = 0
        this.failure = null
        if (!this.waiting) odd ||= told.answered !== this.answered
        this.changed()
      }
      if (odd || this.low) await this.again()
      this.failure = null
    } catch (error) {
      this.failure = error
      this.later = setTimeout(() => this.flush(), RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)])
    } finally {
      this.sending = false
      this.changed()
    }
  }

  refuse(event, why) {
    this.refused = [...this.refused, { item: event.item, why }].slice(-100)
    this.outbox.write("refused", this.refused)
  }

  forgetRefused() {
    this.refused = []
    this.outbox.write("refused", [])
  }

  get low() {
    return this.queue.length < LOW && this.told.assigned - this.answered > this.queue.length
  }

  // Only while nothing is on its way: it would be in neither what the server says nor what waits.
  async again() {
    this.takeOver(await ask(this.address("session")))
  }

  // Texts and pictures of the products around the one on the screen, before anybody asks for them.
  async ahead() {
    this.picturesAhead()
    if (this.low) this.flush()
    const behind = [...new Set(this.steps.slice(-2 * BEHIND).map((step) => step.item))]
    const wanted = [...behind, ...this.queue.slice(0, 2)].filter((item) => !this.items.has(item))
    if (!wanted.length || this.fetching) return
    this.fetching = true
    try {
      const told = await ask(this.address("items", { ids: wanted.join(",") }))
      for (const item of told.items) this.items.set(item.item, item)
      this.picturesAhead()
    } catch (error) {
      this.failure = error
      setTimeout(() => this.ahead(), 2000)
    } finally {
      this.fetching = false
      this.changed()
    }
  }

  picturesAhead() {
    const near = [...this.queue.slice(0, PICTURES), ...this.steps.slice(-2 * BEHIND).map((step) => step.item)]
    for (const item of near) {
      const told = this.items.get(item)
      if (!told?.picture || this.pictures.has(item)) continue
      const image = new Image()
      image.decoding = "async"
      image.alt = ""
      image.src = told.picture
      image.decode().catch(() => image.classList.add("broken")) // a broken picture is its own drawn answer
      this.pictures.set(item, image)
    }
    for (const item of this.pictures.keys()) {
      if (this.pictures.size <= 4 * PICTURES) break
      if (!near.includes(item)) this.pictures.delete(item)
    }
  }
}
