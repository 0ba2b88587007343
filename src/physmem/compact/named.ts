/** The shipped policies, composed of a mode and a chooser (src/abi/policy-spec.ts says how they are named). */
import { type PolicySpec, policyName } from '../../abi/policy-spec.ts';
import { cheapestBlock } from './cheapest-block.ts';
import { background, none, onDemand } from './modes.ts';
import type { Policy } from './policy.ts';
import { twoScanner } from './two-scanner.ts';

export function namedPolicy(spec: PolicySpec): Policy {
  const mode = spec.mode === 'none' ? none : spec.mode === 'on-demand' ? onDemand : background(spec);
  const choose = spec.chooser === 'two-scanner' ? twoScanner : cheapestBlock;
  const { grouping, batch } = spec;
  return { name: policyName(spec), grouping, batch, ...mode, choose };
}
