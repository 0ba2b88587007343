/* Computes: `spin [thousands of rounds]`. Prints a checksum and the cycles that a round took. */
#include <physmem.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  uint32_t rounds = (argc > 1 ? (uint32_t)atoi(argv[1]) : 1000) * 1000;
  uint64_t before = clock_cycles();
  uint32_t x = 2463534242u;
  for (uint32_t i = 0; i < rounds; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
  }
  uint64_t cycles = clock_cycles() - before;
  printf("spin: %u rounds, checksum 0x%08x, %llu.%02llu cycles per round\n", rounds, x, cycles / rounds,
         cycles * 100 / rounds % 100);
  return 0;
}
