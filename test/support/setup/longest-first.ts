/* The order of the files: no long one begins when the others have ended. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** First those with long files, or with files that only wait. Within one vitest knows, or goes by the size. */
const PROJECTS = ["proofs", "http", "package", "docs", "store", "compat", "unit"];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ project }: TestSpecification) => PROJECTS.indexOf(project.name);
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
