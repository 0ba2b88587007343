/** MOV in all encodings, MOVZX MOVSX, LEA, XLAT, multi-byte NOP. Segment register moves: segments.ts. */
import { addressOf } from '../addressing.ts';
import { DATA_BASE } from '../case-layout.ts';
import { type Bits, type Draft, EAX, EBX, type WordBits } from '../draft.ts';
import { le } from '../random.ts';
import {
  type Form,
  opcodeKey,
  PLACES,
  plainForm,
  regRmForm,
  rmForm,
  sized,
  suffix,
  WIDTHS,
  WORDS,
} from './form.ts';

function movForms(): Form[] {
  const forms: Form[] = [];
  for (const bits of WIDTHS) {
    for (const place of PLACES) {
      forms.push(regRmForm({ name: 'mov', bytes: [sized(0x88, bits)], bits, place }));
      forms.push(
        regRmForm({ name: 'mov', bytes: [sized(0x8a, bits)], bits, place, operands: `r${bits},r/m${bits}` }),
      );
      forms.push(
        rmForm({
          ...{
            name: 'mov',
            bytes: [sized(0xc6, bits)],
            digit: 0,
            bits,
            place,
            operands: `r/m${bits},imm${bits}`,
          },
          rest: (d) => le(d.value(bits), bits / 8),
        }),
      );
    }
    forms.push(offsetForm('load', sized(0xa0, bits), bits), offsetForm('store', sized(0xa2, bits), bits));
    for (let n = 0; n < 8; n++) {
      const opcode = (bits === 8 ? 0xb0 : 0xb8) + n;
      forms.push(
        plainForm(
          `mov r${bits},imm${bits} (${opcode.toString(16)})`,
          [opcode],
          (d) => void d.operandSize(bits).emit(opcode).imm(d.value(bits), bits),
          0.25,
        ),
      );
    }
  }
  return forms;
}

/** MOV with a bare offset of address size. */
function offsetForm(direction: 'load' | 'store', opcode: number, bits: Bits): Form {
  const name = direction === 'load' ? `mov acc${bits},moffs` : `mov moffs,acc${bits}`;
  return plainForm(name, [opcode], (d) => {
    const at = d.place(bits / 8);
    d.operandSize(bits)
      .setReg(EAX, d.value(bits), bits)
      .poke(at, le(d.value(bits), bits / 8));
    let addressBits: WordBits = d.codeBits;
    if (d.codeBits === 16 && d.random.chance(30)) {
      d.prefixes.push(0x67);
      addressBits = 32;
    }
    d.emit(opcode).imm((d.codeBits === 16 ? at : DATA_BASE + at) >>> 0, addressBits);
  });
}

function extendForms(): Form[] {
  const forms: Form[] = [];
  for (const [name, opcode] of [
    ['movzx', 0xb6],
    ['movsx', 0xbe],
  ] as const) {
    for (const place of PLACES) {
      for (const bits of WORDS) {
        const narrow = { name, bits, place, operands: `r${bits},r/m8`, rmBits: 8 as const };
        forms.push(regRmForm({ ...narrow, bytes: [0x0f, opcode] }));
        const word = { name, bits, place, operands: `r${bits},r/m16`, rmBits: 16 as const };
        forms.push(regRmForm({ ...word, bytes: [0x0f, opcode + 1] }));
      }
    }
  }
  return forms;
}

function leaForm(bits: WordBits): Form {
  return {
    name: `lea r${bits},m`,
    opcode: opcodeKey([0x8d]),
    weight: 6,
    build: (d) => {
      d.operandSize(bits).emit(0x8d);
      for (let n = 0; n < 8; n++) if (n !== 4 && d.random.chance(40)) d.setReg(n, d.random.u32(), 32);
      addressOf(d, d.anyReg(bits), d.random.u32());
    },
  };
}

function buildXlat(d: Draft): void {
  const at = d.place(1);
  const index = d.random.below(256);
  d.setReg(EAX, index, 8);
  d.setReg(EBX, (DATA_BASE + at - d.dataBase - index) >>> 0, 32).poke(at, [d.random.below(256)]);
  d.emit(0xd7);
}

function nopForms(): Form[] {
  return PLACES.flatMap((place) =>
    WORDS.map((bits) => {
      const form = rmForm({ name: 'nop', bytes: [0x0f, 0x1f], digit: 0, bits, place, weight: 0.5 });
      return { ...form, name: `nop r/m${bits}${suffix(place)}` };
    }),
  );
}

export function moveForms(): Form[] {
  return [
    ...movForms(),
    ...extendForms(),
    ...WORDS.map(leaForm),
    plainForm('xlat', [0xd7], buildXlat),
    ...nopForms(),
  ];
}
