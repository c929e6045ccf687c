// Keeps the timeline on the order's page as the order is, for as long as the page is seen.
"use strict";
{
  const timeline = () => document.getElementById("timeline");
  let events = null;

  const redraw = async () => {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    // Not the timeline alone: status, ledger, outbox and what can be done change with it.
    for (const selector of ["#timeline", "#workplace", "#acts", ".module.aligned"]) {
      const now = document.querySelectorAll(selector);
      page.querySelectorAll(selector).forEach((part, index) => {
        // Nobody loses what they are typing.
        if (selector !== "#acts" || !now[index]?.querySelector("details[open]")) now[index]?.replaceWith(part);
      });
    }
  };

  const listen = () => {
    events?.close();
    events = null;
    if (document.hidden || !timeline()) return;
    events = new EventSource(timeline().dataset.events);
    events.addEventListener("timeline", (event) => {
      if (event.lastEventId !== timeline().dataset.digest) redraw();
    });
  };

  document.addEventListener("visibilitychange", listen);
  listen();
}
