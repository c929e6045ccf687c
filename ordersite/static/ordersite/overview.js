// Keeps the overview as the pipeline is, for as long as it is seen. Only a part that has changed is
// replaced, so that nothing flickers and what one points at stays where it is.
"use strict";
{
  const EVERY_MILLISECONDS = 5000;
  const place = document.getElementById("overview");

  const replaceChanged = (html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    for (const now of page.querySelectorAll("[data-part]")) {
      const before = place.querySelector(`[data-part="${now.dataset.part}"]`);
      if (!before || before.outerHTML === now.outerHTML) continue;
      const href = before.contains(document.activeElement) && document.activeElement.getAttribute("href");
      before.replaceWith(now);
      if (href) [...now.querySelectorAll("a")].find((link) => link.getAttribute("href") === href)?.focus();
    }
    const word = place.querySelector(".verdict-word");
    if (word) document.title = `${word.textContent.trim()} | ${document.title.split(" | ").pop()}`;
  };

  const sayOld = (why) => {
    const verdict = place.querySelector(".verdict");
    verdict?.classList.add("is-old");
    const age = verdict?.querySelector(".verdict-age");
    if (age) age.textContent = `${why} What is shown is of ${age.dataset.at ?? "earlier"}.`;
  };

  const refresh = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(place.dataset.url, { credentials: "same-origin", signal: AbortSignal.timeout(8000) });
      const html = await answer.text();
      if (html.includes('data-part="verdict"')) replaceChanged(html);
      else sayOld(answer.redirected ? "You are logged out." : `The site answers ${answer.status}.`);
    } catch {
      sayOld("The site does not answer.");
    }
  };

  if (place) {
    setInterval(refresh, EVERY_MILLISECONDS);
    document.addEventListener("visibilitychange", refresh);
  }
}
