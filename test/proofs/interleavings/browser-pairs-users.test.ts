import { testBrowserPairs } from "./browser-pairs.ts";

testBrowserPairs(["a user's cookie", "a user's bearer token"]);
