// Runs the contract suite on the memory store, and on one that is wrong, and prints what fails.
import { memoryStore } from "session-sets/memory";
import { storeContract } from "session-sets/testing";

/** What fails on stores of this kind, each test with the message of its error. */
async function failuresOn(open) {
  const runs = storeContract.map(async ({ name, run }) => {
    try {
      await run(async () => {
        let now = Date.now();
        const elapse = async (ms) => {
          now += ms;
        };
        return { store: open(() => now), elapse };
      });
    } catch (error) {
      return { name, error: error.name, message: error.message };
    }
    return null;
  });
  return (await Promise.all(runs)).filter((failure) => failure !== null);
}

/** A memory store that counts each set as empty. */
function countsNothing(now) {
  const store = memoryStore({ now });
  const count = async () => 0;
  return new Proxy(store, {
    get(_, name) {
      if (name === "count") return count;
      const value = Reflect.get(store, name, store);
      return typeof value === "function" ? value.bind(store) : value;
    },
  });
}

const names = storeContract.map(({ name }) => name);
const right = await failuresOn((now) => memoryStore({ now }));
const wrong = await failuresOn(countsNothing);
console.log(JSON.stringify({ names, right, wrong }));
