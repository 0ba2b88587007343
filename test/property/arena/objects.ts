/** Operations on controls, containers, limited capabilities, locks and tasks. */
import { Errno } from '../../../src/abi/errno.ts';
import { CapType, ContainerRight } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import { objectIndex } from '../../../src/physmem/control.ts';
import { taskCap } from '../../unit/physmem/bench-top.ts';
import { type Arena, type Held, idOf, isSilent } from './arena.ts';
import { isGateRefusal } from './gate.ts';

const SPACE_FRAMES = 3;

export function split(w: Arena, task: number, control: Held, frames: number): void {
  const subjects = [{ kind: 'control', id: control.id }] as const;
  const asked = {
    what: 'split',
    task,
    op: Op.CONTROL_SPLIT,
    on: control.cap,
    words: [frames],
    subjects,
    uses: [],
  };
  w.ask(asked, (reply, life) => {
    if (isGateRefusal(reply)) return;
    const child = reply.caps[0];
    const isEnough = frames > 0 && frames <= w.model.free(control.id);
    const errno = frames === 0 ? Errno.EINVAL : isEnough ? Errno.OK : Errno.ENOMEM;
    if (!life.overlapped || frames === 0) w.same(Errno[reply.errno], Errno[errno], 'split');
    if (child === undefined) return;
    w.model.controls.set(idOf(child), { total: frames, parent: control.id });
    w.controls.push({ cap: child, id: idOf(child) });
  });
}

export function create(w: Arena, task: number, control: Held): void {
  const subjects = [{ kind: 'control', id: control.id }] as const;
  w.ask(
    { what: 'create', task, op: Op.CONTAINER_CREATE, on: control.cap, words: [], subjects, uses: [] },
    (reply) => {
      if (isGateRefusal(reply)) return;
      w.same(Errno[reply.errno], 'OK', 'create');
      const cap = reply.caps[0]!;
      w.model.containers.set(idOf(cap), { control: control.id, names: new Map() });
      w.containers.push({ cap, id: idOf(cap) });
    },
  );
}

export function sponsor(w: Arena, task: number, control: Held, who: number): void {
  const asked = {
    what: 'sponsor',
    task,
    op: Op.CONTROL_SPONSOR,
    on: control.cap,
    words: [],
    caps: [taskCap(who)],
    subjects: [{ kind: 'control', id: control.id }],
    uses: [],
  } as const;
  if (w.doomed.has(who) || w.gate.isUnsure([{ kind: 'space', id: who }])) return;
  w.ask(asked, (reply, life) => {
    if (isGateRefusal(reply)) return;
    const isNew = !w.model.spaces.has(who);
    const errno = !isNew ? Errno.EEXIST : w.model.free(control.id) < SPACE_FRAMES ? Errno.ENOMEM : Errno.OK;
    if (!life.overlapped) w.same(Errno[reply.errno], Errno[errno], 'sponsor');
    if (reply.errno !== Errno.OK) return;
    w.model.spaces.set(who, control.id);
    w.gate.changed('space', who, w.flights.clock);
  });
}

/** Controls of a subtree, the root of it first. */
function subtree(w: Arena, control: number): number[] {
  const found = [control];
  for (let i = 0; i < found.length; i += 1) {
    for (const [id, { parent }] of w.model.controls) if (parent === found[i]) found.push(id);
  }
  return found;
}

export function destroyControl(w: Arena, task: number, control: Held): void {
  const doomed = subtree(w, control.id);
  const containers = [...w.model.containers]
    .filter(([, { control: c }]) => doomed.includes(c))
    .map(([id]) => id);
  const spaces = [...w.model.spaces].filter(([, payer]) => doomed.includes(payer)).map(([who]) => who);
  if (containers.some((id) => w.flux.has(id)) || spaces.includes(task)) return;
  const isRoot = w.model.controls.get(control.id)!.parent === 0;
  const subjects = [{ kind: 'control', id: control.id }] as const;
  const asked = {
    what: 'destroy control',
    task,
    op: Op.CONTROL_DESTROY,
    on: control.cap,
    words: [],
    subjects,
  };
  const begin = (): void => {
    if (isRoot) return;
    for (const id of doomed) w.gate.dying.add(`control${id}`);
    for (const id of containers) w.gate.dying.add(`container${id}`);
    for (const who of spaces) w.gate.begin('space', who);
    for (const id of doomed) w.gate.begin('control', id);
    for (const id of containers) w.gate.begin('container', id);
  };
  w.ask({ ...asked, uses: containers, begin }, (reply) => {
    if (isRoot) {
      w.same(Errno[reply.errno], 'EPERM', 'destroy of the root control');
      return;
    }
    w.same(Errno[reply.errno], 'OK', 'destroy control');
    w.model.destroyControl(control.id);
    const clock = w.flights.clock;
    for (const who of spaces) {
      w.views.dropSpace(who);
      w.gate.settled('space', who, clock);
    }
    for (const id of doomed) w.gate.settled('control', id, clock);
    for (const id of containers) w.gate.settled('container', id, clock);
    w.forgetDead();
  });
}

export function destroyContainer(w: Arena, task: number, container: Held): void {
  const subjects = w.subjectsOf(container);
  if (w.gate.isUnsure(subjects)) return;
  const begin = (): void => {
    w.gate.dying.add(`container${container.id}`);
    w.gate.begin('container', container.id);
  };
  const asked = { what: 'destroy', task, op: Op.CONTAINER_DESTROY, on: container.cap, words: [], subjects };
  w.ask({ ...asked, uses: [container.id], begin }, (reply) => {
    const held = w.model.containers.get(container.id);
    w.same(Errno[reply.errno], 'OK', 'destroy');
    // Beside the destruction of its control, either of the two empties it.
    if (held !== undefined) {
      w.model.destroyContainer(container.id);
      w.forgetDead();
    }
    w.gate.settled('container', container.id, w.flights.clock);
  });
}

export function share(w: Arena, task: number, from: Held, rights: number): void {
  const isLimited = from.cap.type === CapType.LIMITED;
  const parent = isLimited ? w.model.limiteds.get(from.id)! : null;
  const mayShare = parent === null || (parent.rights & ContainerRight.SHARE) !== 0;
  const subjects = mayShare ? w.subjectsOf(from, 'ignored') : [];
  w.ask({ what: 'share', task, op: Op.SHARE, on: from.cap, words: [rights], subjects, uses: [] }, (reply) => {
    if (isGateRefusal(reply)) return;
    const isAllowed = mayShare && (parent === null || (rights & ~parent.rights) === 0);
    w.same(Errno[reply.errno], isAllowed ? 'OK' : 'EPERM', 'share');
    const cap = reply.caps[0];
    if (cap === undefined) return;
    const container = parent === null ? from.id : parent.container;
    w.model.limiteds.set(idOf(cap), { container, parent: isLimited ? from.id : 0, rights });
    w.limiteds.push({ cap, id: idOf(cap) });
  });
}

/** A limited capability with all that was derived from it. */
function derived(w: Arena, limited: number): number[] {
  const found = [limited];
  for (let i = 0; i < found.length; i += 1) {
    for (const [id, { parent }] of w.model.limiteds) if (parent === found[i]) found.push(id);
  }
  return found;
}

/** Containers that lose names when limited capabilities die, and those that took them on from there. */
function cutContainers(w: Arena, limiteds: readonly number[]): number[] {
  const cut = new Set<number>();
  for (let before = -1; before !== cut.size; ) {
    before = cut.size;
    for (const [id, { names }] of w.model.containers) {
      for (const { via } of names.values()) {
        if (via === 0) continue;
        const isOnward = cut.has(w.model.limiteds.get(via)?.container ?? 0);
        if (limiteds.includes(via) || isOnward) cut.add(id);
      }
    }
  }
  return [...cut];
}

export function revoke(w: Arena, task: number, limited: Held): void {
  const { container } = w.model.limiteds.get(limited.id)!;
  const owner = w.containers.find(({ id }) => id === container);
  if (owner === undefined) return;
  const victims = derived(w, limited.id);
  const cut = cutContainers(w, victims);
  if (cut.length > 0 && w.flights.aloft.some(({ uses }) => uses.length > 0)) return;
  const subjects = [...w.subjectsOf(owner, 'ignored'), { kind: 'limited', id: limited.id }] as const;
  const begin = (): void => {
    for (const id of cut) w.flux.add(id);
    for (const id of victims) w.gate.begin('limited', id);
    // A lock may not begin while a revocation waits for the end of one.
    w.gate.begin('container', container);
  };
  const asked = {
    what: 'revoke',
    task,
    op: Op.REVOKE,
    on: owner.cap,
    words: [],
    caps: [limited.cap],
    subjects,
  };
  w.ask({ ...asked, uses: [container], begin }, (reply) => {
    for (const id of cut) w.flux.delete(id);
    const clock = w.flights.clock;
    for (const id of victims) w.gate.settled('limited', id, clock);
    w.gate.settled('container', container, clock);
    if (isGateRefusal(reply)) return;
    w.same(Errno[reply.errno], 'OK', 'revoke');
    if (!w.model.limiteds.has(limited.id)) return;
    const dead = derived(w, limited.id);
    w.model.revoke(limited.id);
    w.views.drop((target) => dead.includes(target.limited));
    w.forgetDead();
  });
}

export function lock(w: Arena, task: number, held: Held, cycles: number): void {
  const through = held.cap.type === CapType.LIMITED ? held.id : 0;
  const hasRight = through === 0 || (w.model.limiteds.get(through)!.rights & ContainerRight.LOCK) !== 0;
  const container = w.containerOf(held);
  const subjects = hasRight ? w.subjectsOf(held, 'ignored') : [];
  const begun = w.now;
  const begin = (): void => w.gate.begin('container', container);
  const asked = { what: 'lock', task, op: Op.LOCK, on: held.cap, words: [cycles], subjects };
  w.ask({ ...asked, uses: [container], begin }, (reply, life) => {
    w.gate.settled('container', container, w.flights.clock);
    if (isSilent(reply) && w.hadLimbo(life)) return;
    if (!hasRight) w.same(Errno[reply.errno], 'EPERM', 'lock without the right');
    const old = w.model.lockOf(container, w.now);
    if (
      !life.overlapped &&
      hasRight &&
      w.model.containers.has(container) &&
      !w.gate.dying.has(`container${container}`)
    )
      w.same(Errno[reply.errno], old === null ? 'OK' : 'EBUSY', 'lock');
    if (reply.errno !== Errno.OK) return;
    w.same(old, null, 'two locks at once');
    const { lockUntil } = w.top.physmem.store.containers.at(objectIndex(container));
    // It may have ended already: by unlock, or with its holder.
    const isOn = lockUntil !== 0;
    if (isOn) w.same(lockUntil >= begun + cycles && lockUntil <= w.now + cycles, true, 'end of a lock');
    w.model.containers.get(container)!.lock = isOn ? { task, limited: through, until: lockUntil } : null;
    // I27. What the holder mapped through this capability stays.
    w.views.drop((t) => t.container === container && !(t.holder === task && t.limited === through));
  });
}

export function unlock(w: Arena, task: number, held: Held): void {
  const through = held.cap.type === CapType.LIMITED ? held.id : 0;
  const hasRight = through === 0 || (w.model.limiteds.get(through)!.rights & ContainerRight.LOCK) !== 0;
  const container = w.containerOf(held);
  const named = hasRight ? w.subjectsOf(held, 'ignored') : [];
  const subjects = named.map((subject) => ({ ...subject, dying: 'accepted' as const }));
  const isUnsure = w.gate.isUnsure(subjects);
  w.ask({ what: 'unlock', task, op: Op.UNLOCK, on: held.cap, words: [], subjects, uses: [] }, (reply) => {
    if (isGateRefusal(reply)) return;
    const own = w.model.lockOf(container, w.now);
    const isHolder = hasRight && own?.task === task && own.limited === through;
    if (!isUnsure) w.same(Errno[reply.errno], isHolder ? 'OK' : 'EPERM', 'unlock');
    if (reply.errno !== Errno.OK) return;
    w.model.containers.get(container)!.lock = null;
    w.gate.changed('container', container, w.flights.clock);
  });
}

/** A task dies; as in the kernel, when none of its operations is in flight. */
export function die(w: Arena, task: number): void {
  if (w.doomed.has(task) || w.flights.aloft.some((flight) => flight.task === task)) return;
  w.doomed.add(task);
  w.operations += 1;
  w.gate.begin('space', task);
  w.model.taskDied(task);
  for (const { id } of w.containers) w.gate.changed('container', id, w.flights.clock + 1);
  w.pins = w.pins.filter(({ id }) => w.model.pins.has(id));
  w.tell('death', w.top.physmem.taskDied(task), () => {
    w.model.spaces.delete(task);
    w.views.dropSpace(task);
    w.views.drop(({ holder }) => holder === task);
    w.gate.settled('space', task, w.flights.clock);
    w.doomed.delete(task);
  });
}
