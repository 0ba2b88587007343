/* Generated from src/abi by tools/build-abi.ts; do not edit. */
#ifndef STUBS_H
#define STUBS_H

#include "abi.h"
#include <stdint.h>

/* A slot word: index and generation of an entry of the task's capability table; 0 names nothing. */
typedef uint32_t slot_t;

/* ---- System calls of the microkernel: return 0 or an errno ---- */

/* sys_ipc: Sends the message described by the tag, then receives, as one step; each half may be
   left out.
   int 0x30 with EAX = 0
   Arguments
     dest     slot of the destination, 0 for none, REPLY_SLOT for the thread whose call was
              received last
     receive  0 nothing, 1 from anyone, 2 the reply to this call
     tag      label, word count, capability count
     mr0      message word 0
     mr1      message word 1
     timeout  cycles to wait in all; 0xffffffff for ever
   Results (a pointer may be NULL)
     out_badge  badge of the capability that the sender used
     out_tag    tag of the received message
     out_mr0    message word 0
     out_mr1    message word 1
   Errors
     EBADF      the slot is empty, stale or names an object of another type
     EPERM      the capability lacks a right that this needs
     EMSGSIZE   too many or too few words or capabilities in the message
     ENOSPC     the capability table is full
     ETIMEDOUT  the time-out of the call expired
     ECANCELED  the peer or the object died while the call waited
     ESRCH      the task or thread is gone
     EINVAL     an argument is out of range or not page aligned */
int sys_ipc(uint32_t dest, uint32_t receive, uint32_t tag, uint32_t mr0, uint32_t mr1,
            uint32_t timeout, uint32_t *out_badge, uint32_t *out_tag, uint32_t *out_mr0,
            uint32_t *out_mr1);

/* sys_yield: Lets another ready thread of this core run.
   int 0x30 with EAX = 1 */
int sys_yield(void);

/* sys_task_exit: Ends the calling task with a status.
   int 0x30 with EAX = 2
   Arguments
     status  exit status; the status of the root task ends the run */
int sys_task_exit(uint32_t status);

/* sys_task_create: Creates a task without memory; a control must sponsor it (control_sponsor)
   before it can have threads.
   int 0x30 with EAX = 3
   Results (a pointer may be NULL)
     out_task  slot of the new task, all rights
   Errors
     ENOSPC  the capability table is full
     EAGAIN  not now; the same call may go through later */
int sys_task_create(uint32_t *out_task);

/* sys_task_destroy: Ends a task and all its threads.
   int 0x30 with EAX = 4
   Arguments
     task  slot of the task; needs DESTROY
   Errors
     EBADF  the slot is empty, stale or names an object of another type
     EPERM  the capability lacks a right that this needs */
int sys_task_destroy(uint32_t task);

/* sys_thread_create: Creates a thread in a task and makes it ready.
   int 0x30 with EAX = 5
   Arguments
     task      slot of the task; needs MANAGE
     eip       first instruction
     esp       initial stack pointer
     pager     slot of the thread that gets its fault messages; 0 for none
     core      core to run on, 0xffffffff for any
     priority  0 (lowest) to 7
   Results (a pointer may be NULL)
     out_thread  slot of the new thread, all rights
   Errors
     EBADF   the slot is empty, stale or names an object of another type
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned
     ENOSPC  the capability table is full
     ENOMEM  the control has no credit, or a quota is used up
     ESRCH   the task or thread is gone */
int sys_thread_create(uint32_t task, uint32_t eip, uint32_t esp, uint32_t pager, uint32_t core,
                      uint32_t priority, uint32_t *out_thread);

/* sys_thread_exit: Ends the calling thread; the last one ends the task with status 0.
   int 0x30 with EAX = 6 */
int sys_thread_exit(void);

/* sys_thread_set_pager: Changes a thread's pager.
   int 0x30 with EAX = 7
   Arguments
     thread  slot of the thread; needs CONTROL
     pager   slot of the pager thread, 0 for none
   Errors
     EBADF  the slot is empty, stale or names an object of another type
     EPERM  the capability lacks a right that this needs */
int sys_thread_set_pager(uint32_t thread, uint32_t pager);

/* sys_cap_copy: Makes a second slot for the same object with at most the given rights.
   int 0x30 with EAX = 8
   Arguments
     slot    slot to copy
     rights  mask of rights to keep
   Results (a pointer may be NULL)
     out_slot  the new slot
   Errors
     EBADF   the slot is empty, stale or names an object of another type
     ENOSPC  the capability table is full */
int sys_cap_copy(uint32_t slot, uint32_t rights, uint32_t *out_slot);

/* sys_cap_delete: Empties a slot. Maps made through it go, unless another slot still allows them.
   int 0x30 with EAX = 9
   Arguments
     slot  slot to empty
   Errors
     EBADF  the slot is empty, stale or names an object of another type */
int sys_cap_delete(uint32_t slot);

/* sys_cap_info: Tells type and rights of a slot.
   int 0x30 with EAX = 10
   Arguments
     slot  slot to look at
   Results (a pointer may be NULL)
     out_type    capability type
     out_rights  rights bits
   Errors
     EBADF  the slot is empty, stale or names an object of another type */
int sys_cap_info(uint32_t slot, uint32_t *out_type, uint32_t *out_rights);

/* sys_cap_grant: Puts a copy of a capability into another task's table, in its lowest free slot.
   int 0x30 with EAX = 11
   Arguments
     task    slot of the task; needs MANAGE
     slot    slot to copy
     rights  mask of rights to keep
   Results (a pointer may be NULL)
     out_slot  slot word in the other task's table
   Errors
     EBADF   the slot is empty, stale or names an object of another type
     EPERM   the capability lacks a right that this needs
     ENOSPC  the capability table is full
     ESRCH   the task or thread is gone */
int sys_cap_grant(uint32_t task, uint32_t slot, uint32_t rights, uint32_t *out_slot);

/* sys_clock: Tells the time of this core in cycles since reset.
   int 0x30 with EAX = 12
   Results (a pointer may be NULL)
     out_low   bits 0..31
     out_high  bits 32..52 */
int sys_clock(uint32_t *out_low, uint32_t *out_high);

/* sys_sleep: Waits at least the given number of cycles.
   int 0x30 with EAX = 13
   Arguments
     cycles  how long */
int sys_sleep(uint32_t cycles);

/* sys_console_write: Writes bytes from the message words of the own message area to the console.
   int 0x30 with EAX = 14
   Arguments
     length  bytes, at most 240
   Errors
     EMSGSIZE  too many or too few words or capabilities in the message */
int sys_console_write(uint32_t length);

/* sys_thread_mint: Makes a SEND-only capability to a thread of the own task that carries a badge.
   int 0x30 with EAX = 15
   Arguments
     thread  slot of the thread; needs CONTROL
     badge   the word that its receiver will see
   Results (a pointer may be NULL)
     out_slot  the new slot
   Errors
     EBADF   the slot is empty, stale or names an object of another type
     EPERM   the capability lacks a right that this needs
     ENOSPC  the capability table is full */
int sys_thread_mint(uint32_t thread, uint32_t badge, uint32_t *out_slot);

/* sys_thread_control: Suspends or resumes a thread, or changes its core or its priority. A thread
   that runs on another core is stopped by an interrupt: soon, but not before this returns.
   int 0x30 with EAX = 16
   Arguments
     thread  slot of the thread; needs CONTROL
     what    ThreadControl: 0 suspend, 1 resume, 2 move, 3 priority
     value   core or priority; else 0
   Errors
     EBADF   the slot is empty, stale or names an object of another type
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned
     ESRCH   the task or thread is gone */
int sys_thread_control(uint32_t thread, uint32_t what, uint32_t value);

/* sys_task_set_driver: Gives a task the rights of a driver, which the caller must have itself.
   int 0x30 with EAX = 17
   Arguments
     task  slot of the task; needs MANAGE
   Errors
     EBADF  the slot is empty, stale or names an object of another type
     EPERM  the capability lacks a right that this needs
     ESRCH  the task or thread is gone */
int sys_task_set_driver(uint32_t task);

/* sys_irq_bind: Takes an interrupt line for a thread of the own task, or gives it back. Each
   interrupt becomes a message to that thread (LABEL_INTERRUPT), the next one only after irq_ack.
   For drivers only.
   int 0x30 with EAX = 18
   Arguments
     irq      line, 0 to 23
     thread   slot of the thread, which needs CONTROL; 0 to give the line back
     badge    the word that the thread will see as the badge of the messages
     trigger  IrqTrigger: 0 edge, 1 level
   Errors
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned
     EBADF   the slot is empty, stale or names an object of another type
     EBUSY   locked, pinned or dying
     ENOENT  nothing is there (a hole in the container, no such thing) */
int sys_irq_bind(uint32_t irq, uint32_t thread, uint32_t badge, uint32_t trigger);

/* sys_irq_ack: Says that the device has been served: the line may interrupt again. What came
   meanwhile on an edge-triggered line is told at once.
   int 0x30 with EAX = 19
   Arguments
     irq  line, bound by the own task
   Errors
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned
     ENOENT  nothing is there (a hole in the container, no such thing) */
int sys_irq_ack(uint32_t irq);

/* sys_ioport_bind: Opens a range of I/O ports to the instructions IN and OUT of the own task, or
   closes it. A port belongs to one task at a time. For drivers only.
   int 0x30 with EAX = 20
   Arguments
     first  first port
     count  ports, at least 1
     take   1 to open the range, 0 to close it
   Errors
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned
     EBUSY   locked, pinned or dying
     ENOMEM  the control has no credit, or a quota is used up */
int sys_ioport_bind(uint32_t first, uint32_t count, uint32_t take);

/* ---- Operations of the memory server: return 0 or an errno; explain() tells the detail of a refusal ---- */

/* physmem_null: Does nothing; measures the round trip.
   Operation 0 on a capability of type physmem */
int physmem_null(slot_t physmem);

/* control_split: Moves credit for n base frames out of a control into a new child control.
   Operation 1 on a capability of type control; needs SPLIT
   Arguments
     frames  base frames, 1 .. free
   Results (a pointer may be NULL)
     out_child  the new control, all rights
   Errors
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned
     ENOMEM  the control has no credit, or a quota is used up
     EBUSY   locked, pinned or dying */
int control_split(slot_t control, uint32_t frames, slot_t *out_child);

/* control_destroy: Destroys a control, its descendants and all that is charged to them; the credit
   goes to the parent.
   Operation 2 on a capability of type control; needs DESTROY
   Errors
     EPERM  the capability lacks a right that this needs
     EBUSY  locked, pinned or dying */
int control_destroy(slot_t control);

/* control_query: Tells how the credit of a control stands, in base frames.
   Operation 3 on a capability of type control; needs QUERY
   Results (a pointer may be NULL)
     out_total     credit in all
     out_free      not in use
     out_charged   entries and page tables
     out_children  given to children
     out_pinned    pinned now
     out_extra     named beyond the guarantee
   Errors
     EPERM  the capability lacks a right that this needs */
int control_query(slot_t control, uint32_t *out_total, uint32_t *out_free, uint32_t *out_charged,
                  uint32_t *out_children, uint32_t *out_pinned, uint32_t *out_extra);

/* container_create: Creates an empty container that charges this control.
   Operation 4 on a capability of type control; needs CREATE
   Results (a pointer may be NULL)
     out_container  the new container, all rights
   Errors
     EPERM   the capability lacks a right that this needs
     EBUSY   locked, pinned or dying
     ENOMEM  the control has no credit, or a quota is used up */
int container_create(slot_t control, slot_t *out_container);

/* control_sponsor: Lets the control pay for the page directory, page tables and message frame of a
   task (3 frames at once, then 1 per table).
   Operation 5 on a capability of type control; needs CREATE
   Arguments
     task_slot  the task; needs MAP
   Errors
     EPERM   the capability lacks a right that this needs
     EEXIST  the name is occupied
     ENOMEM  the control has no credit, or a quota is used up
     EBUSY   locked, pinned or dying
     EBADF   the slot is empty, stale or names an object of another type
     ESRCH   the task or thread is gone */
int control_sponsor(slot_t control, slot_t task_slot);

/* control_query_extra: Tells what a control holds beyond its guarantee, in base frames.
   Operation 6 on a capability of type control; needs QUERY
   Results (a pointer may be NULL)
     out_extra  named beyond the guarantee
     out_bound  of these, in memory now
     out_soft   given back softly and not reused yet
     out_lost   soft references that were reused, so far
     out_room   extra frames that anybody could get now
   Errors
     EPERM  the capability lacks a right that this needs */
int control_query_extra(slot_t control, uint32_t *out_extra, uint32_t *out_bound,
                        uint32_t *out_soft, uint32_t *out_lost, uint32_t *out_room);

/* container_allocate: Gives names to new, zeroed memory: the least number of power-of-two frames;
   bound at first use.
   Operation 16 on a capability of type container; needs ALLOCATE
   Arguments
     start  first byte, page aligned
     size   bytes, page aligned, not zero
     flags  AllocFlag bits
   Results (a pointer may be NULL)
     out_amount  bytes done
   Errors
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned
     EEXIST  the name is occupied
     ENOMEM  the control has no credit, or a quota is used up
     EBUSY   locked, pinned or dying */
int container_allocate(slot_t container, uint32_t start, uint32_t size, uint32_t flags,
                       uint32_t *out_amount);

/* container_deallocate: Takes the names and the memory behind them away; holes are skipped.
   Operation 17 on a capability of type container; needs DEALLOCATE
   Arguments
     start  first byte, page aligned
     size   bytes, page aligned, not zero
   Results (a pointer may be NULL)
     out_amount  bytes done
   Errors
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned
     EBUSY   locked, pinned or dying */
int container_deallocate(slot_t container, uint32_t start, uint32_t size, uint32_t *out_amount);

/* container_map: Installs translations in the caller's address space, or in that of the task
   given; each access asked needs its right.
   Operation 18 on a capability of type container or limited
   Arguments
     start      first byte, page aligned
     size       bytes, page aligned, not zero
     vaddr      first linear address, page aligned, below USER_TOP
     access     READ, WRITE, EXECUTE bits
     flags      MapFlag bits
     task_slot  optional: the task to map into; needs MAP
   Results (a pointer may be NULL)
     out_amount  bytes done
     out_access  access granted
   Errors
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned
     ENOENT  nothing is there (a hole in the container, no such thing)
     ENOMEM  the control has no credit, or a quota is used up
     EBUSY   locked, pinned or dying
     EBADF   the slot is empty, stale or names an object of another type */
int container_map(slot_t container, uint32_t start, uint32_t size, uint32_t vaddr,
                  uint32_t access, uint32_t flags, slot_t task_slot, uint32_t *out_amount,
                  uint32_t *out_access);

/* physmem_unmap: Removes the caller's own translations of a range of linear addresses.
   Operation 19 on a capability of type physmem
   Arguments
     vaddr  first linear address, page aligned
     size   bytes, page aligned, not zero
   Results (a pointer may be NULL)
     out_amount  bytes done
   Errors
     EINVAL  an argument is out of range or not page aligned */
int physmem_unmap(slot_t physmem, uint32_t vaddr, uint32_t size, uint32_t *out_amount);

/* container_copy: Copies names from this container to another: copy-on-write, shared, or moved.
   Operation 20 on a capability of type container or limited; needs COPY_OUT
   Arguments
     src_start         first byte in the source
     dst_start         first byte in the destination
     size              bytes, page aligned, not zero
     flags             CopyFlag bits
     destination_slot  a container; needs COPY_IN
   Results (a pointer may be NULL)
     out_amount  bytes done
   Errors
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned
     ENOENT  nothing is there (a hole in the container, no such thing)
     EEXIST  the name is occupied
     ENOMEM  the control has no credit, or a quota is used up
     EBUSY   locked, pinned or dying
     EBADF   the slot is empty, stale or names an object of another type */
int container_copy(slot_t container, uint32_t src_start, uint32_t dst_start, uint32_t size,
                   uint32_t flags, slot_t destination_slot, uint32_t *out_amount);

/* container_release: Ends sharing of a range and keeps its names and credit; contents become
   zeroes or bytes that were readable before. With SOFT the memory is given back, credit and all,
   but keeps its contents for container_recover until it is reused; what has other users, or was
   never touched, just loses its name.
   Operation 21 on a capability of type container; needs DEALLOCATE
   Arguments
     start  first byte, page aligned
     size   bytes, page aligned, not zero
     flags  ReleaseFlag bits
   Results (a pointer may be NULL)
     out_amount  bytes done
   Errors
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned
     EBUSY   locked, pinned or dying */
int container_release(slot_t container, uint32_t start, uint32_t size, uint32_t flags,
                      uint32_t *out_amount);

/* container_share: Makes a limited capability with at most these rights.
   Operation 22 on a capability of type container or limited; needs SHARE
   Arguments
     rights  rights of the limited capability
   Results (a pointer may be NULL)
     out_limited  the limited capability
   Errors
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned
     EBUSY   locked, pinned or dying
     ENOMEM  the control has no credit, or a quota is used up */
int container_share(slot_t container, uint32_t rights, slot_t *out_limited);

/* container_revoke: Kills a limited capability and all that was derived from it; every map made
   through it is gone when the call returns.
   Operation 23 on a capability of type container or limited; needs SHARE
   Arguments
     limited_slot  the limited capability
   Errors
     EPERM   the capability lacks a right that this needs
     EBADF   the slot is empty, stale or names an object of another type
     EINVAL  an argument is out of range or not page aligned */
int container_revoke(slot_t container, slot_t limited_slot);

/* container_query: Tells the state of up to 48 pages: one word each (PageState bits).
   Operation 24 on a capability of type container or limited; needs QUERY
   Arguments
     start  first byte, page aligned
     size   bytes, page aligned, not zero
   Results (a pointer may be NULL)
     out_amount  bytes done
     out_state   one word per page
   Errors
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned */
int container_query(slot_t container, uint32_t start, uint32_t size, uint32_t *out_amount,
                    uint32_t *out_state, uint32_t out_state_max);

/* container_destroy: Destroys a container and deallocates all that is in it.
   Operation 25 on a capability of type container; needs DESTROY
   Results (a pointer may be NULL)
     out_amount  bytes done
   Errors
     EPERM  the capability lacks a right that this needs
     EBUSY  locked, pinned or dying */
int container_destroy(slot_t container, uint32_t *out_amount);

/* container_lock: Locks a container for the caller for a bounded time: every map that was not made
   by the caller through this capability is gone, and requests of others are refused, until unlock,
   the end of the time, or the end of the holder.
   Operation 26 on a capability of type container or limited; needs LOCK
   Arguments
     duration  cycles, 1 .. LOCK_CYCLES_MAX
   Errors
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned
     EBUSY   locked, pinned or dying */
int container_lock(slot_t container, uint32_t duration);

/* container_unlock: Ends the lock that the caller holds through this capability.
   Operation 27 on a capability of type container or limited; needs LOCK
   Errors
     EPERM  the capability lacks a right that this needs */
int container_unlock(slot_t container);

/* container_pin: Binds a range and holds it in place for a bounded time. Only a driver is told
   where: pairs of physical address and size.
   Operation 28 on a capability of type container or limited; needs PIN
   Arguments
     start     first byte, page aligned
     size      bytes, page aligned, not zero
     duration  cycles, 1 .. PIN_CYCLES_MAX
     flags     PinFlag bits
   Results (a pointer may be NULL)
     out_amount  bytes done
     out_ranges  number of pairs that follow
     out_range   physical address, size in bytes
     out_pin     ends the pin
   Errors
     EPERM     the capability lacks a right that this needs
     EINVAL    an argument is out of range or not page aligned
     ENOENT    nothing is there (a hole in the container, no such thing)
     ENOMEM    the control has no credit, or a quota is used up
     EBUSY     locked, pinned or dying
     EMSGSIZE  too many or too few words or capabilities in the message */
int container_pin(slot_t container, uint32_t start, uint32_t size, uint32_t duration,
                  uint32_t flags, uint32_t *out_amount, uint32_t *out_ranges,
                  uint32_t *out_range, uint32_t out_range_max, slot_t *out_pin);

/* physmem_unpin: Ends a pin. What was deallocated meanwhile is freed when no device can reach it
   any more.
   Operation 29 on a capability of type pin
   Errors
     EBADF  the slot is empty, stale or names an object of another type */
int physmem_unpin(slot_t pin);

/* container_copy_list: Scatters or gathers: container_copy for up to 19 ranges as one copy. No
   range may write where another one reads or writes, so their order does not matter; with MOVE no
   two may read the same page. What is done is the ranges in order, up to the first byte that
   cannot be.
   Operation 32 on a capability of type container or limited; needs COPY_OUT
   Arguments
     flags             CopyFlag bits
     range             source, destination and size of each range: three words
     destination_slot  a container; needs COPY_IN
   Results (a pointer may be NULL)
     out_amount  bytes done
   Errors
     EPERM     the capability lacks a right that this needs
     EINVAL    an argument is out of range or not page aligned
     ENOENT    nothing is there (a hole in the container, no such thing)
     EEXIST    the name is occupied
     ENOMEM    the control has no credit, or a quota is used up
     EBUSY     locked, pinned or dying
     EBADF     the slot is empty, stale or names an object of another type
     EMSGSIZE  too many or too few words or capabilities in the message */
int container_copy_list(slot_t container, uint32_t flags, const uint32_t *range,
                        uint32_t range_count, slot_t destination_slot, uint32_t *out_amount);

/* container_recover: Makes softly released memory real again, contents and all, and turns extra
   memory into guaranteed memory; the control pays. With EXTRA what the credit does not cover
   becomes, or stays, extra memory.
   Operation 30 on a capability of type container; needs ALLOCATE
   Arguments
     start  first byte, page aligned
     size   bytes, page aligned, not zero
     flags  AllocFlag.EXTRA or 0
   Results (a pointer may be NULL)
     out_amount  bytes done
   Errors
     EPERM   the capability lacks a right that this needs
     EINVAL  an argument is out of range or not page aligned
     ENOENT  nothing is there (a hole in the container, no such thing)
     ENOMEM  the control has no credit, or a quota is used up
     EBUSY   locked, pinned or dying */
int container_recover(slot_t container, uint32_t start, uint32_t size, uint32_t flags,
                      uint32_t *out_amount);

/* control_on_return: Names the thread that gets LABEL_RETURN_FRAMES when others need the extra
   memory of this control; without a thread, nobody does. The message never waits: frames to give
   back, and the cycles before the server takes them.
   Operation 31 on a capability of type control; needs CREATE
   Arguments
     badge        what the thread sees as the badge of the message
     thread_slot  optional: the thread; needs SEND
   Errors
     EPERM  the capability lacks a right that this needs
     EBADF  the slot is empty, stale or names an object of another type
     ESRCH  the task or thread is gone
     EBUSY  locked, pinned or dying */
int control_on_return(slot_t control, uint32_t badge, slot_t thread_slot);

#endif
