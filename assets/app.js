// What Streamlit 1.67 has no option for. Each part does nothing at all where a later version does it itself.
(() => {
  if (window.vitrine) return // this page's script is run anew with every session
  window.vitrine = true

  // Link buttons and links in words open a new tab. A click on one that stays in the app stays in its tab;
  // the middle button, or Ctrl, opens another as everywhere.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[target=_blank]")
    if (link && link.origin === location.origin) link.target = "_self"
  }, true)

  // A judge gives a name once: Enter leaves its field, since Y, N and U would be written into it otherwise.
  document.addEventListener("keydown", (event) => {
    const field = event.key === "Enter" && event.target.closest?.(".st-key-your-name-for-judgements input")
    if (field) setTimeout(() => field.blur())
  })

  // A page leads to another by such a link (pages/components/shared/chart.py): no script of a page's own may run.
  new MutationObserver(() => {
    const link = document.querySelector("a.vitrine-go")
    if (!link || link.origin !== location.origin) return
    link.remove()
    location.assign(link.href)
  }).observe(document, {childList: true, subtree: true})

  // A bound widget replaces the history's entry, so that Back would step over every filter. Streamlit gives a whole
  // address then, and the path alone where it must replace: while it goes back.
  const replace = history.replaceState
  history.replaceState = function (state, unused, address) {
    const asked = typeof address === "string" && address.startsWith(location.origin + "/") ? new URL(address) : null
    const filtered = asked && asked.pathname === location.pathname && asked.search !== location.search
    return (filtered ? history.pushState : replace).call(history, state, unused, address)
  }
})()
