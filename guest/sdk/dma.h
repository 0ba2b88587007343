/* Memory that moves without a core, for drivers: what a channel of the 8237 pair can be told, why not, and how it is told
 * (docs/dma.md). A driver pins memory with PIN_DMA first, so that it lies below 16 MiB; what container_pin tells it goes,
 * range by range and piece by piece (dma_piece), to dma_aim. It must stop the channel (dma_stop) before it unpins: a
 * channel that is still aimed when the pin has ended keeps the memory in quarantine. */
#ifndef DMA_H
#define DMA_H

#include <stddef.h>
#include <stdint.h>

#define DMA_BUS_MASTER 8u /* stands for a device with 32 address bits of its own where a channel is named */

enum dma_direction { DMA_TO_MEMORY = 0x04, DMA_FROM_MEMORY = 0x08 };

/* Whether the hardware can make this transfer as one: 0 or EINVAL. Channels 0 to 3 move bytes, 5 to 7 words. */
int dma_check(uint32_t channel, uint32_t address, uint32_t length);

/* Writes a sentence with the numbers of this request: why dma_check refuses it; an empty one when it does not. Returns the
 * length that the sentence needs. */
int dma_explain(char *buffer, size_t size, uint32_t channel, uint32_t address, uint32_t length);

/* The longest part of the transfer, from its first byte on, that does not cross the channel's 64 (or 128) KiB. */
uint32_t dma_piece(uint32_t channel, uint32_t address, uint32_t length);

/* Opens the ports of the controllers and of the page registers to the task. Errors: those of sys_ioport_bind. */
int dma_bind(void);

/* Stops a channel, programs it for one transfer and opens it: from now on the device's requests move memory. EINVAL when
 * dma_check refuses; then no port is touched. */
int dma_aim(uint32_t channel, uint32_t address, uint32_t length, enum dma_direction direction);

/* Stops a channel: afterwards it moves nothing. */
void dma_stop(uint32_t channel);

#endif
