/**
 * One system that runs the same scenario again and again, each time from the hand-over on, and judges what came out:
 * the whole-state checker at every end of a server operation, uses of stale translations, the checks of the scenario. How
 * the cores are interleaved, and which faults are on, is the caller's.
 */
import type { PlainData } from '../../emu/arch/ports.ts';
import { KernelEv, PhysmemEv } from '../abi/events.ts';
import { KernelBug } from '../kernel/bug.ts';
import { evaluateChecks } from '../scenario/checks.ts';
import { HostError } from '../scenario/host-error.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { type StopReason, System, type SystemConfig } from '../system.ts';
import { checkSystem } from '../system-check.ts';
import { DmaWatch } from './dma-watch.ts';
import { FrameWatch } from './frame-watch.ts';
import { StaleWatch } from './stale-watch.ts';

export interface Failure {
  /**
   * `state`: a rule of the checker; `check`: one of the scenario; `end`: it did not end well; `late`: a core did not answer
   * in time, which is reported and breaks no rule; `bug`: of this program.
   */
  readonly kind: 'state' | 'check' | 'end' | 'late' | 'bug';
  /** One sentence each, the first one first. */
  readonly sentences: readonly string[];
}

/** What a trial is judged by: what guests can see, the state of the system, or both. */
export type Judge = 'outcome' | 'state' | 'both';

export interface TrialOptions {
  readonly judge: Judge;
  readonly checks: Scenario['checks'];
  readonly maxInstructions: number;
  /** Whether a trial that does not end within them has failed. */
  readonly atLimit: 'fail' | 'accept';
  /** Whether a shootdown that is not answered in time ends a trial; without it that is only what may happen. */
  readonly late?: 'fail';
}

export interface TrialEnd {
  readonly stop: StopReason;
  readonly failure: Failure | null;
  readonly output: string;
  readonly instructions: number;
}

export class TrialBench {
  /** The system between trials and during one. A bug of a trial replaces it. */
  system: System;
  private readonly config: SystemConfig;
  private readonly decode: (bytes: Uint8Array) => string;
  private boot: PlainData;
  private written: number[] = [];
  /** Frames of the root controls at the hand-over: what I2 says is constant. */
  private rootFrames = 0;

  /** Boots the system. `decode` makes text of what guests write. @throws HostError when it never comes to the hand-over */
  constructor(config: SystemConfig, decode: (bytes: Uint8Array) => string) {
    this.config = config;
    this.decode = decode;
    this.system = new System(config);
    this.boot = this.bootUp();
  }

  /**
   * Runs one trial from the hand-over. `prepare` is called when the system stands there, and may change what changes in
   * a trial; `until` is asked between slices, and what `watch` then says is wrong ends the trial.
   */
  run(options: TrialOptions, prepare: (system: System) => void, extra: TrialWatch = NO_WATCH): TrialEnd {
    const { system } = this;
    system.restore(this.boot);
    this.written = [];
    prepare(system);
    const watch = new StateWatch(system, options.judge, this.rootFrames);
    try {
      return this.finish(options, watch, extra);
    } catch (error) {
      if (!(error instanceof Error) || error instanceof HostError) throw error;
      const what = error instanceof KernelBug ? error.message : `${error.name}: ${error.message}`;
      this.system = new System(this.config);
      this.boot = this.bootUp();
      return this.ended(system, { kind: 'idle' }, { kind: 'bug', sentences: [what] });
    } finally {
      watch.stop();
    }
  }

  private finish(options: TrialOptions, watch: StateWatch, extra: TrialWatch): TrialEnd {
    const { system } = this;
    const begin = system.instructions;
    for (;;) {
      const left = options.maxInstructions - (system.instructions - begin);
      const stop = system.run({
        maxInstructions: Math.max(0, left),
        until: () => watch.isDue || extra.isDue(),
      });
      const broken = [...watch.take(), ...(extra.isDue() ? extra.take(system) : [])];
      if (broken.length > 0) return this.ended(system, stop, { kind: 'state', sentences: broken });
      const late = watch.takeLate();
      if (late.length > 0 && options.late === 'fail')
        return this.ended(system, stop, { kind: 'late', sentences: late });
      if (stop.kind !== 'budget') return this.ended(system, stop, this.judgeEnd(options, stop));
      if (left > 0) continue;
      const isFailure = options.atLimit === 'fail';
      return this.ended(system, stop, isFailure ? tooLong(options.maxInstructions) : null);
    }
  }

  private judgeEnd({ judge, checks }: TrialOptions, stop: StopReason): Failure | null {
    if (judge !== 'outcome') {
      const broken = checkConserved(this.system, this.rootFrames);
      if (broken.length > 0) return { kind: 'state', sentences: broken };
    }
    if (judge === 'state') return null;
    if (stop.kind === 'shutdown' || stop.kind === 'reset') {
      return { kind: 'end', sentences: [`the machine ended by ${stop.kind}`] };
    }
    const exitStatus = stop.kind === 'exit' ? stop.status : null;
    const failed = evaluateChecks(checks, { exitStatus, output: this.output() }).filter(
      ({ result }) => result === 'failed',
    );
    if (failed.length === 0) return null;
    return { kind: 'check', sentences: failed.map(({ check, found }) => `${check}: ${found}`) };
  }

  private ended(system: System, stop: StopReason, failure: Failure | null): TrialEnd {
    return { stop, failure, output: this.output(), instructions: system.instructions };
  }

  private output(): string {
    return this.decode(Uint8Array.from(this.written));
  }

  private bootUp(): PlainData {
    const { system } = this;
    system.onConsole = (bytes) => {
      this.written.push(...bytes);
    };
    const stop = system.run({ until: () => system.physmem !== null });
    if (system.physmem === null) {
      throw new HostError(`the system did not boot: it ended by ${stop.kind}`);
    }
    this.rootFrames = framesOfRoots(system);
    return system.snapshot();
  }
}

/** The ends of what takes memory away or shares it: operations, and those requests that were answered at once. */
const CHECKED_AFTER: ReadonlySet<number> = new Set([KernelEv.OpDone, PhysmemEv.Deallocate, PhysmemEv.Copy]);

/** Something else to look at in the middle of a trial. */
export interface TrialWatch {
  isDue(): boolean;
  /** Broken rules. Called when it is due, and must make it not due. */
  take(system: System): readonly string[];
}

const NO_WATCH: TrialWatch = { isDue: () => false, take: () => [] };

/** The checker at the end of each operation, the watches of stale uses and of devices; nothing when only the outcome counts. */
class StateWatch {
  private readonly system: System;
  private readonly stale: StaleWatch | null;
  private readonly dma: DmaWatch | null;
  private readonly frames: FrameWatch | null;
  private readonly endListening: () => void;
  private readonly rootFrames: number;
  private operationEnded = false;

  constructor(system: System, judge: Judge, rootFrames: number) {
    this.system = system;
    this.rootFrames = rootFrames;
    this.stale = judge === 'outcome' ? null : new StaleWatch(system);
    this.dma = judge === 'outcome' ? null : new DmaWatch(system);
    this.frames = judge === 'outcome' ? null : new FrameWatch(system);
    this.endListening =
      judge === 'outcome'
        ? () => {}
        : system.trace.listen(({ kind }) => {
            if (CHECKED_AFTER.has(kind)) this.operationEnded = true;
          });
  }

  get isDue(): boolean {
    const watches = [this.stale, this.dma, this.frames];
    return this.operationEnded || watches.some((watch) => watch?.hasFound ?? false);
  }

  take(): readonly string[] {
    const used = [this.stale, this.dma, this.frames].flatMap((watch) => watch?.take() ?? []);
    if (!this.operationEnded) return used;
    this.operationEnded = false;
    return [...used, ...checkConserved(this.system, this.rootFrames)];
  }

  takeLate(): readonly string[] {
    return this.frames?.takeLate() ?? [];
  }

  stop(): void {
    this.endListening();
    this.stale?.stop();
    this.dma?.stop();
    this.frames?.stop();
  }
}

/** The checker of the whole state, and what it can not know: that credit is conserved over the run (I2). */
function checkConserved(system: System, rootFrames: number): readonly string[] {
  const broken = checkSystem(system);
  const now = framesOfRoots(system);
  if (now !== rootFrames)
    broken.push(`I2: the root controls have ${now} frames, not ${rootFrames} as at the hand-over`);
  return broken;
}

function framesOfRoots(system: System): number {
  let frames = 0;
  for (const { state, parent, total } of system.physmem?.store.controls.records ?? []) {
    if (state !== 'free' && parent === 0) frames += total;
  }
  return frames;
}

const tooLong = (instructions: number): Failure => ({
  kind: 'end',
  sentences: [`it did not end within ${instructions} instructions`],
});
