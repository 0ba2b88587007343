/** Operations on names and memory: allocate, deallocate, release, copy, map, unmap, pin, unpin. */
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { AllocFlag, CapType, CopyFlag, PinFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { RpcReply } from '../../../src/abi/server.ts';
import { objectIndex } from '../../../src/physmem/control.ts';
import { UNBOUND } from '../../../src/physmem/frame.ts';
import type { Cell, ModelCopy, Outcome } from '../../../src/physmem/model.ts';
import { planAllocate, planCopy } from '../../../src/physmem/model-plan.ts';
import { PAGE, taskCap } from '../../unit/physmem/bench-top.ts';
import { type Arena, type Held, idOf, isSilent, PHYSMEM_CAP, pagesDone } from './arena.ts';
import type { Life } from './flights.ts';
import { isGateRefusal } from './gate.ts';

const WRITE = 2;
const NOTHING: Outcome = { errno: Errno.OK, pages: 0 };

/** Refusals for lack of a place, not of credit: only for what asks for a certain place. */
const isPlacement = (reply: RpcReply): boolean =>
  reply.errno === Errno.ENOMEM && (reply.words[1] === Reason.NO_BLOCK || reply.words[1] === Reason.NO_DMA);

export function allocate(
  w: Arena,
  task: number,
  held: Held,
  start: number,
  pages: number,
  flags: number,
): void {
  const { id } = held;
  const words = [start * PAGE, pages * PAGE, flags];
  let plan: Outcome = NOTHING;
  const begin = (): void => {
    plan = planAllocate(w.model, id, start, pages, flags, 'exact');
  };
  const asked = { what: 'allocate', task, op: Op.ALLOCATE, on: held.cap, words, begin };
  w.ask({ ...asked, subjects: w.subjectsOf(held), uses: [id] }, (reply, life) => {
    if (isGateRefusal(reply)) return;
    const wantsPlace = (flags & (AllocFlag.DMA | AllocFlag.CONTIGUOUS)) !== 0;
    if (!life.overlapped && !(wantsPlace && isPlacement(reply))) w.compare(reply, plan, 'allocate');
    else w.loosely(reply, planAllocate(w.model, id, start, pages, flags, 'names'), 'allocate');
    w.model.allocate(id, start, pagesDone(reply), flags, 'names');
  });
}

export function deallocate(w: Arena, task: number, held: Held, start: number, pages: number): void {
  const asked = {
    what: 'deallocate',
    task,
    op: Op.DEALLOCATE,
    on: held.cap,
    words: [start * PAGE, pages * PAGE],
  };
  w.ask({ ...asked, subjects: w.subjectsOf(held), uses: [held.id] }, (reply) => {
    if (!isGateRefusal(reply)) w.compare(reply, w.model.deallocate(held.id, start, pages), 'deallocate');
  });
}

export function release(w: Arena, task: number, held: Held, start: number, pages: number): void {
  const asked = {
    what: 'release',
    task,
    op: Op.RELEASE,
    on: held.cap,
    words: [start * PAGE, pages * PAGE, 0],
  };
  w.ask({ ...asked, subjects: w.subjectsOf(held), uses: [held.id] }, (reply, life) => {
    if (isGateRefusal(reply)) return;
    const isRenewed = (page: number): boolean => w.frameOf(held.id, page) === UNBOUND;
    // Another sharer may be on its way out: then this one was alone already.
    const rule = life.overlapped ? 'names' : 'exact';
    const amount = w.model.release(held.id, start, pages, isRenewed, rule);
    w.compare(reply, { errno: Errno.OK, pages: amount }, 'release');
  });
}

export interface CopyArgs {
  readonly from: number;
  readonly to: number;
  readonly pages: number;
  readonly flags: number;
}

/** Rights of a limited capability that a copy through it needs, beyond the one in the table of operations. */
const COPY_OUT = 32;

export function copy(w: Arena, task: number, source: Held, target: Held, args: CopyArgs): void {
  const isLimited = source.cap.type === CapType.LIMITED;
  const { from, to, pages, flags } = args;
  const rights = isLimited ? w.model.limiteds.get(source.id)!.rights : -1;
  if (isLimited && w.gate.isUnsure([{ kind: 'limited', id: source.id }])) return;
  const container = w.containerOf(source);
  const request: ModelCopy = {
    ...args,
    source: container,
    target: target.id,
    limited: isLimited ? source.id : 0,
  };
  const needed = COPY_OUT | ((flags & CopyFlag.MOVE) !== 0 ? 16 : (flags & CopyFlag.SHARED) !== 0 ? 3 : 0);
  const hasRights = (rights & needed) === needed;
  const subjects = [
    ...((rights & COPY_OUT) !== 0 ? w.subjectsOf(source) : []),
    ...(hasRights ? w.subjectsOf(target) : []),
  ];
  const words = [from * PAGE, to * PAGE, pages * PAGE, flags];
  let plan: Outcome = NOTHING;
  const begin = (): void => {
    plan = planCopy(w.model, request, 'exact');
  };
  const asked = {
    what: 'copy',
    task,
    op: Op.COPY,
    on: source.cap,
    words,
    caps: [target.cap],
    subjects,
    begin,
  };
  w.ask({ ...asked, uses: [container, target.id] }, (reply, life) => {
    if (isGateRefusal(reply)) return;
    if (!hasRights) {
      w.same(Errno[reply.errno], 'EPERM', 'copy without the right');
      return;
    }
    if (!life.overlapped) w.compare(reply, plan, 'copy');
    else w.loosely(reply, planCopy(w.model, request, 'names'), 'copy');
    finishCopy(w, { ...request, pages: pagesDone(reply) }, life);
  });
}

/** The model does what was done. Copies of pages that were written meanwhile have one of the values they had. */
function finishCopy(w: Arena, request: ModelCopy, life: Life): void {
  const { source, from, target, to, pages, flags } = request;
  const { names } = w.model.containers.get(source)!;
  const read: Cell[] = Array.from({ length: pages }, (_, i) => names.get(from + i)!.cell);
  w.model.copy(request, 'names');
  if ((flags & (CopyFlag.SHARED | CopyFlag.MOVE)) !== 0 || (source === target && from === to)) return;
  for (const [i, cell] of read.entries()) {
    // A copy of pinned memory is made at once (ADR 9): where each side has its own frame, the source stays writable.
    if (w.frameOf(source, from + i) === w.frameOf(target, to + i)) w.views.protect(cell, life.begun);
    const copied = w.model.containers.get(target)!.names.get(to + i)!.cell;
    const actual = w.valueOf(target, to + i)!;
    if (actual === copied.value) continue;
    w.same(w.journal.hadSince(cell, life.begun, actual), true, `copy of page ${from + i} reads as ${actual}`);
    copied.value = actual;
  }
}

export interface MapArgs {
  readonly space: number;
  readonly start: number;
  readonly pages: number;
  readonly at: number;
  readonly access: number;
  readonly flags: number;
}

export function map(w: Arena, task: number, source: Held, args: MapArgs): void {
  const { space, start, pages, at, access, flags } = args;
  const limited = source.cap.type === CapType.LIMITED ? source.id : 0;
  const container = w.containerOf(source);
  const isAllowed = limited === 0 || ((access | 1) & ~w.model.limiteds.get(limited)!.rights) === 0;
  const mapping = { space, at, pages, container, start };
  const words = [start * PAGE, pages * PAGE, at * PAGE, access, flags];
  const caps = space === task ? [] : [taskCap(space)];
  const subjects = [...w.subjectsOf(source), { kind: 'space', id: space } as const];
  const begin = (): void => void w.views.mappings.add(mapping);
  const asked = { what: 'map', task, op: Op.MAP, on: source.cap, words, caps, subjects, begin };
  w.ask({ ...asked, uses: [container] }, (reply, life) => {
    w.views.mappings.delete(mapping);
    if (!isAllowed) {
      if (!isGateRefusal(reply)) w.same(Errno[reply.errno], 'EPERM', 'map without the right');
      return;
    }
    const done = pagesDone(reply);
    checkMap(w, args, container, reply, life);
    const names = w.model.containers.get(container)?.names;
    // With NO_BREAK it may be less for some pages.
    const writable = (access & WRITE) !== 0;
    for (let i = 0; i < done && names !== undefined && w.model.spaces.has(space); i += 1) {
      const { cell } = names.get(start + i)!;
      const since = w.flights.clock;
      const target = { container, page: start + i, cell, limited, holder: task, since, writable };
      w.views.set(space, at + i, target, life.begun);
      const isPresent = w.top.kernel.translate(0, space, at + i, flags === 0 ? access & 3 : 1) !== null;
      if (!life.overlapped) w.same(isPresent, true, 'present after map');
    }
  });
}

function checkMap(w: Arena, args: MapArgs, container: number, reply: RpcReply, life: Life): void {
  const { space, start, pages } = args;
  const done = pagesDone(reply);
  const isThere = w.model.containers.has(container);
  const names = isThere ? w.model.mappable(container, start, pages) : { errno: Errno.OK, pages };
  w.same(done <= names.pages, true, `map: ${done} pages of ${names.pages}`);
  const reason = reply.errno === Errno.OK ? 0 : reply.words[1]!;
  if (isGateRefusal(reply) || (isSilent(reply) && w.hadLimbo(life))) return;
  if (reply.errno === Errno.ENOMEM && reason === Reason.NOT_SPONSORED) {
    const mayBe = !w.model.spaces.has(space) || w.gate.hasChanged([{ kind: 'space', id: space }], life.begun);
    w.same(mayBe, true, 'map: not sponsored');
    return;
  }
  if (reply.errno === Errno.ENOMEM && reason === Reason.NO_TABLE_CREDIT) {
    const { spaces } = w.model;
    if (!life.overlapped)
      w.same(w.model.free(spaces.get(space)!), 0, 'credit after a refusal for lack of it');
    return;
  }
  // Limbo can hold all memory that there is; nothing else may refuse a bind.
  if (reply.errno === Errno.ENOMEM && reason === Reason.NO_BLOCK && w.hadLimbo(life)) return;
  w.compare(reply, names, 'map');
}

export function unmap(w: Arena, task: number, at: number, pages: number): void {
  const asked = { what: 'unmap', task, op: Op.UNMAP, on: PHYSMEM_CAP, words: [at * PAGE, pages * PAGE] };
  w.ask({ ...asked, subjects: [], uses: [] }, (reply, life) => {
    w.same(Errno[reply.errno], 'OK', 'unmap');
    // A space that is on its way out goes as a whole.
    if (w.gate.hasChanged([{ kind: 'space', id: task }], life.begun)) return;
    for (let i = 0; i < pages; i += 1) {
      w.views.clear(task, at + i, life.begun);
      if (life.overlapped) continue;
      for (const core of w.top.kernel.tlbs.keys())
        w.same(w.top.kernel.translate(core, task, at + i, 1), null, 'absent after unmap');
    }
  });
}

export interface PinArgs {
  readonly start: number;
  readonly pages: number;
  readonly cycles: number;
  readonly flags: number;
}

export function pin(w: Arena, task: number, held: Held, args: PinArgs): void {
  const { start, pages, cycles, flags } = args;
  const begun = w.now;
  const words = [start * PAGE, pages * PAGE, cycles, flags];
  const asked = { what: 'pin', task, op: Op.PIN, on: held.cap, words, subjects: w.subjectsOf(held) };
  w.ask({ ...asked, uses: [held.id] }, (reply, life) => {
    if (isGateRefusal(reply) || (isSilent(reply) && w.hadLimbo(life))) return;
    const plan = w.model.planPin(held.id, start, pages);
    if (reply.errno !== Errno.OK) {
      const isFull = reply.errno === Errno.ENOMEM && (reply.words[1] === Reason.NO_DMA || life.overlapped);
      const isHeld = reply.errno === Errno.EBUSY && reply.words[1] === Reason.PINNED;
      const wantsPlace = (flags & PinFlag.DMA) !== 0;
      if (!((wantsPlace || w.hadLimbo(life) || life.overlapped) && (isFull || isHeld)))
        w.same(Errno[reply.errno], Errno[plan.errno], `pin (${reply.words.join(' ')})`);
      return;
    }
    w.same(
      plan.errno === Errno.OK || (life.overlapped && plan.errno === Errno.ENOMEM),
      true,
      'pin is possible',
    );
    const cap = reply.caps[0]!;
    const { until } = w.top.physmem.store.pins.table.at(objectIndex(idOf(cap)));
    w.same(until >= begun + cycles && until <= w.now + cycles, true, 'end of a pin');
    w.model.pin(idOf(cap), held.id, start, pages, task, until);
    w.pins.push({ cap, id: idOf(cap) });
  });
}

export function unpin(w: Arena, task: number, held: Held): void {
  w.model.expirePins(w.now);
  const isLive = w.model.pins.has(held.id);
  const asked = { what: 'unpin', task, op: Op.UNPIN, on: held.cap, words: [], subjects: [], uses: [] };
  w.ask(asked, (reply) => {
    w.same(Errno[reply.errno], isLive ? 'OK' : 'EBADF', 'unpin');
    if (isLive) w.model.unpin(held.id);
    w.pins = w.pins.filter(({ id }) => id !== held.id);
  });
}
