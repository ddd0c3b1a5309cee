// Answers that the server has not confirmed yet, in localStorage: they survive a reload, a lost connection, a closed tab.
// Each answer is an entry of its own, so that two tabs of one browser overwrite nothing of each other.

export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)) // randomUUID is absent on plain http
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}

export class Outbox {
  constructor(plan, who) {
    this.prefix = `vitrine-review ${plan} ${who} `
    this.memory = new Map() // where the browser stores nothing
    this.durable = true
  }

  // Every waiting event, in the order in which they were made.
  all() {
    const found = new Map(this.memory)
    for (let place = 0; place < localStorageLength(); place += 1) {
      const name = localStorage.key(place)
      if (!name?.startsWith(`${this.prefix}e `)) continue
      try {
        found.set(name, JSON.parse(localStorage.getItem(name)))
      } catch {
        localStorage.removeItem(name) // not written by this page
      }
    }
    return [...found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, event]) => ({ ...event, name }))
  }

  // The order is a number that grows, not the time: a clock may jump. Nothing where the event waits already.
  add(event) {
    const waiting = this.all()
    if (waiting.some((each) => each.key === event.key)) return null
    const last = waiting.at(-1)
    const order = last ? Number(last.name.slice(this.prefix.length + 2, this.prefix.length + 14)) + 1 : 1
    const made = { ...event }
    const name = `${this.prefix}e ${String(order).padStart(12, "0")} ${made.key}`
    try {
      localStorage.setItem(name, JSON.stringify(made))
    } catch {
      this.memory.set(name, made)
      this.durable = false
    }
    return made
  }

  remove(name) {
    this.memory.delete(name)
    try {
      localStorage.removeItem(name)
    } catch { /* it was in memory alone */ }
  }

  // Small facts of this browser: which products were skipped, notes of products that have no answer yet.
  read(what, otherwise) {
    try {
      return JSON.parse(localStorage.getItem(`${this.prefix}${what}`)) ?? otherwise
    } catch {
      return otherwise
    }
  }

  write(what, value) {
    try {
      localStorage.setItem(`${this.prefix}${what}`, JSON.stringify(value))
    } catch { /* forgotten with the page */ }
  }
}

function localStorageLength() {
  try {
    return localStorage.length
  } catch {
    return 0
  }
}
