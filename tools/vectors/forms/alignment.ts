/**
 * Alignment check (#AC, SDM vol. 3 §6.15 vector 17): EFLAGS.AC set and CR0.AM set at ring 3, operands at every offset
 * from their natural boundary. Only accesses of 2 and 4 bytes, whose boundary the manual and all processors agree on.
 */
import { memoryOperand } from '../addressing.ts';
import { DATA_BASE } from '../case-layout.ts';
import { type Bits, type Draft, EDI, ESI, ESP } from '../draft.ts';
import { le } from '../random.ts';
import { type Form, opcodeKey, sized, WORDS } from './form.ts';

const AC = 1 << 18;
const place = (d: Draft): number => 0x1800 + d.random.below(16);

function operandForm(name: string, opcode: number[], bits: Bits, digit?: number): Form {
  return {
    name: `${name} m${bits} with alignment checks`,
    opcode: opcodeKey(opcode, digit),
    weight: 0.4,
    build: (d) => {
      d.eflags |= AC;
      const reg = digit ?? d.random.pick([0, 1, 2, 3, 6]);
      d.operandSize(bits).emit(...opcode);
      if (digit === undefined) d.setReg(reg, d.value(bits), bits);
      memoryOperand(d, reg, le(d.value(bits), bits / 8), place(d));
    },
  };
}

function stackForm(name: string, opcode: number, bits: 16 | 32): Form {
  return {
    name: `${name} (${bits}) with alignment checks`,
    opcode: opcodeKey([opcode]),
    weight: 0.4,
    build: (d) => {
      d.eflags |= AC;
      const at = 0x2600 + d.random.below(8);
      d.setReg(ESP, d.codeBits === 16 ? at : DATA_BASE + at, 32);
      d.operandSize(bits).emit(opcode);
    },
  };
}

function stringForm(name: string, opcode: number, bits: 16 | 32): Form {
  return {
    name: `${name} m${bits} with alignment checks`,
    opcode: opcodeKey([sized(opcode, bits)]),
    weight: 0.4,
    build: (d) => {
      d.eflags |= AC;
      d.setReg(ESI, place(d) + DATA_BASE - d.dataBase, 32);
      d.setReg(EDI, 0x1a00 + d.random.below(4) + DATA_BASE - d.dataBase, 32);
      d.operandSize(bits).emit(sized(opcode, bits));
    },
  };
}

export function alignmentForms(): Form[] {
  return [
    operandForm('mov load', [0x8a], 8),
    ...WORDS.flatMap((bits) => [
      operandForm('mov load', [0x8b], bits),
      operandForm('mov store', [0x89], bits),
      operandForm('add to memory', [0x01], bits),
      operandForm('add from memory', [0x03], bits),
      operandForm('inc', [0xff], bits, 0),
      operandForm('push', [0xff], bits, 6),
      operandForm('xchg', [0x87], bits),
      operandForm('not', [0xf7], bits, 2),
      stackForm('push', 0x50, bits),
      stackForm('pop', 0x58, bits),
      stackForm('pushf', 0x9c, bits),
      stringForm('movs', 0xa4, bits),
      stringForm('stos', 0xaa, bits),
      stringForm('lods', 0xac, bits),
      stringForm('scas', 0xae, bits),
    ]),
  ];
}
