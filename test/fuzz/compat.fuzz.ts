/* Hostile arguments for the stores of middlewares, and for the APIs of the predecessors. */
import { compatTargets } from "./all.ts";
import { useServers } from "./servers.ts";
import { testTarget } from "./targets.ts";

const servers = useServers();

for (const target of compatTargets) testTarget(target, servers);
