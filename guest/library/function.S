/* A function of the library. It runs wherever its page is mapped: it finds its number in the last word of the page in
 * which it stands. */
  .text
  .globl function_begin, function_end
function_begin:
  call 1f
1:
  popl %eax
  andl $-4096, %eax
  movl 4092(%eax), %eax
  movl 4(%esp), %ecx
  imull %ecx, %ecx
  addl %ecx, %eax
  ret
function_end:
