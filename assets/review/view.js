// Drawing one product and its question. Every word of a dataset is set as text, never as markup.

export const $ = (id) => document.getElementById(id)

export function element(name, className, ...children) {
  const made = document.createElement(name)
  if (className) made.className = className
  made.append(...children.filter((child) => child !== null && child !== undefined))
  return made
}

export function languageName(tag) {
  if (!tag) return ""
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(tag) ?? tag
  } catch {
    return tag // not a language tag
  }
}

// A button that a key presses, too: its key is shown on it.
export function choice(key, text, act, className = "") {
  const button = element("button", className, key ? element("kbd", "", key) : null, element("span", "", text))
  button.type = "button"
  button.onclick = act
  return button
}

export function drawProduct(item, image) {
  const photo = $("photo")
  if (image) photo.replaceChildren(image)
  else photo.replaceChildren(element("p", "none", item.picture ? "The picture is loading." : "This product has no picture."))
  photo.classList.toggle("empty", !item.picture)
  const language = languageName(item.language)
  $("facts").textContent = [item.country, language && `text in ${language}`].filter(Boolean).join(" · ")
  const name = $("name")
  name.textContent = item.name || "(no name)"
  name.lang = item.language ?? ""
  const description = $("description")
  description.textContent = item.description || "No description."
  description.classList.toggle("none", !item.description)
  description.lang = item.language ?? ""
  $("words").scrollTop = 0
}

export const VERDICTS = [
  { verdict: "right", key: "r", text: "Right" },
  { verdict: "wrong", key: "w", text: "Wrong" },
  { verdict: "ambiguous", key: "a", text: "Ambiguous" },
  { verdict: "unsure", key: "c", text: "Cannot tell" },
]

export function drawProgress(session, pace) {
  const done = session.answered
  const left = session.left
  const total = done + left
  $("title").textContent = session.told.title
  const bar = $("bar")
  bar.setAttribute("aria-valuemax", total)
  bar.setAttribute("aria-valuenow", done)
  bar.firstElementChild.style.width = `${total ? (100 * done) / total : 0}%`
  const parts = [`${done} of ${total}`]
  if (pace && left) {
    parts.push(`${pace.toFixed(pace < 10 ? 1 : 0)} s each`)
    const minutes = Math.ceil((left * pace) / 60)
    parts.push(minutes > 90 ? `about ${Math.round(minutes / 60)} h left` : `about ${minutes} min left`)
  }
  $("progress").replaceChildren(...parts.map((part) => element("span", "", part)))
}

// Whether everything is stored, in the corner; what needs an action, in a line of its own.
export function drawState(session, act) {
  const waiting = session.waiting
  const sent = $("sent")
  const lost = session.failure !== null
  sent.textContent = waiting ? `${waiting} to send` : lost ? "No connection" : "All saved"
  sent.classList.toggle("waiting", waiting > 0 || lost)
  const notice = $("notice")
  const signedOut = session.failure?.status === 401
  const refused = session.refused.at(-1)
  const told = []
  if (refused) {
    const many = session.refused.length
    told.push(`${many === 1 ? "One answer was" : `${many} answers were`} not taken: ${refused.why} `)
    told.push(choice("", "Understood", act.forget))
  } else if (signedOut) {
    const link = element("a", "", "Sign in again")
    link.href = "/sign-in"
    link.target = "_blank"
    told.push(`Your sign-in has ended. ${waiting ? "Your answers wait in this browser. " : ""}`, link)
  } else if (waiting && session.tries > 1) {
    told.push(`${session.failure?.message || "The server does not answer."} Go on: answers wait in this browser and are sent again. `)
    told.push(choice("", "Send now", act.flush))
  }
  if (!session.outbox.durable) told.push(" This browser stores nothing: leave this page open until all is saved.")
  notice.replaceChildren(...told)
  notice.hidden = told.length === 0
}

export const KEYS = [
  ["1 … 9", "the class with that number"],
  ["letters, Enter", "find a class by a few letters, in any of its languages, and choose it (↑ ↓ choose another)"],
  ["R W A C", "the label is right, wrong, ambiguous; cannot tell. When a label is shown from the beginning, a number says wrong and which class it is, T types that class"],
  ["0", "cannot tell, while choosing"],
  ["← or Ctrl Z", "undo, as often as you like"],
  ["→", "skip: it comes again at the end"],
  ["/", "a note"],
  ["Space", "a larger picture"],
  ["Esc", "empty the field, close"],
]

export function drawKeys() {
  $("keys").replaceChildren(...KEYS.flatMap(([keys, says]) => [element("dt", "", keys), element("dd", "", says)]))
}
