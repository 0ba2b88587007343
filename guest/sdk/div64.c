/* Division of 64-bit numbers, which GCC calls by these names (the guest has no libgcc). */
#include <stdint.h>

uint64_t __udivmoddi4(uint64_t dividend, uint64_t divisor, uint64_t *remainder);
uint64_t __udivdi3(uint64_t dividend, uint64_t divisor);
uint64_t __umoddi3(uint64_t dividend, uint64_t divisor);
int64_t __divdi3(int64_t dividend, int64_t divisor);
int64_t __moddi3(int64_t dividend, int64_t divisor);
int64_t __divmoddi4(int64_t dividend, int64_t divisor, int64_t *remainder);

/* high:low / divisor with high < divisor, by one DIV. */
static uint32_t divide(uint32_t high, uint32_t low, uint32_t divisor, uint32_t *remainder) {
  uint32_t quotient;
  __asm__("divl %4" : "=a"(quotient), "=d"(*remainder) : "a"(low), "d"(high), "r"(divisor) : "cc");
  return quotient;
}

uint64_t __udivmoddi4(uint64_t dividend, uint64_t divisor, uint64_t *remainder) {
  uint32_t high = (uint32_t)(dividend >> 32), low = (uint32_t)dividend;
  uint64_t quotient = 0;
  if (divisor >> 32 == 0) {
    uint32_t rest;
    uint32_t quotient_high = divide(0, high, (uint32_t)divisor, &rest);
    quotient = (uint64_t)quotient_high << 32 | divide(rest, low, (uint32_t)divisor, &rest);
    dividend = rest;
  } else {
    for (int bit = __builtin_clz((uint32_t)(divisor >> 32)); bit >= 0; bit--)
      if (dividend >= divisor << bit) {
        dividend -= divisor << bit;
        quotient |= 1ull << bit;
      }
  }
  if (remainder)
    *remainder = dividend;
  return quotient;
}

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor) {
  return __udivmoddi4(dividend, divisor, 0);
}

uint64_t __umoddi3(uint64_t dividend, uint64_t divisor) {
  uint64_t remainder;
  __udivmoddi4(dividend, divisor, &remainder);
  return remainder;
}

static uint64_t magnitude(int64_t value) {
  return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

/* Rounds towards zero; the remainder has the sign of the dividend. */
int64_t __divmoddi4(int64_t dividend, int64_t divisor, int64_t *remainder) {
  uint64_t rest;
  uint64_t quotient = __udivmoddi4(magnitude(dividend), magnitude(divisor), &rest);
  *remainder = (int64_t)(dividend < 0 ? -rest : rest);
  return (int64_t)((dividend < 0) != (divisor < 0) ? -quotient : quotient);
}

int64_t __divdi3(int64_t dividend, int64_t divisor) {
  int64_t remainder;
  return __divmoddi4(dividend, divisor, &remainder);
}

int64_t __moddi3(int64_t dividend, int64_t divisor) {
  int64_t remainder;
  __divmoddi4(dividend, divisor, &remainder);
  return remainder;
}
