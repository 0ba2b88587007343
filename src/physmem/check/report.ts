/** A violation found by the whole-state checker: the invariant's number (physmem.md §10) and a sentence. */
export interface Violation {
  /** `I1` … `I38`. */
  readonly invariant: string;
  readonly what: string;
}

export class Report {
  readonly violations: Violation[] = [];

  /** Notes a violation unless the condition holds. `what` is built only then. */
  expect(invariant: string, condition: boolean, what: () => string): void {
    if (!condition) this.violations.push({ invariant, what: what() });
  }
}
