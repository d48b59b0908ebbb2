/* Assertions about types: `same<Equal<A, B>>()` compiles only where A is B. */
export type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

export declare function same<_ extends true>(): void;
