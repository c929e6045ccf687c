// A shop's client for Node 18 and newer, without packages.
//
// It lists the products, places an order, and follows it until every service has answered. Then it
// places one that is refused, and shows why.
//
//     node examples/client.mjs http://localhost:8000
//     ORDERSITE_KEY=… node examples/client.mjs https://orders.example.com

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const ADDRESS = (process.argv[2] ?? "http://localhost:8000").replace(/\/$/, "");
const LOGIN = process.env.ORDERSITE_KEY ? { Authorization: `Bearer ${process.env.ORDERSITE_KEY}` } : {};

// A request that got no answer, or one that says "later", is sent so many times in all.
const TRIES = 5;
const TRY_AGAIN = new Set([429, 503]);
const ANSWER_MILLISECONDS = 30_000;

// What the API did not do, and why (RFC 9457). Decide by its type.
class Problem extends Error {
  constructor({ type, status, detail, errors = [] }) {
    super(detail);
    Object.assign(this, { type, status, errors });
  }
}

async function ask(method, path, body, headers = {}) {
  for (let triesLeft = TRIES - 1; ; triesLeft--) {
    let answer;
    try {
      answer = await fetch(ADDRESS + path, {
        method,
        headers: { ...LOGIN, ...headers, ...(body && { "Content-Type": "application/json" }) },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_MILLISECONDS),
      });
      if (answer.ok) return await answer.json();
    } catch (error) {
      if (!triesLeft) throw error;
      await sleep(1_000);
      continue;
    }
    if (!TRY_AGAIN.has(answer.status) || !triesLeft) throw new Problem(await answer.json());
    await sleep(1_000 * Number(answer.headers.get("Retry-After") ?? 1));
  }
}

// All that is sold, page by page.
async function* products() {
  for (let path = "/products"; path; ) {
    const page = await ask("GET", path);
    yield* page.products;
    path = page.next;
  }
}

// Places an order once, however often the request has to be sent: whoever gets no answer cannot
// know whether the order was placed, so each try has the same key.
async function place(userId, items) {
  const { order } = await ask("POST", "/orders", { userId, items }, { "Idempotency-Key": randomUUID() });
  return order;
}

// The order's timeline now, and again after each change, as server-sent events.
async function* timeline(orderId) {
  for (let seen = ""; ; ) {
    const headers = { ...LOGIN, "Last-Event-ID": seen };
    const answer = await fetch(`${ADDRESS}/orders/${orderId}/events`, { headers });
    if (!answer.ok) throw new Problem(await answer.json());
    let rest = "";
    for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("id: ")) seen = line.slice("id: ".length);
        if (line.startsWith("data: ")) yield JSON.parse(line.slice("data: ".length));
      }
    }
    // The site ends a stream after a minute; whoever comes back misses nothing.
    await sleep(2_000);
  }
}

for await (const { sku, price, currency, name } of products()) {
  console.log(`${sku.padEnd(12)} ${price.padStart(8)} ${currency}  ${name}`);
}

const order = await place(101, ["book", { sku: "pen", quantity: 2 }]);
console.log(`\nOrder ${order.orderId}: ${order.total} ${order.currency}`);
for await (const { status, services } of timeline(order.orderId)) {
  const told = services.map(({ service, outcome }) => `${service}: ${outcome}`);
  console.log(`  ${status.padEnd(10)} ${told.join(", ")}`);
  if (status !== "placed") break;
}

try {
  await place(101, ["dragon"]);
} catch (problem) {
  if (!(problem instanceof Problem)) throw problem;
  console.log(`\nRefused with ${problem.status}, ${problem.type}`);
  for (const { field, detail, fix } of problem.errors) console.log(`  ${field}: ${detail}. ${fix}`);
}
