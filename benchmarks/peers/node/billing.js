// Issues one invoice for an order.

import { consume } from "./broker.js";
import { Invoice, connect, isDuplicate } from "./models.js";

async function issueInvoice({ orderId, userId, items, totalCents }) {
  try {
    await Invoice.create({ _id: orderId, userId, items, totalCents });
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
}

await connect();
await consume("billing", issueInvoice);
