/** Exception and interrupt vectors. Source: Intel SDM vol. 3 ch. 6.3, table 6-1. */
export const VEC_DE = 0;
export const VEC_DB = 1;
export const VEC_NMI = 2;
export const VEC_BP = 3;
export const VEC_OF = 4;
export const VEC_BR = 5;
export const VEC_UD = 6;
export const VEC_NM = 7;
export const VEC_DF = 8;
export const VEC_TS = 10;
export const VEC_NP = 11;
export const VEC_SS = 12;
export const VEC_GP = 13;
export const VEC_PF = 14;
export const VEC_MF = 16;
export const VEC_AC = 17;
export const VEC_MC = 18;

/** Short names by vector, as the manual writes them; empty for reserved vectors. */
export const EXCEPTION_NAMES: readonly string[] = [
  '#DE',
  '#DB',
  'NMI',
  '#BP',
  '#OF',
  '#BR',
  '#UD',
  '#NM',
  '#DF',
  '',
  '#TS',
  '#NP',
  '#SS',
  '#GP',
  '#PF',
  '',
  '#MF',
  '#AC',
  '#MC',
];

/** Vectors that push an error code: #DF #TS #NP #SS #GP #PF #AC. */
export const ERROR_CODE_VECTORS: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17]);
/** The same as bits: bit n is set when vector n pushes an error code. So all vectors of faults, which are below 32. */
export const ERROR_CODES = [...ERROR_CODE_VECTORS].reduce((bits, vector) => bits | (1 << vector), 0);
