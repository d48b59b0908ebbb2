import type { AddressInfo } from "node:net";
import { Redis } from "ioredis";
import { type AppOptions, createApp } from "./app.ts";
import { openRedis } from "./store/redis.ts";

const NAME = "ada";
const PASSWORD = "correct horse";

// By default the demo listens on this machine only, because the password isn't secret.
const { REDIS_URL, HOST = "localhost", PORT = "3000" } = process.env;
const redis = REDIS_URL ? connect(REDIS_URL) : null;
const options: AppOptions = redis
  ? { store: openRedis(redis, { prefix: "demo", timeout: "2 seconds" }) }
  : {};
const { app, users, sessions } = createApp(options);
// The user's id is fixed, so that her sessions in Redis are still hers after a restart.
await users.addSample(NAME, PASSWORD, "demo-user");

const server = app.listen(Number(PORT), HOST, () => {
  const { port } = server.address() as AddressInfo; // PORT=0 takes a free port
  console.log(`The demo is at http://${HOST}:${port}
  name      ${NAME}
  password  ${PASSWORD}
  sessions  in ${redis ? "Redis" : "memory; REDIS_URL=redis://localhost npm run demo keeps them in Redis"}`);
});
server.on("error", (error) => {
  console.error(`The demo cannot listen on port ${PORT} (${error.message}). Set PORT to another.`);
  process.exit(1);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    server.close(async () => {
      await sessions.close();
      redis?.disconnect();
    });
    server.closeAllConnections(); // open pages listen for as long as they may
  });
}

/** Creates a client that prints a message when Redis becomes unreachable, and another when it is back. */
function connect(url: string): Redis {
  const client = new Redis(url);
  let isDown = false;
  client.on("error", ({ message }: Error) => {
    if (isDown) return;
    isDown = true;
    const { host, port } = client.options;
    console.error(
      `Redis at ${host}:${port} cannot be reached: pages answer 503. ${message}`.trim(),
    );
  });
  client.on("ready", () => {
    if (isDown) console.log("Redis is back.");
    isDown = false;
  });
  return client;
}
