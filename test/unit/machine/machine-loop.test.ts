import { describe, expect, it } from 'vitest';
import { PORT_EXIT, PORT_HAND_OVER } from '../../../emu/arch/address-map.ts';
import { Attention, CoreF, Flag, R, RunState } from '../../../emu/arch/core-layout.ts';
import { type Engine, Exit } from '../../../emu/arch/engine.ts';
import type { EngineContext } from '../../../emu/cpu/index.ts';
import type { HostedKernel } from '../../../emu/hosted-kernel.ts';
import { Machine } from '../../../emu/machine.ts';
import type { MachineConfig } from '../../../emu/machine-config.ts';

/**
 * An engine whose "instructions" are calls of `act`: it shows what the machine does around an engine. `act` may
 * return an exit; without one the core goes on.
 */
class ScriptEngine implements Engine {
  readonly name = 'script';
  /** Lengths of the slices, by core, in order. */
  readonly slices: [core: number, instructions: number][] = [];
  act: (core: number) => Exit | undefined = () => undefined;
  private readonly context: EngineContext;

  constructor(context: EngineContext) {
    this.context = context;
  }

  run(core: number, budget: number): Exit {
    const { memory, trapMode } = this.context;
    const r = memory.r[core]!;
    const f = memory.f[core]!;
    const before = f[CoreF.INSTRUCTIONS]!;
    let exit = Exit.Budget;
    for (let n = 0; n < budget && exit === Exit.Budget; n++) {
      const open = (r[R.EFLAGS]! & Flag.IF) !== 0 && (r[R.ATTENTION]! & Attention.Interrupt) !== 0;
      if (open && trapMode === 'hosted') return Exit.Interrupt;
      f[CoreF.INSTRUCTIONS]! += 1;
      f[CoreF.CYCLES]! += 1;
      exit = this.act(core) ?? Exit.Budget;
      if (exit === Exit.Halt) r[R.RUN_STATE] = RunState.Halted;
      if (exit === Exit.Budget && (r[R.ATTENTION]! & Attention.Stop) !== 0) exit = Exit.Stop;
    }
    this.slices.push([core, f[CoreF.INSTRUCTIONS]! - before]);
    return exit;
  }
  invalidateCode(): void {}
  reset(): void {}
}

function make(config: Partial<MachineConfig> = {}) {
  let engine!: ScriptEngine;
  const machine = new Machine({
    rom: new Uint8Array(65536),
    ramBytes: 4 << 20,
    cores: 2,
    ...config,
    engine: (context) => (engine = new ScriptEngine(context)),
  });
  const out = (port: number, value: number, core = 0) => machine.io.write(port, 1, value, core);
  return { machine, engine, out };
}

/** A kernel that writes down what it is told, and starts core 1 idle. */
function attachKernel(machine: Machine): string[] {
  const log: string[] = [];
  const kernel: HostedKernel = {
    handOver: () => {
      log.push('hand-over');
      for (const { r } of machine.cores) r[R.RUN_STATE] = RunState.Halted;
    },
    trap: (core, vector, code) => void log.push(`trap ${core} ${vector} ${code}`),
    interrupt: (core, vector) => {
      log.push(`interrupt ${core} ${vector} at ${machine.cores[core]!.f[CoreF.CYCLES]}`);
      machine.eoi(core);
    },
  };
  machine.attach(kernel);
  return log;
}

/** Brings a machine with a kernel to the hand-over. */
function handedOver(config: Partial<MachineConfig> = {}) {
  const made = make(config);
  const log = attachKernel(made.machine);
  made.engine.act = () => {
    made.out(PORT_HAND_OVER, 1);
  };
  made.machine.step();
  made.engine.act = () => undefined;
  for (const lapic of made.machine.lapics) lapic.write(0xf0, 0x1ff);
  return { ...made, log };
}

describe('the machine loop', () => {
  it('runs core 0 from reset and leaves the others waiting for a SIPI', () => {
    const { machine, engine } = make({ cores: 3 });
    machine.run({ maxInstructions: 5000 });
    expect(new Set(engine.slices.map(([core]) => core))).toEqual(new Set([0]));
    expect(machine.instructions).toBe(5000);
  });

  it('ends with the status of the exit port and does not run on', () => {
    const { machine, engine, out } = make();
    let n = 0;
    engine.act = () => {
      if (++n === 10) out(PORT_EXIT, 3);
    };
    expect(machine.run()).toEqual({ kind: 'exit-port', core: 0, status: 7 });
    expect(machine.instructions).toBe(10);
    expect(machine.step()).toBe(false);
    expect(machine.stopReason).toEqual({ kind: 'exit-port', core: 0, status: 7 });
  });

  it('is idle when every core is halted and no timer is armed, and goes on when something comes', () => {
    const { machine, engine, out } = make();
    engine.act = () => Exit.Halt;
    expect(machine.run()).toEqual({ kind: 'idle' });
    machine.lapics[0]!.setLint1(0);
    machine.cores[0]!.r[R.ATTENTION]! |= Attention.Nmi;
    engine.act = () => {
      out(PORT_EXIT, 0);
    };
    expect(machine.run().kind).toBe('exit-port');
  });

  it('is idle too when a periodic timer fires for ever and wakes nobody', () => {
    const { machine, engine } = make();
    engine.act = () => Exit.Halt;
    const [lapic] = machine.lapics;
    lapic!.write(0x3e0, 0xb);
    lapic!.write(0x320, 0x30020);
    lapic!.write(0x380, 1);
    expect(machine.run()).toEqual({ kind: 'idle' });
  });

  it('ends with the fault when a core shuts down', () => {
    const { machine, engine } = make();
    engine.act = (core) => {
      const { r } = machine.cores[core]!;
      r[R.FAULT_VECTOR] = 14;
      r[R.FAULT_EIP] = -16;
      r[R.CR2] = 0x1234;
      return Exit.Shutdown;
    };
    const fault = { vector: 14, errorCode: 0, eip: 0xfffffff0, cr2: 0x1234 };
    expect(machine.run()).toEqual({ kind: 'shutdown', core: 0, fault });
  });

  it('ends with reset when the guest pulls the reset line', () => {
    const { machine, engine, out } = make();
    engine.act = () => {
      out(0x64, 0xfe);
    };
    expect(machine.run()).toEqual({ kind: 'reset' });
  });

  it('stops after the current instruction when asked, and continues the same slice', () => {
    const { machine, engine } = make();
    engine.act = () => {
      if (machine.instructions === 7) machine.stop();
    };
    expect(machine.run()).toEqual({ kind: 'stopped' });
    expect(machine.instructions).toBe(7);
    machine.step();
    const whole = make();
    whole.machine.step();
    expect(machine.instructions).toBe(whole.machine.instructions);
  });

  it('does the same whether it is run in one go or in pieces', () => {
    const trace = (pieces: readonly number[]) => {
      const { machine, engine } = make();
      machine.cores[1]!.r[R.RUN_STATE] = RunState.Running;
      const order: number[] = [];
      engine.act = (core) => {
        order.push(core);
      };
      for (const maxInstructions of pieces) machine.run({ maxInstructions });
      return order;
    };
    expect(trace([1, 2, 3, 500, 9494])).toEqual(trace([10_000]));
  });

  it('ends a run at maxCycles and when until says so', () => {
    const { machine } = make({ quantum: 10 });
    expect(machine.run({ maxCycles: 100 })).toEqual({ kind: 'budget' });
    expect(machine.cycles).toBeGreaterThanOrEqual(100);
    expect(machine.cycles).toBeLessThan(120);
    machine.run({ until: () => machine.cycles >= 200 });
    expect(machine.cycles).toBeLessThan(220);
  });

  it('keeps the cores within a quantum and a slice of each other', () => {
    const { machine } = make({ quantum: 100 });
    machine.cores[1]!.r[R.RUN_STATE] = RunState.Running;
    for (let i = 0; i < 100; i++) {
      machine.step();
      const [a, b] = machine.cores.map(({ f }) => f[CoreF.CYCLES]!);
      expect(Math.abs(a! - b!)).toBeLessThanOrEqual(100 + 150);
    }
  });

  it('ends a slice at the next timer, even when the timer is armed within the slice', () => {
    const { machine, engine } = make();
    const fired: number[] = [];
    const timer = { name: 't', fire: () => void fired.push(machine.cores[0]!.f[CoreF.CYCLES]!) };
    engine.act = () => {
      if (machine.instructions === 10) machine.clock.arm(timer, 50);
    };
    machine.run({ maxInstructions: 200 });
    expect(fired).toEqual([50]);
  });
});

describe('the hand-over and the trap line', () => {
  it('gives the machine to the kernel once, right after the OUT', () => {
    const { machine, log } = handedOver();
    expect(log).toEqual(['hand-over']);
    expect(machine.instructions).toBe(1);
  });

  it('ignores the hand-over port when no kernel is attached', () => {
    const { machine, engine, out } = make();
    engine.act = () => {
      out(PORT_HAND_OVER, 1);
    };
    expect(machine.run({ maxInstructions: 10 })).toEqual({ kind: 'budget' });
  });

  it('ignores the hand-over port when it has handed over', () => {
    const { machine, engine, log, out } = handedOver();
    machine.wake(0);
    engine.act = () => {
      out(PORT_HAND_OVER, 1);
    };
    machine.run({ maxInstructions: 10 });
    expect(log).toEqual(['hand-over']);
  });

  it('hands traps of ring 3 to the kernel', () => {
    const { machine, engine, log } = handedOver();
    machine.wake(0);
    engine.act = (core) => {
      const { r } = machine.cores[core]!;
      r[R.EXIT_VECTOR] = 14;
      r[R.FAULT_ERROR] = 6;
      return Exit.Trap;
    };
    machine.step();
    expect(log.at(-1)).toBe('trap 0 14 6');
  });

  it('delivers an IPI to a halted core at the time of its arrival, and the kernel lets it sleep', () => {
    const { machine, log } = handedOver();
    machine.wake(0);
    machine.run({ maxInstructions: 500 });
    const sent = machine.cores[0]!.f[CoreF.CYCLES]!;
    machine.clock.pause(sent);
    machine.sendIpi(0, 1, 0x50);
    machine.run({ maxInstructions: 5000 });
    const { ipiDeliver } = machine.settings.costs;
    expect(log.at(-1)).toBe(`interrupt 1 80 at ${sent + ipiDeliver}`);
    expect(machine.cores[1]!.r[R.RUN_STATE]).toBe(RunState.Halted);
    expect(machine.cores[1]!.f[CoreF.INSTRUCTIONS]).toBe(0);
  });

  it('interrupts a running core not before the IPI has arrived', () => {
    const { machine, log } = handedOver({ quantum: 200 });
    for (const core of [0, 1]) {
      machine.wake(core);
      machine.cores[core]!.r[R.EFLAGS]! |= Flag.IF;
    }
    const sent = machine.clock.now();
    machine.sendIpi(0, 1, 0x50);
    machine.run({ maxInstructions: 6000 });
    const at = Number(log.at(-1)!.split(' ').at(-1));
    expect(log.at(-1)).toMatch(/^interrupt 1 80/);
    expect(at).toBeGreaterThanOrEqual(sent + machine.settings.costs.ipiDeliver);
    expect(at).toBeLessThanOrEqual(sent + machine.settings.costs.ipiDeliver + 300);
  });

  it('gives an NMI to the kernel once, as vector 2', () => {
    const { machine, log } = handedOver();
    machine.wake(0);
    machine.cores[0]!.r[R.EFLAGS]! |= Flag.IF;
    machine.cores[1]!.r[R.ATTENTION]! |= Attention.Nmi;
    machine.run({ maxInstructions: 5000 });
    expect(log.slice(1)).toEqual(['interrupt 1 2 at 0']);
  });

  it('fires the core timer at its deadline, jumping over the time when everybody sleeps', () => {
    const { machine, log } = handedOver();
    machine.armCoreTimer(1, 1_000_000, 0x60);
    expect(machine.run()).toEqual({ kind: 'idle' });
    expect(log.at(-1)).toBe('interrupt 1 96 at 1000000');
    machine.armCoreTimer(1, 2_000_000, 0x60);
    machine.disarmCoreTimer(1);
    machine.run();
    expect(log).toHaveLength(2);
  });

  it('moves the clock of a woken core to the present', () => {
    const { machine } = handedOver();
    machine.wake(0);
    machine.run({ maxInstructions: 3000 });
    machine.wake(1);
    expect(machine.cores[1]!.f[CoreF.CYCLES]).toBe(machine.clock.now());
  });
});

describe('a snapshot', () => {
  it('of another shape of machine is refused', () => {
    const saved = make({ cores: 2 }).machine.save();
    expect(() => make({ cores: 1 }).machine.load(saved)).toThrow('this one has 1 cores');
  });

  it('keeps the end of the run, the trap mode and a slice that was cut', () => {
    const first = make();
    first.machine.run({ maxInstructions: 7 });
    const second = make();
    second.machine.load(first.machine.save());
    second.machine.step();
    first.machine.step();
    expect(second.machine.save()).toEqual(first.machine.save());
    first.machine.exit(0, 9);
    second.machine.load(first.machine.save());
    expect(second.machine.run()).toEqual({ kind: 'exit-port', core: 0, status: 9 });
  });
});
