/* Generated from src/abi by tools/build-abi.ts; do not edit. */

#include "names.h"

const struct errno_name errno_names[] = {
    {0, "OK", "done"},
    {1, "EPERM", "the capability lacks a right that this needs"},
    {2, "ENOENT", "nothing is there (a hole in the container, no such thing)"},
    {3, "ESRCH", "the task or thread is gone"},
    {9, "EBADF", "the slot is empty, stale or names an object of another type"},
    {11, "EAGAIN", "not now; the same call may go through later"},
    {12, "ENOMEM", "the control has no credit, or a quota is used up"},
    {14, "EFAULT", "the address is not one that the caller may use"},
    {16, "EBUSY", "locked, pinned or dying"},
    {17, "EEXIST", "the name is occupied"},
    {22, "EINVAL", "an argument is out of range or not page aligned"},
    {28, "ENOSPC", "the capability table is full"},
    {38, "ENOSYS", "there is no such operation on this object"},
    {90, "EMSGSIZE", "too many or too few words or capabilities in the message"},
    {110, "ETIMEDOUT", "the time-out of the call expired"},
    {125, "ECANCELED", "the peer or the object died while the call waited"},
};
const unsigned errno_name_count = 16;

const char *const reason_sentences[] = {
    [0] = "no further detail",
    [1] = "argument %a is not a multiple of %l bytes",
    [2] = "argument %a, a size, is zero",
    [3] = "the range that begins at argument %a ends above 4 GiB",
    [4] = "argument %a is out of range; the limit is %l",
    [5] = "argument %a has unknown flag bits; known are %l",
    [6] = "the capability lacks %r",
    [7] = "the object behind argument %a is gone",
    [8] = "capability argument %a names an object of another type",
    [9] = "the page at byte %l is occupied",
    [10] = "the page at byte %l is empty",
    [11] = "the control has %l free frames",
    [12] = "no free block of order %l",
    [13] = "no credit for a page table; the control has %l free frames",
    [14] = "the object is being destroyed",
    [15] = "the container is locked for %l more cycles",
    [16] = "the frame is pinned for %l more cycles",
    [17] = "the root control cannot be destroyed",
    [18] = "no control pays for the page tables of this task",
    [19] = "the message has the wrong number of words or capabilities; %l are wanted",
    [20] = "operation %l does not exist on this object",
    [21] = "the quota of %l is used up",
    [22] = "the DMA zone has room for %l more frames",
    [23] = "the caller does not hold this lock through this capability",
};
const unsigned reason_sentence_count = sizeof reason_sentences / sizeof reason_sentences[0];

const struct right_name right_names[] = {
    {1, 0x1, "MANAGE"},
    {1, 0x2, "MAP"},
    {1, 0x4, "DESTROY"},
    {2, 0x1, "SEND"},
    {2, 0x2, "CONTROL"},
    {4, 0x1, "SPLIT"},
    {4, 0x2, "CREATE"},
    {4, 0x4, "DESTROY"},
    {4, 0x8, "QUERY"},
    {5, 0x1, "READ"},
    {5, 0x2, "WRITE"},
    {5, 0x4, "EXECUTE"},
    {5, 0x8, "ALLOCATE"},
    {5, 0x10, "DEALLOCATE"},
    {5, 0x20, "COPY_OUT"},
    {5, 0x40, "COPY_IN"},
    {5, 0x80, "LOCK"},
    {5, 0x100, "PIN"},
    {5, 0x200, "SHARE"},
    {5, 0x400, "DESTROY"},
    {5, 0x800, "QUERY"},
};
const unsigned right_name_count = 21;

const struct operation_name operation_names[] = {
    {0, 0x8, "physmem_null", ""},
    {1, 0x10, "control_split", "frames "},
    {2, 0x10, "control_destroy", ""},
    {3, 0x10, "control_query", ""},
    {4, 0x10, "container_create", ""},
    {5, 0x10, "control_sponsor", "task "},
    {16, 0x20, "container_allocate", "start size flags "},
    {17, 0x20, "container_deallocate", "start size "},
    {18, 0x60, "container_map", "start size vaddr access flags task "},
    {19, 0x8, "physmem_unmap", "vaddr size "},
    {20, 0x60, "container_copy", "src_start dst_start size flags destination "},
    {21, 0x20, "container_release", "start size "},
    {22, 0x60, "container_share", "rights "},
    {23, 0x60, "container_revoke", "limited "},
    {24, 0x60, "container_query", "start size "},
    {25, 0x20, "container_destroy", ""},
    {26, 0x60, "container_lock", "duration "},
    {27, 0x60, "container_unlock", ""},
};
const unsigned operation_name_count = 18;
