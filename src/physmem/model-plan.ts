/**
 * What an operation of the flat model can do, in plain loops over pages: names, then credit, then pins. Nothing here
 * changes anything.
 */
import { Errno } from '../abi/errno.ts';
import { AllocFlag, CopyFlag } from '../abi/rights.ts';
import type { Model, ModelCopy, Outcome } from './model.ts';

/**
 * `exact`: everything is as the model says. `names`: only names count, credit and pins do not; for operations beside
 * others, which may hold credit or pins that the model learns of later.
 */
export type Rule = 'exact' | 'names';

/** How much of an allocation can be done. Changes nothing. */
export function planAllocate(
  model: Model,
  id: number,
  start: number,
  pages: number,
  flags: number,
  rule: Rule,
): Outcome {
  const { control, names } = model.containers.get(id)!;
  const squash = (flags & AllocFlag.SQUASH) !== 0;
  let credit = rule === 'names' ? Number.POSITIVE_INFINITY : model.free(control);
  let amount = 0;
  let errno = Errno.OK;
  for (; amount < pages; amount += 1) {
    const name = names.get(start + amount);
    if (name !== undefined && !squash) errno = Errno.EEXIST;
    else if (name === undefined && credit === 0) errno = Errno.ENOMEM;
    else if (name !== undefined && name.cell.pins > 0 && rule === 'exact') errno = Errno.EBUSY;
    if (errno !== Errno.OK) break;
    if (name === undefined) credit -= 1;
  }
  const whole = AllocFlag.ALL_OR_NONE | AllocFlag.CONTIGUOUS;
  return errno !== Errno.OK && (flags & whole) !== 0 ? { errno, pages: 0 } : { errno, pages: amount };
}

/** How much of a copy can be done. Changes nothing. */
export function planCopy(model: Model, request: ModelCopy, rule: Rule): Outcome {
  const plan = prefixOfCopy(model, request, rule);
  const isPaidWhole = (request.flags & CopyFlag.MOVE) !== 0 && plan.errno === Errno.ENOMEM;
  const isWhole = (request.flags & CopyFlag.ALL_OR_NONE) !== 0 || isPaidWhole;
  return plan.errno !== Errno.OK && isWhole ? { errno: plan.errno, pages: 0 } : plan;
}

function prefixOfCopy(
  model: Model,
  { source, from, target, to, pages, flags }: ModelCopy,
  rule: Rule,
): Outcome {
  const src = model.containers.get(source)!;
  const dst = model.containers.get(target)!;
  const isMove = (flags & CopyFlag.MOVE) !== 0;
  const squash = (flags & CopyFlag.SQUASH) !== 0;
  let amount = 0;
  let errno = Errno.OK;
  for (; amount < pages; amount += 1) {
    if (!src.names.has(from + amount)) errno = Errno.ENOENT;
    else if (!squash && dst.names.has(to + amount)) errno = Errno.EEXIST;
    if (errno !== Errno.OK) break;
  }
  if (rule === 'names' || (source === target && from === to)) return { errno, pages: amount };
  const isFree = isMove && src.control === dst.control;
  let credit = model.free(dst.control);
  for (let i = 0; i < amount && !isFree; i += 1) {
    if (dst.names.has(to + i)) continue;
    if (credit === 0) {
      amount = i;
      errno = Errno.ENOMEM;
      break;
    }
    credit -= 1;
  }
  const paid = isMove && errno === Errno.ENOMEM ? 0 : amount;
  for (let i = 0; i < paid; i += 1) {
    if ((dst.names.get(to + i)?.cell.pins ?? 0) > 0) return { errno: Errno.EBUSY, pages: i };
  }
  return { errno, pages: amount };
}

/** Whether a page is written by one range and read or written by another, or moved away by two. */
export function needsOrder(
  isSelf: boolean,
  ranges: readonly (readonly [number, number, number])[],
  flags: number,
): boolean {
  return ranges.some(([from, to, pages], i) =>
    ranges.some(([otherFrom, otherTo, otherPages], j) => {
      if (i === j) return false;
      const meets = (a: number, b: number): boolean => a < b + otherPages && b < a + pages;
      const moved = (flags & CopyFlag.MOVE) !== 0 && meets(from, otherFrom);
      return moved || meets(to, otherTo) || (isSelf && meets(to, otherFrom));
    }),
  );
}
