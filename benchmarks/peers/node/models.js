// MongoDB: every write is acknowledged by the majority.

import mongoose from "mongoose";

const { Schema } = mongoose;

const line = new Schema(
  {
    sku: { type: String, required: true },
    quantity: { type: Number, required: true, min: 1, max: 10_000 },
    unitCents: Number,
  },
  { _id: false },
);

const items = {
  type: [line],
  validate: { validator: (lines) => lines.length > 0, message: "An order needs an item." },
};

export const Order = mongoose.model(
  "Order",
  new Schema({
    userId: { type: Number, required: true, min: 1 },
    items,
    totalCents: Number,
    status: { type: String, default: "placed" },
    createdAt: { type: Date, default: Date.now },
  }),
);

export const Product = mongoose.model(
  "Product",
  new Schema({ _id: String, cents: Number, available: Number, reserved: Number }),
);

// The order's id is the key of both, so that neither can be there twice.
export const Reservation = mongoose.model(
  "Reservation",
  new Schema({ _id: String, state: String, items: [line], createdAt: { type: Date, default: Date.now } }),
);

export const Invoice = mongoose.model(
  "Invoice",
  new Schema({
    _id: String,
    userId: Number,
    items: [line],
    totalCents: Number,
    createdAt: { type: Date, default: Date.now },
  }),
);

export const isDuplicate = (error) => error.code === 11000;

export const connect = () =>
  mongoose.connect(process.env.MONGODB_URL, {
    dbName: process.env.MONGODB_DATABASE,
    writeConcern: { w: "majority" },
  });
