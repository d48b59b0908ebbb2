import { SessionCore } from "../../../sessions/session-core.ts";
import type { FieldChanges } from "../../../store/contract.ts";

/**
 * The core of a middleware's sessions. Its references are declared as no identities, so that session
 * sets may change them. They are stored as identities all the same, as they are by a save.
 */
export class StoreCore extends SessionCore {
  override async encodeChanges(values: object, unset: readonly string[]): Promise<FieldChanges> {
    const changes = await super.encodeChanges(values, unset);
    const references = changes.references.map((one) => ({ ...one, identity: true }));
    return { ...changes, references };
  }
}
