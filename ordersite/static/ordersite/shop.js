// The shop of the start page: it does what any client can, over the public API alone.
"use strict";
{
  const form = document.getElementById("shop");
  const products = document.getElementById("products");
  const more = document.getElementById("more");
  const place = document.getElementById("place");
  const said = document.getElementById("said");
  const order = document.getElementById("order");
  const running = document.getElementById("running");
  const ICONS = { done: "✓", failed: "✗", waiting: "…" };
  const POLL_MILLISECONDS = 5000;
  const FIRST_QUANTITIES = { book: 1, pen: 2 };
  let events = null;
  let nextPage = form.dataset.products;
  let unanswered = null;

  const element = (name, text = "", className = "") => {
    const made = document.createElement(name);
    made.textContent = text;
    made.className = className;
    return made;
  };

  const say = (text) => {
    said.textContent = text;
    said.hidden = !text;
  };

  // A problem (RFC 9457), in words.
  const problemOf = async (answer) => {
    const problem = await answer.json().catch(() => null);
    return problem?.detail ?? `The site answers ${answer.status}.`;
  };

  const ask = async (address, options) => {
    let answer;
    try {
      // As anybody, also where an operator is logged in.
      answer = await fetch(address, { credentials: "omit", ...options });
    } catch {
      throw new Error("The site does not answer. Is make run still running?");
    }
    if (!answer.ok) throw new Error(await problemOf(answer));
    return answer.json();
  };

  const productOf = ({ sku, name, price, currency, available }) => {
    const product = element("label", "", "product");
    const what = element("span", name, "what");
    what.append(element("span", `${price} ${currency} · ${available.toLocaleString("en")} in stock`, "quiet"));
    const quantity = element("input");
    Object.assign(quantity, { type: "number", name: sku, min: 0, max: 1000, value: FIRST_QUANTITIES[sku] ?? 0 });
    product.append(what, quantity);
    return product;
  };

  // One page more; what was chosen on those before stays chosen.
  const showProducts = async () => {
    const isFirst = !products.querySelector("input");
    more.disabled = true;
    try {
      const page = await ask(nextPage);
      const found = page.products.map(productOf);
      nextPage = page.next;
      if (isFirst) products.replaceChildren(...found);
      else products.append(...found);
      more.hidden = !nextPage;
      place.disabled = !products.querySelector("input");
      if (place.disabled) products.textContent = "There are no products. manage.py load_demo_products makes some.";
      // Where the keyboard is goes on with what is new.
      if (!isFirst) found[0]?.querySelector("input").focus();
    } catch (error) {
      if (isFirst) products.textContent = "The products cannot be shown.";
      say(error.message);
    } finally {
      more.disabled = false;
    }
  };

  // As the admin writes every time.
  const exact = (at) => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;

  const stepOf = ({ service, kind, outcome, at, attempt, detail }) => {
    const step = element("li");
    step.append(element("span", `${ICONS[kind] ?? ""} ${service}: ${outcome}`, kind));
    const about = [at && exact(at), attempt && `attempt ${attempt}`, detail];
    step.append(element("span", ` ${about.filter(Boolean).join(" · ")}`, "quiet"));
    return step;
  };

  const showTimeline = ({ orderId, status, services, steps }) => {
    document.getElementById("order-title").textContent = `Order ${orderId} is ${status}`;
    document.getElementById("services").replaceChildren(
      ...services.map(({ service, kind, outcome }) => element("li", `${ICONS[kind]} ${service}: ${outcome}`, kind)),
    );
    document.getElementById("steps").replaceChildren(...steps.map(stepOf));
    // What has no time is so now: a message that was replayed leaves nothing to put right.
    const failed = steps.find(({ kind, at, failedMessageId }) => kind === "failed" && !at && failedMessageId);
    const desk = document.getElementById("desk");
    desk.hidden = !failed;
    if (failed) desk.querySelector("a").href = `${form.dataset.desk}${encodeURIComponent(failed.failedMessageId)}/change/`;
  };

  const watch = (orderId) => {
    events?.close();
    order.hidden = false;
    events = new EventSource(`${form.dataset.orders}/${orderId}/events`);
    events.addEventListener("timeline", (event) => showTimeline(JSON.parse(event.data)));
  };

  const wanted = () =>
    [...products.querySelectorAll("input")]
      .map((input) => ({ sku: input.name, quantity: Number(input.value) }))
      .filter(({ quantity }) => quantity > 0);

  // Whoever got no answer and clicks again asks for the same order, which may have been placed.
  const keyOf = (body) => {
    if (unanswered?.body !== body) unanswered = { body, key: crypto.getRandomValues(new Uint32Array(4)).join("-") };
    return unanswered.key;
  };

  const placeOrder = async (event) => {
    event.preventDefault();
    place.disabled = true;
    say("");
    try {
      const body = JSON.stringify({ userId: Number(form.elements.buyer.value), items: wanted() });
      const headers = { "Content-Type": "application/json", "Idempotency-Key": keyOf(body) };
      const placed = await ask(form.dataset.orders, { method: "POST", headers, body });
      unanswered = null;
      watch(placed.order.orderId);
    } catch (error) {
      say(error.message);
    } finally {
      place.disabled = false;
    }
  };

  const partOf = ({ name, status, detail, nextStep }) => {
    if (status === "ok") return element("li", `${ICONS.done} ${name}`, "done");
    const missing = element("li", `${ICONS.failed} ${name}: ${detail} `, "failed");
    missing.append(element("code", nextStep));
    return missing;
  };

  // As long as the page is open, so that a process that is stopped is seen to be missing.
  const showRunning = async () => {
    try {
      // 503 where something is missing, with the same body.
      const answer = await fetch(running.dataset.health, { credentials: "omit" });
      const { checks } = await answer.json();
      running.replaceChildren(...checks.map(partOf));
    } catch {
      running.replaceChildren(element("li", `${ICONS.failed} The site does not answer.`, "failed"));
    }
    setTimeout(showRunning, POLL_MILLISECONDS);
  };

  form.addEventListener("submit", placeOrder);
  more.addEventListener("click", showProducts);
  showRunning();
  showProducts();
}
