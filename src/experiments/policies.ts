/** The policies that experiments compare, by the short names of src/abi/policy-spec.ts. */
import { type PolicySpec, parsePolicyName } from '../abi/policy-spec.ts';

/** The policy of this name, with some of its numbers changed. */
export const policyNamed = (name: string, changes: Partial<PolicySpec> = {}): PolicySpec => ({
  ...parsePolicyName(name)!,
  ...changes,
});
