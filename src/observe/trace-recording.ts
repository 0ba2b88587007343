/**
 * A full recording: every event of a run (or of chosen kinds), not only the newest that the ring holds. Kept as
 * chunks of typed words, 36 bytes an event, because a run of minutes emits millions.
 */
import type { TraceEvent, TraceRing } from './trace.ts';

const CHUNK_EVENTS = 1 << 14;
const WORDS = 7;

interface Chunk {
  readonly times: Float64Array;
  readonly seqs: Float64Array;
  readonly words: Int32Array;
  used: number;
}

export class TraceRecording implements Iterable<TraceEvent> {
  private readonly chunks: Chunk[] = [];
  private readonly endListening: () => void;
  private recorded = 0;

  /** Starts at once. `kinds` null records everything. */
  constructor(ring: TraceRing, kinds: ReadonlySet<number> | null = null) {
    this.endListening = ring.listen((event) => {
      if (kinds === null || kinds.has(event.kind)) this.append(event);
    });
  }

  get length(): number {
    return this.recorded;
  }

  /** Ends the recording; what was recorded stays. */
  stop(): void {
    this.endListening();
  }

  *[Symbol.iterator](): Iterator<TraceEvent> {
    for (const chunk of this.chunks) {
      for (let i = 0; i < chunk.used; i++) yield eventOf(chunk, i);
    }
  }

  private append(event: TraceEvent): void {
    let chunk = this.chunks.at(-1);
    if (chunk === undefined || chunk.used === CHUNK_EVENTS) {
      chunk = {
        times: new Float64Array(CHUNK_EVENTS),
        seqs: new Float64Array(CHUNK_EVENTS),
        words: new Int32Array(CHUNK_EVENTS * WORDS),
        used: 0,
      };
      this.chunks.push(chunk);
    }
    const i = chunk.used++;
    const { kind, core, task, a, b, c, d } = event;
    chunk.times[i] = event.time;
    chunk.seqs[i] = event.seq;
    chunk.words.set([kind, core, task, a, b, c, d], i * WORDS);
    this.recorded++;
  }
}

function eventOf(chunk: Chunk, i: number): TraceEvent {
  const [kind, core, task, a, b, c, d] = chunk.words.subarray(i * WORDS, (i + 1) * WORDS);
  return {
    seq: chunk.seqs[i]!,
    time: chunk.times[i]!,
    core: core!,
    task: task!,
    kind: kind!,
    a: a!,
    b: b!,
    c: c!,
    d: d!,
  };
}
