/*
 * Cases of the contract of frameworks, which either become tests, or are run by a test that has planted
 * a fault in an adapter.
 */
import type { Define } from "../../cases.ts";
import type { Adapter } from "../app.ts";
import type { Start } from "../contract/contract.ts";

export interface Framework extends Define {
  readonly start: Start;
  readonly adapter: Adapter;
}
