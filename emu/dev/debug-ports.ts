/**
 * One-byte ports for whoever watches the machine: POST codes (0x80), debug console (0xE9), exit (0xF4) and the
 * hand-over to the attached kernel (0xF8). What they mean is in emu/arch/address-map.ts.
 */
import { PORT_DEBUG_CONSOLE, PORT_EXIT, PORT_HAND_OVER, PORT_POST } from '../arch/address-map.ts';
import type { AccessSize, PortRange } from '../arch/ports.ts';

/** Who is told. `core` is the core that wrote. */
export interface DebugPortListener {
  post(core: number, code: number): void;
  consoleByte(core: number, byte: number): void;
  /** `value` is what was written, of the width that was written. */
  exit(core: number, value: number): void;
  handOver(core: number): void;
}

type Write = (size: AccessSize, value: number, core: number) => void;

function port(name: string, address: number, reads: number, write: Write): PortRange {
  return {
    name,
    first: address,
    last: address,
    read: (_port, size) => (size === 1 ? reads : (reads | (size === 2 ? 0xff00 : 0xffffff00)) >>> 0),
    write: (_port, size, value, core) => write(size, value, core),
  };
}

export function debugPorts(listener: DebugPortListener): readonly PortRange[] {
  return [
    port('post', PORT_POST, 0xff, (_size, value, core) => listener.post(core, value & 0xff)),
    port('debug-console', PORT_DEBUG_CONSOLE, PORT_DEBUG_CONSOLE, (_size, value, core) =>
      listener.consoleByte(core, value & 0xff),
    ),
    port('exit', PORT_EXIT, 0xff, (_size, value, core) => listener.exit(core, value >>> 0)),
    port('hand-over', PORT_HAND_OVER, 0xff, (_size, value, core) => {
      if ((value & 0xff) === 1) listener.handOver(core);
    }),
  ];
}
