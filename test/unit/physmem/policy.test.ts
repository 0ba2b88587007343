/** Policies on trial: each rule of compact/judge.ts is broken once; the policy is stopped, and the system goes on. */
import { describe, expect, it } from 'vitest';
import { parsePolicyName } from '../../../src/abi/policy-spec.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import { fragmentationIndex, unusableIndex } from '../../../src/physmem/compact/indexes.ts';
import { PolicyRule } from '../../../src/physmem/compact/judge.ts';
import { namedPolicy } from '../../../src/physmem/compact/named.ts';
import {
  type Policy,
  PolicyEndlessError,
  type PolicyView,
  type Proposal,
} from '../../../src/physmem/compact/policy.ts';
import { BenchTop, outcome, PAGE } from './bench-top.ts';

const FRAMES = 5120;

/** A policy that compacts when asked, and answers `choose`. */
const answering = (choose: (view: PolicyView) => unknown, more: Partial<Policy> = {}): Policy => ({
  name: 'mine',
  onShortage: () => 'compact',
  background: () => null,
  choose: choose as Policy['choose'],
  ...more,
});

/** Fragmented memory, then a bind of 4 MiB under the policy. */
function bindUnder(policy: Policy) {
  const top = new BenchTop({ frames: FRAMES, dmaEnd: 1024, options: { policy, dmaReserve: 0 } });
  top.task(1);
  const a = top.container();
  top.afterEach = () => {};
  const pages = top.credit(top.root).free - 40;
  for (let page = 0; page < pages; page += 1) top.must(top.allocate(a, page, 1));
  for (let page = 0; page < pages; page += 1024) {
    top.must(top.map(1, a, page, Math.min(1024, pages - page), 0x40000 + page));
  }
  top.must(top.unmap(1, 0x40000, pages));
  for (let page = 0; page < pages; page += 1) if (page % 4 !== 0) top.must(top.deallocate(a, page, 1));
  top.must(top.call(Op.PIN, a, [2048 * PAGE, PAGE, 1e7, 0]));
  const b = top.container();
  top.must(top.allocate(b, 0, 1024));
  const bound = outcome(top.map(1, b, 0, 1024, 0x800));
  top.check();
  return { bound, stopped: top.physmem.store.compaction.stopped, top };
}

const firstWhere = (view: PolicyView, holds: (block: number) => boolean): number => {
  for (let block = 2; block < view.blocks; block += 1) if (holds(block)) return block * view.blockFrames;
  throw new Error('no such block');
};
const block = (frame: number, into?: readonly number[]): Proposal =>
  into === undefined ? { frame, order: 10 } : { frame, order: 10, into };

describe('a policy that breaks a rule is stopped, and the bind is done all the same', () => {
  it.each<[PolicyRule, RegExp, Policy]>([
    [
      PolicyRule.NO_THROW,
      /choose threw: oops/,
      answering(() => {
        throw new Error('oops');
      }),
    ],
    [
      PolicyRule.NO_THROW,
      /onShortage threw: 7/,
      answering(() => null, {
        onShortage: () => {
          throw 7;
        },
      }),
    ],
    [PolicyRule.FORM, /no proposal/, answering(() => ({ frame: 'here' }))],
    [PolicyRule.FORM, /no proposal/, answering(() => 'block 3')],
    [
      PolicyRule.FORM,
      /onShortage answered "yes"/,
      answering(() => null, { onShortage: () => 'yes' as 'fail' }),
    ],
    [PolicyRule.REGION, /order 9 was proposed, 10 is wanted/, answering(() => ({ frame: 2048, order: 9 }))],
    [PolicyRule.REGION, /not aligned/, answering(() => block(2049))],
    [PolicyRule.REGION, /outside zone Normal/, answering(() => block(0))],
    [PolicyRule.REGION, /outside zone Normal/, answering(() => block(FRAMES * 4))],
    [
      PolicyRule.PINS,
      /has 1 pinned frames/,
      answering((view) => block(firstWhere(view, (b) => view.pinned(b) > 0))),
    ],
    [PolicyRule.FIXED, /frames that cannot move/, answering(() => block(1024))],
    [
      PolicyRule.TARGETS,
      /block 99 is no target/,
      answering((view) =>
        block(
          firstWhere(view, (b) => view.pinned(b) + view.fixed(b) === 0),
          [99],
        ),
      ),
    ],
    [
      PolicyRule.TARGETS,
      /block \d+ is no target/,
      answering((view) => {
        const frame = firstWhere(view, (b) => view.movable(b) > 0 && view.pinned(b) + view.fixed(b) === 0);
        return block(frame, [frame / view.blockFrames]);
      }),
    ],
    [
      PolicyRule.END,
      /did not end/,
      answering(() => {
        throw new PolicyEndlessError('one call took longer than 2 s');
      }),
    ],
  ])('rule %i: %s', (rule, sentence, policy) => {
    const { bound, stopped } = bindUnder(policy);
    expect(bound).toEqual(['OK', 1024]);
    expect(stopped).toMatchObject({ policy: 'mine', rule });
    expect(stopped!.sentence).toMatch(sentence);
  });

  it('rule 6: an empty region', () => {
    const policy = answering((view) => block(firstWhere(view, (b) => view.free(b) === view.blockFrames)));
    const top = new BenchTop({ frames: FRAMES, dmaEnd: 1024, options: { policy } });
    const { compaction } = top.physmem.store;
    expect(compaction.choose({ zone: 1, order: 10 }, 0)).toBeNull();
    expect(compaction.stopped).toMatchObject({ rule: PolicyRule.USE });
    expect(compaction.stopped!.sentence).toMatch(/is free already/);
  });

  it('rule 8: more proposals for one goal than twice the blocks', () => {
    const emptied = (view: PolicyView): Proposal =>
      block(firstWhere(view, (b) => view.movable(b) > 0 && view.pinned(b) + view.fixed(b) === 0));
    const { top, stopped } = bindUnder(answering(emptied));
    expect(stopped).toBeNull();
    const { compaction, base } = top.physmem.store;
    const most = 2 * base.counts.blocks;
    expect(compaction.choose({ zone: 1, order: 10 }, most)).not.toBeNull();
    expect(compaction.choose({ zone: 1, order: 10 }, most + 1)).toBeNull();
    expect(compaction.stopped).toMatchObject({ rule: PolicyRule.END });
  });

  it('keeps its memory, and its disgrace, in a snapshot', () => {
    const policy = answering((view) => {
      view.memory[3] = 77;
      return 'nonsense';
    });
    const { top } = bindUnder(policy);
    const { compaction } = top.physmem.store;
    const saved = compaction.save();
    compaction.memory[3] = 0;
    compaction.stopped = null;
    compaction.load(saved);
    expect(compaction.memory[3]).toBe(77);
    expect(compaction.stopped).toMatchObject({ rule: PolicyRule.FORM });
  });
});

describe('names of policies', () => {
  it('are a mode, a chooser and grouping', () => {
    expect(parsePolicyName('background/two-scanner+grouping')).toMatchObject({
      mode: 'background',
      chooser: 'two-scanner',
      grouping: 'on',
    });
    expect(namedPolicy(parsePolicyName('on-demand')!).name).toBe('on-demand/cheapest-block');
    for (const name of ['none/two-scanner', 'sometimes', '', 'none+', 'on-demand/']) {
      expect(parsePolicyName(name)).toBe(null);
    }
  });
});

describe('the fragmentation indexes', () => {
  it('are those of the literature, by hand', () => {
    // 3 single frames, 1 pair, 1 of eight: F = 13, B = 5.
    const free = [3, 1, 0, 1];
    expect(unusableIndex(free, 0)).toBe(0);
    expect(unusableIndex(free, 1)).toBeCloseTo(3 / 13);
    expect(unusableIndex(free, 3)).toBeCloseTo(5 / 13);
    expect(fragmentationIndex(free, 3)).toBe(-1);
    expect(fragmentationIndex([3, 1, 0, 0], 3)).toBeCloseTo(1 - (1 + 5 / 8) / 4);
    expect([unusableIndex([0, 0], 1), fragmentationIndex([0, 0], 1)]).toEqual([0, 0]);
  });
});
