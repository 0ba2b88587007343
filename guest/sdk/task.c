/* Starts a task from a boot module: task, sponsor, image, boot page, stack, capabilities, first thread. The pages of
 * the image come from the module by copy-on-write (container_copy), so no byte moves before somebody writes. */
#include "boot-page.h"
#include "elf.h"
#include "physmem.h"
#include <string.h>

#define SEGMENTS_MAX 8

/* One page of the own address space through which the loader looks into containers. */
static uint32_t window;

struct image {
  uint32_t entry, end;
  uint32_t segment_count;
  struct elf_segment segments[SEGMENTS_MAX];
};

/* Shows a page of a container in the window: mapped now, so that a refusal comes back here, and known to the pager,
 * because maps may vanish. */
static int look_into(slot_t container, uint32_t start, uint32_t access) {
  if (!window)
    window = vaddr_reserve(PAGE_SIZE, PAGE_SIZE);
  struct region region = {window, PAGE_SIZE, container, start, access, 0, 0};
  region_remove(window, PAGE_SIZE);
  int error = region_add(&region);
  return error ? error : container_map(container, start, PAGE_SIZE, window, access, 0, 0, 0, 0);
}

static int segment_is_sound(const struct elf_segment *segment, uint32_t module_size) {
  return segment->filesz <= segment->memsz && segment->offset <= module_size &&
         segment->filesz <= module_size - segment->offset && segment->vaddr >= BOOT_STACK_TOP &&
         segment->vaddr < USER_TOP && segment->memsz <= USER_TOP - segment->vaddr &&
         (segment->offset & PAGE_MASK) == (segment->vaddr & PAGE_MASK);
}

/* Reads the headers, which must lie in the first page of the module. */
static int read_headers(uint32_t module, uint32_t size, struct image *image) {
  const struct elf_header *header;
  int error = look_into(boot_container, module, ACCESS_READ);
  if (error)
    return error;
  header = (const void *)window;
  if (size < sizeof *header || header->ident != ELF_IDENT || header->class_and_order != ELF_CLASS_32_LE ||
      header->type != ELF_TYPE_EXEC || header->machine != ELF_MACHINE_386 ||
      header->phentsize != sizeof(struct elf_segment) || header->phoff > PAGE_SIZE ||
      header->phnum * sizeof(struct elf_segment) > PAGE_SIZE - header->phoff)
    return EINVAL;
  image->entry = header->entry;
  image->end = 0;
  image->segment_count = 0;
  const struct elf_segment *segment = (const void *)(window + header->phoff);
  for (uint32_t i = 0; i < header->phnum; i++, segment++) {
    if (segment->type == ELF_PT_INTERP)
      return EINVAL;
    if (segment->type != ELF_PT_LOAD || segment->memsz == 0)
      continue;
    if (!segment_is_sound(segment, size) || image->segment_count == SEGMENTS_MAX)
      return EINVAL;
    image->segments[image->segment_count++] = *segment;
    if (page_round_up(segment->vaddr + segment->memsz) > image->end)
      image->end = page_round_up(segment->vaddr + segment->memsz);
  }
  return image->segment_count ? 0 : EINVAL;
}

static uint32_t segment_access(const struct elf_segment *segment) {
  return (segment->flags & ELF_FLAG_READ ? ACCESS_READ : 0) |
         (segment->flags & ELF_FLAG_WRITE ? ACCESS_WRITE : 0) |
         (segment->flags & ELF_FLAG_EXECUTE ? ACCESS_EXECUTE : 0);
}

/* What follows the file's bytes in the last page must read as zeroes. */
static int clear_tail(slot_t container, uint32_t end_of_file) {
  uint32_t used = end_of_file & PAGE_MASK;
  if (used == 0)
    return 0;
  int error = look_into(container, end_of_file & ~PAGE_MASK, ACCESS_READ | ACCESS_WRITE);
  if (!error)
    memset((void *)(window + used), 0, PAGE_SIZE - used);
  return error;
}

static int load_segment(slot_t container, uint32_t module, const struct elf_segment *segment) {
  uint32_t first = segment->vaddr & ~PAGE_MASK;
  uint32_t file_end = segment->filesz ? page_round_up(segment->vaddr + segment->filesz) : first;
  uint32_t end = page_round_up(segment->vaddr + segment->memsz);
  int error = 0;
  if (file_end > first)
    error = container_copy(boot_container, module + (segment->offset & ~PAGE_MASK), first, file_end - first,
                           COPY_ALL_OR_NONE, container, 0);
  if (!error && end > file_end)
    error = container_allocate(container, file_end, end - file_end, ALLOC_ALL_OR_NONE, 0);
  if (!error && segment->memsz > segment->filesz)
    error = clear_tail(container, segment->vaddr + segment->filesz);
  return error;
}

/* Makes the translations in the task, so that it starts without a fault; the regions are for those that get lost. */
static int show_in_task(slot_t container, uint32_t start, uint32_t end, uint32_t access, slot_t task, uint32_t badge) {
  struct region region = {start, end - start, container, start, access, badge, task};
  int error = region_add(&region);
  return error ? error : container_map(container, start, end - start, start, access, 0, task, 0, 0);
}

static int load_image(slot_t container, uint32_t module, const struct image *image) {
  int error = 0;
  for (uint32_t i = 0; i < image->segment_count && !error; i++)
    error = load_segment(container, module, &image->segments[i]);
  return error;
}

static int show_image(slot_t container, const struct image *image, slot_t task, uint32_t badge) {
  int error = 0;
  for (uint32_t i = 0; i < image->segment_count && !error; i++) {
    const struct elf_segment *segment = &image->segments[i];
    error = show_in_task(container, segment->vaddr & ~PAGE_MASK, page_round_up(segment->vaddr + segment->memsz),
                         segment_access(segment), task, badge);
  }
  return error;
}

/* A slot of one of the own threads, as the task sees it: to send messages to, with the task's badge. */
static int grant_thread(slot_t task, slot_t thread, uint32_t badge, slot_t *out) {
  slot_t minted;
  int error = sys_thread_mint(thread, badge, &minted);
  if (!error)
    error = sys_cap_grant(task, minted, THREAD_SEND, out);
  if (!error)
    error = sys_cap_delete(minted);
  return error;
}

static int fill_boot_page(slot_t container, const struct task_spec *spec, slot_t task, uint32_t heap_start) {
  int error = container_allocate(container, BOOT_PAGE_VA, PAGE_SIZE, 0, 0);
  if (!error)
    error = look_into(container, BOOT_PAGE_VA, ACCESS_READ | ACCESS_WRITE);
  if (error)
    return error;
  struct boot_page *page = (void *)window;
  page->magic = BOOT_PAGE_MAGIC;
  page->cores = core_count;
  page->argc = (uint32_t)spec->argc;
  page->argv_offset = sizeof *page;
  page->heap_start = heap_start;
  char *to = (char *)(page + 1);
  for (int i = 0; i < spec->argc; i++) {
    size_t length = strlen(spec->argv[i]) + 1;
    if (to + length > (char *)window + PAGE_SIZE)
      return EMSGSIZE;
    memcpy(to, spec->argv[i], length);
    to += length;
  }
  if (spec->control)
    error = sys_cap_grant(task, spec->control, spec->rights, &page->control);
  if (!error)
    error = sys_cap_grant(task, container, ACCESS_READ | ACCESS_WRITE | ACCESS_EXECUTE, &page->container);
  if (!error)
    error = grant_thread(task, main_thread, spec->badge, &page->starter);
  if (!error)
    error = grant_thread(task, pager_thread, spec->badge, &page->pager);
  return error;
}

static int start_first_thread(const struct task_spec *spec, const struct image *image, struct task *out) {
  slot_t pager;
  int error = sys_thread_mint(pager_thread, spec->badge, &pager);
  if (!error)
    error = sys_thread_create(out->task, image->entry, BOOT_STACK_TOP - 16, pager, spec->core, PRIORITY_MAIN,
                              &out->thread);
  return error;
}

static int fill_task(const struct task_spec *spec, uint32_t module, const struct image *image, struct task *out) {
  uint32_t stack_bytes = (spec->stack_pages ? spec->stack_pages : BOOT_STACK_PAGES) * PAGE_SIZE;
  uint32_t stack = BOOT_STACK_TOP - stack_bytes;
  int error = container_create(own_control, &out->image);
  if (!error)
    error = load_image(out->image, module, image);
  if (!error)
    error = fill_boot_page(out->image, spec, out->task, image->end);
  if (!error)
    error = container_allocate(out->image, stack, stack_bytes, ALLOC_ALL_OR_NONE, 0);
  if (!error)
    error = show_image(out->image, image, out->task, spec->badge);
  if (!error)
    error = show_in_task(out->image, BOOT_PAGE_VA, BOOT_PAGE_VA + PAGE_SIZE, ACCESS_READ, out->task, spec->badge);
  if (!error)
    error = show_in_task(out->image, stack, BOOT_STACK_TOP, ACCESS_READ | ACCESS_WRITE, out->task, spec->badge);
  return error ? error : start_first_thread(spec, image, out);
}

int task_start(const struct task_spec *spec, struct task *out) {
  struct image image;
  uint32_t module, size;
  out->task = out->thread = out->image = 0;
  int error = boot_module(spec->module, &module, &size);
  if (!error)
    error = read_headers(module, size, &image);
  if (!error)
    error = sys_task_create(&out->task);
  if (!error)
    error = control_sponsor(spec->control, out->task);
  if (!error)
    error = fill_task(spec, module, &image, out);
  if (error && out->image)
    container_destroy(out->image, 0);
  if (error && out->task)
    sys_task_destroy(out->task);
  return error;
}
