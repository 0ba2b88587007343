import { describe, expect, it } from 'vitest';
import { disassemble } from '../../../emu/cpu/index.ts';

describe('the disassembler', () => {
  it.each([
    [[0x8b, 0x5d, 0x08], 'mov ebx, dword ptr [ebp+0x8]', 'mov 0x8(%ebp), %ebx'],
    [
      [0xc7, 0x44, 0x8b, 0xf0, 1, 0, 0, 0],
      'mov dword ptr [ebx+ecx*4-0x10], 0x1',
      'movl $0x1, -0x10(%ebx,%ecx,4)',
    ],
    [[0xf3, 0x66, 0xa5], 'rep movsw word ptr es:[edi], word ptr [esi]', 'rep movsw (%esi), %es:(%edi)'],
    [[0x0f, 0x20, 0xd8], 'mov eax, cr3', 'mov %cr3, %eax'],
    [[0xff, 0x24, 0x85, 0, 1, 0, 0], 'jmp dword ptr [eax*4+0x100]', 'jmp *0x100(,%eax,4)'],
    [[0x64, 0xa1, 4, 0, 0, 0], 'mov eax, dword ptr fs:[0x4]', 'mov %fs:0x4, %eax'],
    [[0xf0, 0x0f, 0xc7, 0x0e], 'lock cmpxchg8b qword ptr [esi]', 'lock cmpxchg8b (%esi)'],
    [[0x67, 0x8b, 0x40, 0xfc], 'mov eax, dword ptr [bx+si-0x4]', 'mov -0x4(%bx,%si), %eax'],
    [[0x0f, 0xb6, 0x03], 'movzx eax, byte ptr [ebx]', 'movzbl (%ebx), %eax'],
    [[0x66, 0x99], 'cwd', 'cwd'],
    [[0x06], 'push es', 'push %es'],
    [[0x67, 0x07], 'pop es', 'pop %es'],
    [[0xeb, 0xfe], 'jmp 0x1000', 'jmp 0x1000'],
    [[0x8e, 0xd8], 'mov ds, eax', 'mov %eax, %ds'],
    [[0x8c, 0x18], 'mov word ptr [eax], ds', 'mov %ds, (%eax)'],
    [[0xea, 0x78, 0x56, 0x34, 0x12, 8, 0], 'jmp 0x8:0x12345678', 'ljmp $0x8, $0x12345678'],
  ])('writes %j as %s and as %s', (bytes, intel, att) => {
    const code = Uint8Array.from(bytes);
    expect(disassemble(code, 0x1000, 32)).toEqual({ text: intel, length: bytes.length });
    expect(disassemble(code, 0x1000, 32, 'att').text).toBe(att);
  });

  it('takes 16-bit code by its own defaults', () => {
    expect(disassemble(Uint8Array.from([0xb8, 0x34, 0x12]), 0, 16).text).toBe('mov ax, 0x1234');
    expect(disassemble(Uint8Array.from([0x66, 0xb8, 0x34, 0x12, 0, 0]), 0, 16).text).toBe('mov eax, 0x1234');
  });

  it('says (bad) with length 1 for what is no instruction or is cut off', () => {
    expect(disassemble(Uint8Array.from([0x0f, 0xff, 0]), 0, 32)).toEqual({ text: '(bad)', length: 1 });
    expect(disassemble(Uint8Array.from([0xb8, 1]), 0, 32)).toEqual({ text: '(bad)', length: 1 });
  });
});
