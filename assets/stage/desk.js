// The presenter's desk: photos that visitors offered, what is on the wall, and the buttons that hide, clear and begin anew.
import { $, ask, element, post } from "./common.js"

const ASK_MS = 2000
let drawn = ""

async function act(deed, number = 0) {
  try {
    await post("/wall/do", { do: deed, number })
    drawn = ""
    await look(false)
  } catch (error) {
    $("desk-said").textContent = error.message
  }
}

function button(label, deed, number, className = "") {
  const made = element("button", className, label)
  made.type = "button"
  made.onclick = () => act(deed, number)
  return made
}

function offered(entry, lets) {
  const image = element("img")
  image.src = `/wall/photo/${entry.number}?desk=1`
  image.alt = "A photo that a visitor offered"
  const buttons = element("p", "", ...(lets ? [button("Show", "let", entry.number, "primary")] : []), button("Refuse", "forget", entry.number))
  return element("li", "", ...(lets ? [image] : [element("span", "quiet", "The room is locked: open it to look at photos.")]), buttons)
}

function shown(entry) {
  const what = entry.classes[0]?.[0] ?? "Products like it"
  return element("li", "", element("span", "", `${what}${entry.photo ? ", with a photo" : ""}`), button("Remove", "drop", entry.number))
}

async function look(again = true) {
  try {
    const told = await ask("/wall/now?desk=1")
    const signs = `${told.version} ${told.visitors} ${told.waiting} ${told.lets}`
    if (signs !== drawn) {
      drawn = signs
      const asks = told.entries.filter((entry) => entry.asks)
      $("desk").replaceChildren(
        element("h2", "", "The wall"),
        element("p", "moves", told.hidden ? button("Show the wall", "show", 0, "primary") : button("Hide the wall", "hide"), button("Clear it", "clear"), button("Begin anew", "reset")),
        element("p", "quiet", `${told.entries.length} answers on it${told.hidden ? ", hidden" : ""} · ${told.visitors} phones in five minutes · ${told.waiting} waiting`),
        ...(asks.length ? [element("h2", "", `Photos that visitors offer (${asks.length})`), element("ul", "offered", ...asks.map((entry) => offered(entry, told.lets)))] : []),
        element("ul", "entries", ...told.entries.filter((entry) => !entry.asks).map(shown)),
        Object.assign(element("p", "quiet"), { id: "desk-said" }),
      )
    }
  } catch { /* shown by the next answer */ }
  if (again) setTimeout(look, ASK_MS)
}

look()
