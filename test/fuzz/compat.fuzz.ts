/* Hostile arguments for the stores of middlewares, and for the APIs of the predecessors. */

import { useServers } from "./runs/servers.ts";
import { testTarget } from "./runs/targets.ts";
import { compatTargets } from "./surfaces/all.ts";

const servers = useServers();

for (const target of compatTargets) testTarget(target, servers);
