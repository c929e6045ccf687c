// RabbitMQ: quorum queues on a fanout, confirmed publishing, retries through each service's own queue.

import amqp from "amqplib";

const EXCHANGE = "order_events";
const SERVICES = ["inventory", "billing"];
const RETRY_DELAY_MILLISECONDS = 5_000;
const MAX_ATTEMPTS = 5;
const PREFETCH_MESSAGES = 32;

const SAFE = {
  "x-queue-type": "quorum",
  "x-dead-letter-strategy": "at-least-once",
  "x-overflow": "reject-publish",
};

export async function connect() {
  const connection = await amqp.connect(process.env.AMQP_URL);
  // Whoever started this process starts it again; unacked messages are delivered again.
  connection.on("close", () => process.exit(1));
  const channel = await connection.createConfirmChannel();
  await declare(channel);
  return channel;
}

async function declare(channel) {
  await channel.assertExchange(EXCHANGE, "fanout", { durable: true });
  for (const service of SERVICES) {
    await assertQueue(channel, service, deadLetteringTo(`${service}.retry`));
    await assertQueue(channel, `${service}.retry`, {
      ...deadLetteringTo(service),
      "x-message-ttl": RETRY_DELAY_MILLISECONDS,
    });
    await assertQueue(channel, `${service}.dlq`, { "x-queue-type": "quorum" });
    await channel.bindQueue(service, EXCHANGE, "");
  }
}

const assertQueue = (channel, name, settings) =>
  channel.assertQueue(name, { durable: true, arguments: settings });

const deadLetteringTo = (queue) => ({
  ...SAFE,
  "x-dead-letter-exchange": "",
  "x-dead-letter-routing-key": queue,
});

export const publishEvent = (channel, event) =>
  publish(channel, EXCHANGE, "", Buffer.from(JSON.stringify(event)));

// Resolves once the broker has confirmed the message.
function publish(channel, exchange, routingKey, body) {
  const settings = { persistent: true, contentType: "application/json" };
  return new Promise((resolve, reject) => {
    channel.publish(exchange, routingKey, body, settings, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

// Acks each message after `handle` has done its work; a failed one comes back later.
export async function consume(service, handle) {
  const channel = await connect();
  await channel.prefetch(PREFETCH_MESSAGES);
  await channel.consume(service, async (message) => {
    try {
      await handle(JSON.parse(message.content));
      channel.ack(message);
    } catch (error) {
      console.error(error);
      await retryOrGiveUp(channel, service, message);
    }
  });
}

async function retryOrGiveUp(channel, service, message) {
  const deaths = message.properties.headers?.["x-death"] ?? [];
  const failures = deaths.find((death) => death.queue === service)?.count ?? 0;
  if (failures + 1 < MAX_ATTEMPTS) {
    channel.nack(message, false, false);
    return;
  }
  await publish(channel, "", `${service}.dlq`, message.content);
  channel.ack(message);
}
