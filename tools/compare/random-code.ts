/**
 * Random bytes as code (machine.md §7): no host exception, nothing outside RAM touched, and the same seed
 * gives the same state, whatever the guest does. The run is a list of lives: a life ends with a triple fault, a halt
 * or a lost hosted task, and the next one starts in the RAM that it left.
 */
import { CoreF, R, RunState } from '../../emu/arch/core-layout.ts';
import { type Engine, Exit } from '../../emu/arch/engine.ts';
import { Ev } from '../../emu/arch/events.ts';
import { type EngineContext, Interpreter } from '../../emu/cpu/index.ts';
import { RandomWorld, type Ring } from './random-world.ts';

export interface RandomRun {
  readonly instructions: number;
  readonly slices: number;
  readonly restarts: number;
  /** How often each Exit came, by name. */
  readonly exits: Readonly<Record<string, number>>;
  /** Exceptions by vector; empty unless `events` is `counted`. */
  readonly exceptions: Readonly<Record<number, number>>;
  /** FNV-1a over RAM, core block and TLB at the end. */
  readonly hash: number;
  readonly damage: string | null;
}

export interface RandomRunOptions {
  readonly seed: number;
  readonly ring: Ring;
  readonly instructions: number;
  /** With `counted` a sink listens; the state must come out the same. */
  readonly events?: 'off' | 'counted';
  readonly makeEngine?: (context: EngineContext) => Engine;
}

/** Slices after which the guards are looked at: the flat tables are 2 million words. */
const AUDIT_SLICES = 20_000;

export function runRandomCode(options: RandomRunOptions): RandomRun {
  const world = new RandomWorld(
    options.seed,
    options.ring,
    options.makeEngine ?? ((c) => new Interpreter(c)),
  );
  const { random, r } = world;
  const f = world.context.memory.f[0]!;
  const exits: Record<string, number> = {};
  const exceptions: Record<number, number> = {};
  if (options.events === 'counted') {
    world.context.events.sink = {
      emit: (kind, _core, _time, vector) => {
        if (kind === Ev.Exception) exceptions[vector] = (exceptions[vector] ?? 0) + 1;
      },
    };
  }
  let slices = 0;
  let restarts = 0;
  let damage: string | null = null;
  while (f[CoreF.INSTRUCTIONS]! < options.instructions && damage === null) {
    const exit = world.engine.run(0, 1 + random.below(400));
    slices++;
    exits[Exit[exit]!] = (exits[Exit[exit]!] ?? 0) + 1;
    if (exit === Exit.Interrupt) r[R.ATTENTION] = 0;
    if (r[R.RUN_STATE] === RunState.Shutdown || random.chance(1)) {
      world.restart();
      restarts++;
    } else if (exit !== Exit.Budget || random.chance(10)) {
      world.scatter();
    }
    if (slices % AUDIT_SLICES === 0) damage = world.damage();
  }
  damage ??= world.damage();
  const hash = stateHash(world);
  return { instructions: f[CoreF.INSTRUCTIONS]!, slices, restarts, exits, exceptions, hash, damage };
}

function stateHash(world: RandomWorld): number {
  const { memory } = world.context;
  let hash = 0x811c9dc5;
  const mix = (words: Int32Array): void => {
    for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i]!, 0x01000193);
  };
  mix(new Int32Array(memory.buffer, memory.layout.ram, memory.layout.ramBytes / 4));
  mix(world.r.subarray(0, 128));
  mix(memory.tlb[0]!);
  return hash >>> 0;
}
