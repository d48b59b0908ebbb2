/* Endings as they are heard, on the memory store. */
import { describe, test } from "vitest";
import { endingCases } from "../../../support/endings/cases.ts";
import { open } from "../../../support/endings/steps.ts";
import { eventually } from "../../../support/eventually.ts";

endingCases({ describe, test, open, eventually });
