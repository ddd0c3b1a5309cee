// What stands before the first product and after the last: whose review it is, and what it came to.
import { $, choice, element } from "./view.js"
import { ask } from "./session.js"

const NAME = "vitrine-review-name"

function remembered() {
  try {
    return localStorage.getItem(NAME) ?? ""
  } catch {
    return ""
  }
}

export function remember(who) {
  try {
    localStorage.setItem(NAME, who)
  } catch { /* asked again next time */ }
}

function show(...children) {
  $("item").hidden = true
  const start = $("start")
  start.hidden = false
  start.replaceChildren(element("div", "card", ...children))
}

export function say(heading, text, ...more) {
  show(element("h1", "", heading), element("p", "", text), ...more)
}

// The name under which answers are stored: the sign-in's, the address's, or the one that is given here.
export async function whose(plan) {
  const told = await ask(`/review/${encodeURIComponent(plan)}/who`)
  const asked = told.signed ?? new URLSearchParams(location.search).get("who")
  if (asked && (told.annotators.includes(asked) || (told.signed && !told.open))) return asked
  const name = told.signed ?? (await given(told))
  if (!told.annotators.includes(name)) await ask(`/review/${encodeURIComponent(plan)}/join?${new URLSearchParams({ who: name })}`, { method: "POST" })
  return name
}

function given(told) {
  return new Promise((resolve) => {
    const take = (who) => {
      const name = who.normalize("NFC").trim()
      if (!name) return
      remember(name)
      history.replaceState(null, "", `${location.pathname}?${new URLSearchParams({ who: name })}`)
      resolve(name)
    }
    const names = element("div", "names", ...told.annotators.map((name) => choice("", name, () => take(name))))
    const some = told.annotators.length > 0
    const parts = [element("h1", "", told.title), element("p", "", "Who are you? Your answers are stored under this name.")]
    if (some) parts.push(names)
    if (told.open) {
      const field = element("input", "")
      Object.assign(field, { type: "text", maxLength: 80, value: remembered(), autocomplete: "nickname", placeholder: some ? "Another name" : "Your name" })
      field.setAttribute("aria-label", "Your name")
      const form = element("form", "", field, element("button", "primary", "Begin"))
      form.onsubmit = (event) => {
        event.preventDefault()
        take(field.value)
      }
      parts.push(form)
      if (!some) queueMicrotask(() => field.focus())
    }
    if (!told.open && !some) parts.push(element("p", "", "Nobody is assigned to this plan yet. Its owner assigns annotators on the Audit page."))
    show(...parts)
  })
}

// After the last product: own figures, and only now the known answers.
export async function finished(session, pace, undo) {
  const closed = session.told.closed
  const done = session.answered
  const parts = [
    element("h1", "", closed ? "This plan is closed" : done ? "Done. Thank you." : "Nothing to review"),
    element("p", "", closed
      ? "It takes no more answers. The figures are on the Audit page."
      : done ? `You answered ${done} product${done === 1 ? "" : "s"}${pace ? `, ${pace.toFixed(1)} s each` : ""}.` : `No product of this plan is assigned to ${session.who}.`),
  ]
  const gold = element("p", "gold")
  parts.push(gold)
  const buttons = element("p", "buttons")
  if (done && !closed) buttons.append(choice("←", "Undo the last answer", undo))
  const back = element("a", "button", "Back to the plan")
  back.href = $("leave").href
  buttons.append(back)
  show(...parts, buttons)
  if (!done || session.waiting) return
  try {
    const told = await ask(session.address("end"))
    if (told.gold?.n) gold.textContent = `Of ${told.gold.n} products with a known answer you got ${told.gold.right} right.`
  } catch { /* the figures can wait */ }
}
