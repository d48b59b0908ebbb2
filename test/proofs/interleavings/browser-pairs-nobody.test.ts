import { testBrowserPairs } from "./browser-pairs.ts";

testBrowserPairs(["nobody's cookie", "nobody's bearer token"]);
