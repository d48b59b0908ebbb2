// Imports the entries of the package that are its arguments, and prints the modules that each loads.
import { register } from "node:module";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";

const { port1, port2 } = new MessageChannel();
const hooks = `
  let port;
  export const initialize = (data) => { port = data.port; };
  export async function resolve(specifier, context, next) {
    const { url, ...rest } = await next(specifier, context);
    port.postMessage({ from: context.parentURL, to: url });
    return { url, ...rest };
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`, {
  data: { port: port2 },
  transferList: [port2],
});

const entries = process.argv.slice(2);
for (const entry of entries) await import(entry);

/** By a module, those that it imports. */
const imports = new Map();
for (let got = receiveMessageOnPort(port1); got; got = receiveMessageOnPort(port1)) {
  const { from, to } = got.message;
  imports.set(from, [...(imports.get(from) ?? []), to]);
}

function loadedBy(module, seen = new Set()) {
  for (const one of imports.get(module) ?? []) {
    if (!seen.has(one)) loadedBy(one, seen.add(one));
  }
  return seen;
}

const loaded = entries.map((entry) => {
  const url = import.meta.resolve(entry);
  return [entry, [url, ...loadedBy(url)]];
});
console.log(JSON.stringify(Object.fromEntries(loaded)));
process.exit();
