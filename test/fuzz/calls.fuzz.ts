/* Hostile arguments for sessions, and for what requests have of them. */
import { coreTargets } from "./all.ts";
import { useServers } from "./servers.ts";
import { testTarget } from "./targets.ts";

const servers = useServers();

for (const target of coreTargets) testTarget(target, servers);
