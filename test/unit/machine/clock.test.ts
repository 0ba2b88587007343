import { describe, expect, it } from 'vitest';
import { EmulatedClock } from '../../../emu/clock.ts';

function make() {
  const log: string[] = [];
  let running = 0;
  const clock = new EmulatedClock(
    () => running,
    () => log.push('earlier'),
  );
  const timer = (name: string) => ({ name, fire: (now: number) => void log.push(`${name}@${now}`) });
  const [a, b] = [timer('a'), timer('b')];
  clock.register(a);
  clock.register(b);
  return { clock, log, a, b, setRunning: (time: number) => (running = time) };
}

describe('the emulated clock', () => {
  it('fires timers by deadline, equal deadlines in the order of arming, never early', () => {
    const { clock, log, a, b } = make();
    clock.arm(b, 10);
    clock.arm(a, 10);
    expect(clock.fireNext(9)).toBe(false);
    while (clock.fireNext(10)) {}
    expect(log).toEqual(['earlier', 'b@10', 'a@10']);
  });

  it('replaces the deadline of a timer that is armed again, and forgets a cancelled one', () => {
    const { clock, a } = make();
    clock.arm(a, 10);
    clock.arm(a, 20);
    expect(clock.nextDeadline()).toBe(20);
    clock.cancel(a);
    expect(clock.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it('tells the time of the deadline while a timer fires, however late it is', () => {
    const { clock, a } = make();
    clock.arm(a, 10);
    clock.fireNext(5000);
    expect(clock.now()).toBe(10);
  });

  it('tells the running core’s time between resume and pause', () => {
    const { clock, setRunning } = make();
    clock.resume();
    setRunning(42);
    expect(clock.now()).toBe(42);
    clock.pause(50);
    setRunning(99);
    expect(clock.now()).toBe(50);
  });

  it('says when a new deadline comes before all others, and only then', () => {
    const { clock, log, a, b } = make();
    clock.arm(a, 10);
    clock.arm(b, 20);
    expect(log).toEqual(['earlier']);
    clock.arm(b, 5);
    expect(log).toEqual(['earlier', 'earlier']);
  });

  it('finds its timers by name after a snapshot, and refuses one that it does not know', () => {
    const first = make();
    first.clock.arm(first.a, 10);
    const second = make();
    second.clock.load(first.clock.save());
    second.clock.fireNext(10);
    expect(second.log).toEqual(['a@10']);
    const stranger = { now: 0, queue: [['nobody', 3]] } as const;
    expect(() => second.clock.load(stranger)).toThrow('timer nobody');
  });
});
