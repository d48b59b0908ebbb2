import { testBrowserPairs } from "./browser-pairs.ts";

testBrowserPairs(["a user's old cookie"]);
