/* Watches, by MONITOR, what each script really sends on a server. */
import { Redis } from "ioredis";

export interface ScriptRun {
  /** Its digest, or its text where that was sent. */
  readonly script: string;
  /** The first key that it declares. */
  readonly key: string;
  /** All keys that it declares. */
  readonly keys: readonly string[];
  /** The commands that the script sent, in their order: the name in upper case, and the arguments. */
  readonly commands: readonly (readonly string[])[];
}

export interface ScriptWatch {
  /** The scripts that run on the server while something is done. */
  recordRuns(work: () => Promise<unknown>): Promise<ScriptRun[]>;
  stop(): void;
}

export async function watchScripts(url: string): Promise<ScriptWatch> {
  const asker = new Redis(url);
  await asker.ping(); // ioredis stumbles over what others do while its MONITOR begins
  const monitor = await asker.monitor();
  let runs: (ScriptRun & { readonly commands: string[][] })[] = [];
  const ends = new Set<string>();
  monitor.on("monitor", (_time: string, args: string[], source: string) => {
    const [name = "", ...rest] = args;
    const command = name.toUpperCase();
    if (source === "lua") runs.at(-1)?.commands.push([command, ...rest]);
    else if (command === "EVAL" || command === "EVALSHA") {
      const [script = "", count = "0", ...others] = rest;
      const keys = others.slice(0, Number(count));
      runs.push({ script, key: keys[0] ?? "", keys, commands: [] });
    } else if (command === "ECHO") ends.add(rest[0] ?? "");
  });

  /** Waits until everything that was sent up to now was seen: a last command tells. */
  async function catchUp(): Promise<void> {
    const end = `seen up to here ${Math.random()}`;
    await asker.echo(end);
    while (!ends.has(end)) await new Promise((resolve) => setImmediate(resolve));
  }

  return {
    async recordRuns(work) {
      await catchUp();
      runs = [];
      await work();
      await catchUp();
      return runs.filter(({ commands }) => commands.length > 0); // one that was not known ran none
    },
    stop() {
      for (const one of [asker, monitor]) one.disconnect();
    },
  };
}
