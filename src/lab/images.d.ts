/** esbuild embeds guest programs as bytes (loader `binary`, tools/build.mjs). */
declare module '*.elf' {
  const bytes: Uint8Array;
  export default bytes;
}
