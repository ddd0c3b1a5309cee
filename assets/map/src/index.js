// The component's entry: Streamlit calls it at every run of the page; one map a place on the page lives on.
import css from "./map.css"
import { MapView } from "./map.js"

const maps = new WeakMap()

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  let { map, voice } = maps.get(parentElement) ?? {}
  if (!map) {
    const style = document.createElement("style")
    style.textContent = css
    parentElement.append(style)
    voice = { tell: setTriggerValue }
    const heard = voice
    map = new MapView(parentElement, (...told) => heard.tell(...told))
    maps.set(parentElement, { map, voice })
  }
  voice.tell = setTriggerValue // of this run: the last one's may be stale
  if (data) map.update(data)
  return () => {
    map.destroy()
    maps.delete(parentElement)
  }
}
