// Reserves all lines of an order, or none, once.

import mongoose from "mongoose";
import { consume } from "./broker.js";
import { Product, Reservation, connect, isDuplicate } from "./models.js";

class OutOfStock extends Error {}

async function reserve(order) {
  try {
    await mongoose.connection.transaction((session) => take(order, session));
  } catch (error) {
    if (error instanceof OutOfStock) await record(order, "rejected");
    else if (!isDuplicate(error)) throw error;
  }
}

async function take(order, session) {
  await record(order, "reserved", session);
  const statements = order.items.map(({ sku, quantity }) => ({
    updateOne: {
      filter: { _id: sku, available: { $gte: quantity } },
      update: { $inc: { available: -quantity, reserved: quantity } },
    },
  }));
  const { modifiedCount } = await Product.bulkWrite(statements, { session });
  if (modifiedCount !== statements.length) throw new OutOfStock();
}

const record = (order, state, session) =>
  Reservation.create([{ _id: order.orderId, state, items: order.items }], { session });

await connect();
await consume("inventory", reserve);
