/* Hostile arguments for sessions, and for what requests have of them. */

import { useServers } from "./runs/servers.ts";
import { testTarget } from "./runs/targets.ts";
import { coreTargets } from "./surfaces/all.ts";

const servers = useServers();

for (const target of coreTargets) testTarget(target, servers);
