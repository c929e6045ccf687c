// POST /orders: save the order, publish it, answer once both are safe.

import express from "express";
import * as broker from "./broker.js";
import { Order, Product, connect } from "./models.js";

class UnknownSku extends Error {}

await connect();
const channel = await broker.connect();
const catalogue = new Map((await Product.find().lean()).map((product) => [product._id, product]));

function priced(item) {
  const product = catalogue.get(item.sku);
  if (!product) throw new UnknownSku(`${item.sku} is not in the catalogue.`);
  return { sku: item.sku, quantity: item.quantity, unitCents: product.cents };
}

async function placeOrder(request, response) {
  const { userId, items } = request.body;
  const lines = items.map(priced);
  const totalCents = lines.reduce((sum, line) => sum + line.quantity * line.unitCents, 0);
  const order = await Order.create({ userId, items: lines, totalCents });
  const { _id: orderId, ...rest } = order.toObject({ versionKey: false });
  const body = { orderId, ...rest };
  await broker.publishEvent(channel, body);
  response.status(201).json({ message: "Order placed successfully.", order: body });
}

function refuse(error, request, response, next) {
  const isClients = error instanceof UnknownSku || error.name === "ValidationError";
  if (!isClients) console.error(error);
  response.status(isClients ? 422 : 503).json({ title: error.message });
}

const app = express();
app.use(express.json());
app.post("/orders", placeOrder);
app.use(refuse);
app.listen(Number(process.env.WEB_PORT), "127.0.0.1");
