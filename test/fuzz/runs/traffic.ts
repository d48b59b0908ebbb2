/*
 * The commands that a server gets, as MONITOR shows them: those of clients and, after the script that
 * makes them, those of a script. Nothing else shows which keys a script uses.
 */
import { once } from "node:events";
import { Redis } from "ioredis";

/** A command as the server has carried it out. */
export interface Command {
  /** In lower case. */
  readonly name: string;
  /** As MONITOR writes them: what is not printable stands in escapes. */
  readonly args: readonly string[];
  readonly byScript: boolean;
  readonly keys: readonly string[];
  readonly writes: boolean;
}

interface Shape {
  readonly flags: readonly string[];
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

export class Traffic {
  /** For what a test itself asks and does: it is no part of the traffic. */
  readonly own: Redis;
  readonly #monitor: Redis;
  readonly #shapes: ReadonlyMap<string, Shape>;
  readonly #address: string;
  #seen: Command[] = [];
  #fences = 0;
  #onFence: (text: string) => void = () => {};

  private constructor(
    own: Redis,
    monitor: Redis,
    shapes: ReadonlyMap<string, Shape>,
    address: string,
  ) {
    this.own = own;
    this.#monitor = monitor;
    this.#shapes = shapes;
    this.#address = address;
    monitor.on("monitor", (_time: string, [name = "", ...args]: string[], source: string) => {
      if (source === this.#address) this.#onFence(args[0] ?? "");
      else this.#note({ name: name.toLowerCase(), args, byScript: source === "lua" });
    });
  }

  static async open(url: string): Promise<Traffic> {
    const own = new Redis(url);
    const shapes = new Map<string, Shape>();
    for (const [name, , flags, first, last, step] of (await own.call("COMMAND")) as Row[]) {
      shapes.set(name.toLowerCase(), { flags: flags.map(String), first, last, step });
    }
    const address = /\baddr=(\S+)/.exec(String(await own.client("INFO")))?.[1] ?? "";
    const monitor = await own.monitor();
    return new Traffic(own, monitor, shapes, address);
  }

  /** All that the server was told since this was last called, by anyone but the test itself. */
  async since(): Promise<readonly Command[]> {
    const fence = `fence ${this.#fences++}`;
    const passed = new Promise<void>((resolve) => {
      this.#onFence = (text) => {
        if (text === fence) resolve();
      };
    });
    await this.own.echo(fence);
    await passed;
    const seen = this.#seen;
    this.#seen = [];
    return seen;
  }

  async close(): Promise<void> {
    this.#monitor.disconnect();
    this.own.disconnect();
    if (this.own.status !== "end") await once(this.own, "end");
  }

  #note(command: Pick<Command, "name" | "args" | "byScript">): void {
    const { name, args } = command;
    const shape = this.#shapes.get(name);
    const writes = shape?.flags.includes("write") ?? true;
    this.#seen.push({ ...command, keys: listKeys(name, args, shape), writes });
  }
}

type Row = [
  name: string,
  arity: number,
  flags: unknown[],
  first: number,
  last: number,
  step: number,
];

/** The keys of a command; a command that the server does not know has its name for one. */
function listKeys(
  name: string,
  args: readonly string[],
  shape: Shape | undefined,
): readonly string[] {
  if (shape === undefined) return [name];
  if (/^(?:eval|evalsha)(?:_ro)?$/.test(name)) return args.slice(2, 2 + Number(args[1]));
  const { first, last, step } = shape;
  if (first === 0) return [];
  const end = last < 0 ? args.length + last : last - 1;
  return args.filter((_, i) => i >= first - 1 && i <= end && (i - first + 1) % step === 0);
}
