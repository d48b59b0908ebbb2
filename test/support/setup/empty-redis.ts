/* Empties the worker's Redis server before a file of tests: what earlier ones left is work for whatever scans. */
import { once } from "node:events";
import { connect } from "node:net";
import { redisUrl } from "../redis/shared.ts";

const { hostname, port } = new URL(redisUrl());
const socket = connect(Number(port), hostname);
socket.end("FLUSHALL\r\nQUIT\r\n");
await once(socket.resume(), "close");
