/** Ways to break what moves memory without a core: the 8237 pair, the disks on DMA, the protection unit, their board. */
import type { Mutation } from './mutations.ts';

export const DMA_MUTATIONS: readonly Mutation[] = [
  {
    name: 'DMA: an address counter runs out of its 64 KiB',
    file: 'dev/dma8237.ts',
    find: '(counter + step * unit) & 0xffff',
    put: 'counter + step * unit',
  },
  {
    name: 'DMA: words use the odd page bit',
    file: 'dev/dma8237.ts',
    find: '(page & 0xfe) << 16',
    put: 'page << 16',
  },
  {
    name: 'DMA: a masked channel is served',
    file: 'dev/dma8237-chip.ts',
    find: 'return this.hasLine(channel) && !this.isMasked(channel);',
    put: 'return this.hasLine(channel);',
  },
  {
    name: 'DMA: a channel is open after its terminal count',
    file: 'dev/dma8237-chip.ts',
    find: '} else this.masks |= bit;',
    put: '}',
  },
  {
    name: 'DMA: a channel that was programmed anew is not told as quiet',
    file: 'dev/dma8237.ts',
    find: 'const ended = this.aiming & (~now | changed);',
    put: 'const ended = this.aiming & ~now;',
  },
  {
    name: 'DMA: a channel downwards aims upwards',
    file: 'dev/dma8237.ts',
    find: 'chip.step(i) === 1 ? address : (address - count) & 0xffff',
    put: 'address',
  },
  {
    name: 'DMA: the last byte of a frame is no target',
    file: 'dma-board.ts',
    find: 'address + sizeBytes > first',
    put: 'address + sizeBytes > first + 1',
  },
  {
    name: 'DMA: what the protection unit holds back counts as reachable',
    file: 'dma-board.ts',
    find: "if (this.protection.mode !== 'on') return first < end;",
    put: 'if (first < end) return true;',
  },
  {
    name: 'DMA: the right to read lets a device write',
    file: 'dma-board.ts',
    find: "const wanted = direction === 'to-memory' ? IoAccess.Write : IoAccess.Read;",
    put: 'const wanted = IoAccess.Read;',
  },
  {
    name: 'DMA: the first frame of an access speaks for all',
    file: 'dev/io-protection.ts',
    find: 'this.isAllowed(channel, at, direction)',
    put: 'this.isAllowed(channel, pa, direction)',
  },
  {
    name: 'DMA: rights that were taken away stay for writing',
    file: 'dev/io-protection.ts',
    find: 'const bits = this.bitsOf(IoAccess.Read | IoAccess.Write, channels);',
    put: 'const bits = this.bitsOf(IoAccess.Read, channels);',
  },
  {
    name: 'DMA: a bus master goes on after a blocked access',
    file: 'dev/bus-master.ts',
    find: "    if (outcome === 'blocked') {\n      this.finish(TransferError.Blocked);\n      return;\n    }\n    if (direction",
    put: '    if (direction',
  },
  {
    name: 'DMA: a list may end beyond the disk',
    file: 'dev/scatter-list.ts',
    find: 'return bytes > sectorsLeft * SECTOR_BYTES ?',
    put: 'return bytes < 0 ?',
  },
  {
    name: 'DMA: an aborted bus master is not told as quiet',
    file: 'dev/bus-master.ts',
    find: 'if (wasBusy) this.ports.quiet(BUS_MASTER_CHANNEL);',
    put: '',
  },
  {
    name: 'DMA: the interrupt of a disk comes before its last bytes',
    file: 'dev/dma-disk.ts',
    find: "if (this.command === DiskCommand.Read && this.leftBytes === 0) this.wait('end', 0);",
    put: 'if (this.command === DiskCommand.Read && this.leftBytes === 0) this.finish(DiskError.None);',
  },
];
