// What the pages of the stage share: elements, questions to the server, the code of the phones' page.
export const $ = (id) => document.getElementById(id)

export function element(tag, className, ...children) {
  const made = document.createElement(tag)
  if (className) made.className = className
  made.append(...children)
  return made
}

// The answer, or null where the server cannot be reached or does not know; the text of a refusal as an error.
export async function ask(address, options = {}) {
  const answer = await fetch(address, { cache: "no-store", credentials: "same-origin", redirect: "manual", ...options })
  if (!answer.ok) throw Object.assign(new Error((await answer.text()).slice(0, 300) || "Sign in first."), { status: answer.status })
  return answer.json()
}

export function post(address, body) {
  return ask(address, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } })
}

// The QR code and the address in words, or nothing where phones cannot reach the server.
export function showCode(figure, told, said) {
  const image = figure.querySelector("img")
  figure.hidden = !told.phones
  if (!told.phones || figure.dataset.address === told.phones) return
  figure.dataset.address = told.phones
  image.src = `/stage-code.svg?a=${encodeURIComponent(told.phones)}`
  figure.querySelector("figcaption").replaceChildren(element("b", "", said), told.phones.replace(/^http:\/\//, ""))
}

// Keep the screen on, where the browser lets a page (on this machine, or over https).
export async function stayAwake() {
  const hold = async () => {
    try {
      await navigator.wakeLock?.request("screen")
    } catch { /* on battery, or not visible */ }
  }
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && hold())
  await hold()
}

export function remembered(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise
  } catch {
    return otherwise
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value))
  } catch { /* asked again next time */ }
}
